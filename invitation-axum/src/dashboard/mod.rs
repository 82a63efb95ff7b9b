//! The dashboard: the screen on which invitations are managed, rendered on the server.

mod assets;
mod change;
mod confirm;
mod create;
mod detail;
mod events;
mod form;
mod frame;
mod import;
mod layout;
mod list;
mod pager;
mod row;
mod strings;
mod terms;

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use invitation_core::Division;

use self::frame::Desk;
pub use self::{
    layout::{Layout, Page},
    strings::Strings,
};
use crate::web::Web;

/// How the dashboard looks, what it says, and what of the host is around it. All of it
/// has a default.
///
/// Who may do what is not set here: each page offers what the service's policy allows
/// the actor's role.
///
/// Colours, fonts and corners are CSS variables (`--inv-accent`, `--inv-surface`, …: see
/// the beginning of the style sheet), which a host's own style sheet can set on
/// `.inv, .inv-page`.
///
/// ```
/// use std::sync::Arc;
///
/// use axum::Router;
/// use invitation_axum::{Dashboard, Page, Parts, Service, Strings, Web};
/// use invitation_core::{Actor, Division, Invitations, MemoryStore, Role, Store, UserId};
///
/// let mut texts = Strings::english();
/// texts.menu_entry = "Invite codes".into();
///
/// let dashboard = Dashboard::new()
///     .with_brand("Perfect10")
///     .with_strings(texts)
///     .with_sign_in("/login")
///     .with_divisions([Division::new("sales")?, Division::new("operations")?])
///     .with_layout(|page: &Page<'_>| {
///         format!(
///             "<!doctype html><html lang=en><head><title>{}</title>{}</head>\
///              <body class=inv-page><nav>…</nav><main>{}</main></body></html>",
///             page.title(),
///             page.head(),
///             page.content(),
///         )
///     });
/// assert_eq!(dashboard.strings().menu_entry, "Invite codes");
/// assert_eq!(dashboard.sign_in(), Some("/login"));
///
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let who = |_: &Parts| -> Option<Actor> { None };
/// let web = Web::new(Invitations::new(store), who);
/// let app: Router = Router::new().nest_service("/invitations", web.dashboard(dashboard));
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Dashboard {
    strings: Strings,
    brand: Cow<'static, str>,
    aside: Cow<'static, str>,
    sign_in: Option<Cow<'static, str>>,
    mounted_at: Option<Cow<'static, str>>,
    divisions: Vec<Division>,
    layout: Option<Arc<dyn Layout>>,
}

impl Dashboard {
    /// With the English texts and a layout of its own: a sidebar with one entry.
    pub fn new() -> Self {
        Self {
            strings: Strings::english(),
            brand: "Invitations".into(),
            aside: "".into(),
            sign_in: None,
            mounted_at: None,
            divisions: Vec::new(),
            layout: None,
        }
    }

    /// Says everything in other words: another language, another name of the menu.
    pub fn with_strings(self, strings: Strings) -> Self {
        Self { strings, ..self }
    }

    /// The product's name, at the head of the sidebar.
    pub fn with_brand(self, brand: impl Into<Cow<'static, str>>) -> Self {
        Self { brand: brand.into(), ..self }
    }

    /// HTML of the host at the foot of the sidebar, as for its sign-out button. It goes
    /// into the page as it is: it MUST NOT hold anything that a user typed.
    pub fn with_aside_html(self, html: impl Into<Cow<'static, str>>) -> Self {
        Self { aside: html.into(), ..self }
    }

    /// Where the host's users sign in. Who is not signed in is sent there (303); without
    /// it, the answer is a page that says so (401).
    pub fn with_sign_in(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { sign_in: Some(path.into()), ..self }
    }

    /// Where browsers find the dashboard, if that is not where the router is nested: for
    /// hosts behind a proxy that takes off a part of the path. Without a slash at its
    /// end.
    pub fn with_mount_point(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { mounted_at: Some(path.into()), ..self }
    }

    /// The divisions that there are, to be suggested to those who reach all of them.
    /// Others can be typed.
    pub fn with_divisions(self, divisions: impl IntoIterator<Item = Division>) -> Self {
        Self { divisions: divisions.into_iter().collect(), ..self }
    }

    /// Puts the pages into the host's own layout, in place of the sidebar.
    pub fn with_layout(self, layout: impl Layout) -> Self {
        Self { layout: Some(Arc::new(layout)), ..self }
    }

    /// What it says.
    #[must_use]
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// Where users sign in.
    #[must_use]
    pub fn sign_in(&self) -> Option<&str> {
        self.sign_in.as_deref()
    }
}

impl Default for Dashboard {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard")
            .field("brand", &self.brand)
            .field("sign_in", &self.sign_in)
            .field("mounted_at", &self.mounted_at)
            .finish_non_exhaustive()
    }
}

impl Web {
    /// The dashboard, to be mounted anywhere:
    /// `.nest_service("/invitations", web.dashboard(Dashboard::new()))`.
    pub fn dashboard(&self, dashboard: Dashboard) -> Router {
        let desk = Desk::new(self.clone(), dashboard);
        let pages = Router::new()
            .route("/", get(list::show))
            .route("/search", get(list::back).post(list::search))
            .route("/new", get(create::form).post(create::create))
            .route("/events", get(events::show).post(events::search))
            .route("/import", get(import::form).post(import::check))
            .route("/import/create", get(import::back).post(import::create))
            .route("/{id}", get(detail::show))
            .route("/{id}/copy", post(detail::copy).get(detail::back))
            .route("/{id}/edit", get(change::form).post(change::save))
            .route("/{id}/{change}", get(confirm::ask).post(confirm::make))
            .fallback(frame::nothing)
            .method_not_allowed_fallback(frame::not_so)
            .layer(middleware::from_fn_with_state(desk.clone(), frame::identify));
        let pages = self.shield(pages);
        let pages = pages.layer(middleware::from_fn_with_state(desk, frame::frame));
        self.shield(assets::router()).merge(pages)
    }
}
