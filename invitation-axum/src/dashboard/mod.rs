//! The dashboard: server-rendered pages for managing invitations.

mod assets;
mod audit_log;
mod batches;
mod change;
mod confirm;
mod create;
mod deliveries;
mod detail;
mod events;
mod figures;
mod filters;
mod form;
mod funnel;
mod html;
mod import;
mod layout;
mod list;
mod page;
mod pager;
mod path;
mod problem_page;
mod qr;
mod row;
mod strings;
mod terms;
mod uploads;
mod versioned;
mod webhooks;

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use invitation_core::Division;

use self::page::DashboardState;
pub use self::{
    html::HtmlText,
    layout::{Layout, MenuEntry, Page},
    strings::Strings,
};
use crate::web::Web;

/// The settings of the dashboard: its looks, its texts, and the parts of the host around
/// it. Each has a default.
///
/// Rights are not set here: each page offers the actions that the service's policy allows
/// the actor's role.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
/// use std::sync::Arc;
///
/// use axum::Router;
/// use invitation::{
///     Actor, Division, Invitations, MemoryStore, Role, Store, UserId,
///     web::{Dashboard, Page, Parts, Service, Strings, Web},
/// };
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
///         // Every `HtmlText` is written escaped: the title, the brand, the menu.
///         let entries = page.menu().into_iter().map(|entry| {
///             let current = if entry.is_current() { " aria-current=\"page\"" } else { "" };
///             format!("<a href=\"{}\"{current}>{}</a>", entry.href(), entry.label())
///         });
///         let menu = format!("<nav>{}</nav>", entries.collect::<String>());
///         let user = page.signed_in_as().map(|name| format!("<p>{name}</p>"));
///         format!(
///             "<!doctype html><html lang=\"{}\"><head><title>{} · {}</title>{}</head>\
///              <body class=\"inv-page\">{menu}{}<main>{}</main></body></html>",
///             page.language(),
///             page.title(),
///             page.brand(),
///             page.head(),
///             user.unwrap_or_default(),
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
/// # Ok::<_, invitation::FieldError>(())
/// ```
///
#[doc = include_str!("../../docs/theme.md")]
#[derive(Clone)]
#[must_use]
pub struct Dashboard {
    strings: Strings,
    brand: Cow<'static, str>,
    aside: Cow<'static, str>,
    style_sheet: Option<Cow<'static, str>>,
    sign_in: Option<Cow<'static, str>>,
    mounted_at: Option<Cow<'static, str>>,
    divisions: Vec<Division>,
    layout: Option<Arc<dyn Layout>>,
}

impl Dashboard {
    /// Returns a dashboard with the English texts and the default layout: a sidebar with
    /// one entry.
    pub fn new() -> Self {
        Self {
            strings: Strings::english(),
            brand: "Invitations".into(),
            aside: "".into(),
            style_sheet: None,
            sign_in: None,
            mounted_at: None,
            divisions: Vec::new(),
            layout: None,
        }
    }

    /// Replaces the texts, for another language or another name of the menu.
    pub fn with_strings(self, strings: Strings) -> Self {
        Self { strings, ..self }
    }

    /// Sets the product's name, at the top of the sidebar.
    pub fn with_brand(self, brand: impl Into<Cow<'static, str>>) -> Self {
        Self { brand: brand.into(), ..self }
    }

    /// Adds the host's HTML to the foot of the sidebar, for example a sign-out button. It
    /// is inserted into the page unescaped: it MUST NOT hold anything that a user typed.
    pub fn with_aside_html(self, html: impl Into<Cow<'static, str>>) -> Self {
        Self { aside: html.into(), ..self }
    }

    /// Links a style sheet of the host in each page, to set the variables of the
    /// [theme](Self#theme). `href` is a path of the same origin: the content security policy
    /// forbids others.
    pub fn with_style_sheet(self, href: impl Into<Cow<'static, str>>) -> Self {
        Self { style_sheet: Some(href.into()), ..self }
    }

    /// Sets the path of the host's sign-in page. A request without an actor is redirected
    /// there (303). Without this setting it gets a page that asks to sign in (401).
    pub fn with_sign_in(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { sign_in: Some(path.into()), ..self }
    }

    /// Sets the path under which browsers find the dashboard, without a slash at its end.
    /// It is needed only behind a proxy that removes a part of the path; the default is
    /// the path at which the router is nested.
    pub fn with_mount_point(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { mounted_at: Some(path.into()), ..self }
    }

    /// Sets the divisions that forms and filters suggest to users who reach all divisions. Others
    /// can be typed.
    pub fn with_divisions(self, divisions: impl IntoIterator<Item = Division>) -> Self {
        Self { divisions: divisions.into_iter().collect(), ..self }
    }

    /// Puts the pages into the host's own layout instead of the sidebar. [`Page`] has the
    /// brand, the menu and the user for it. The HTML of
    /// [`with_aside_html`](Self::with_aside_html) is not a part of it.
    pub fn with_layout(self, layout: impl Layout) -> Self {
        Self { layout: Some(Arc::new(layout)), ..self }
    }

    /// Returns the texts of the dashboard.
    #[must_use]
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// Returns the path of the host's sign-in page.
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
    /// Returns a router with the dashboard, to be mounted at any path:
    /// `.nest_service("/invitations", web.dashboard(Dashboard::new()))`.
    pub fn dashboard(&self, dashboard: Dashboard) -> Router {
        let dashboard_state = DashboardState::new(self.clone(), dashboard);
        // `PathId` names the parameters. An import and its batch have the same id.
        let about_mails = match self.deliveries() {
            Ok(_) => Router::new()
                .route("/deliveries", get(deliveries::failed))
                .route(
                    "/deliveries/{delivery}/retry",
                    post(deliveries::retry).get(deliveries::back),
                )
                .route("/{id}/resend", post(deliveries::resend).get(detail::back))
                .route(
                    "/batches/{import}/resend",
                    get(batches::resend::ask).post(batches::resend::make),
                ),
            Err(_) => Router::new(),
        };
        let about_funnel = match self.funnels() {
            Ok(_) => Router::new().route("/funnel", get(funnel::show).post(funnel::search)),
            Err(_) => Router::new(),
        };
        let about_webhooks = match self.endpoints() {
            Ok(_) => Router::new()
                .route("/webhooks", get(webhooks::show))
                .route("/webhooks/{endpoint}/{change}", post(webhooks::change).get(webhooks::back)),
            Err(_) => Router::new(),
        };
        let pages = about_mails
            .merge(about_funnel)
            .merge(about_webhooks)
            .route("/", get(list::show))
            .route("/search", get(list::back).post(list::search))
            .route("/new", get(create::form).post(create::create))
            .route("/events", get(events::show).post(events::search))
            .route("/import", get(import::form).post(import::check))
            .route("/import/create", get(import::back).post(import::create))
            .route(
                "/batches/{import}/revoke",
                get(batches::revoke::ask).post(batches::revoke::make),
            )
            .route("/imports", get(uploads::list).post(uploads::upload))
            .route("/imports/{import}", get(uploads::one::show))
            .route("/imports/{import}/start", get(uploads::one::back).post(uploads::one::start))
            .route("/imports/{import}/cancel", get(uploads::one::back).post(uploads::one::cancel))
            .route("/imports/{import}/result", get(uploads::one::result))
            .route("/{id}", get(detail::show))
            .route("/{id}/copy", post(detail::copy).get(detail::back))
            .route("/{id}/edit", get(change::form).post(change::save))
            .route("/{id}/{change}", get(confirm::ask).post(confirm::make))
            .fallback(page::page_not_found)
            .method_not_allowed_fallback(page::method_not_allowed)
            .layer(middleware::from_fn_with_state(dashboard_state.clone(), page::identify));
        let pages = self.with_middleware(pages);
        let pages =
            pages.layer(middleware::from_fn_with_state(dashboard_state, page::put_into_layout));
        self.with_middleware(assets::router()).merge(pages)
    }
}
