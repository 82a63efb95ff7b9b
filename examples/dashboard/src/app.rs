//! The host's state and its routes.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    extract::FromRef,
    http::header,
    middleware,
    routing::{get, post},
};
use invitation::{
    Division,
    admit::RedeemerIds,
    web::{Dashboard, Problem, ProblemKind, Service, Web},
};

use crate::{
    addresses::{self, Addresses, NameCheck},
    admission::Admission,
    api,
    mail::Outbox,
    open::Opened,
    pages,
    people::People,
    records::Records,
    seed::USERS,
    sessions::Sessions,
    webhooks::{self, Receiver},
};

/// The path where the library's routers are mounted.
pub(crate) const API: &str = "/api/invitations";
pub(crate) const DASHBOARD: &str = "/invitations";

/// The state of all handlers.
pub(crate) struct Host {
    pub(crate) invitations: Service,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) admission: Arc<dyn Admission>,
    pub(crate) people: People,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) receiver: Receiver,
    pub(crate) redeemer_ids: RedeemerIds,
    web: Web,
    addresses: Addresses,
}

impl Host {
    pub(crate) fn new(opened: Opened, addresses: Addresses) -> Self {
        let Opened {
            invitations,
            documents,
            feed,
            imports,
            records,
            admission,
            redeemer_ids,
            log,
            endpoints,
        } = opened;
        let people =
            People { records: Arc::clone(&records), sessions: Arc::new(Sessions::default()) };
        let web = Web::new(invitations.clone(), people.clone());
        let web = web.with_base_url(addresses.base.clone());
        let web = addresses.loopback.iter().fold(web, Web::with_origin);
        let web = match log {
            Some(log) => web.with_audit_log(log),
            None => web,
        };
        let web = web
            .with_deliveries(Arc::clone(&documents))
            .with_funnel(documents, feed)
            .with_webhooks(endpoints);
        let web = match imports {
            Some(imports) => web.with_imports(imports),
            None => web,
        };
        Self {
            invitations,
            records,
            admission,
            people,
            outbox: Arc::default(),
            receiver: Receiver::default(),
            redeemer_ids,
            web,
            addresses,
        }
    }

    /// Returns the URL of the page where newcomers confirm their address.
    pub(crate) fn confirm_page(&self) -> String {
        format!("{}/register/confirm", self.addresses.base)
    }
}

/// The host as the shared state of its handlers.
#[derive(Clone)]
pub(crate) struct App(pub(crate) Arc<Host>);

impl FromRef<App> for Web {
    fn from_ref(app: &App) -> Self {
        app.0.web.clone()
    }
}

/// Builds the router from the library's routers and the host's own routes.
pub(crate) fn app(host: Host) -> Router {
    let web = host.web.clone();
    let name_check = NameCheck::new(host.addresses.names(), &web);
    let own = Router::new()
        .route("/", get(pages::home))
        .route("/login", get(pages::login).post(pages::sign_in))
        .route("/logout", post(pages::sign_out))
        .route("/register", get(pages::register).post(pages::apply))
        .route("/register/confirm", get(pages::confirmation).post(pages::confirm))
        .route("/api/register", post(api::register))
        .route("/api/register/confirm", post(api::confirm))
        .route("/api/demo/mail", get(api::mail))
        .route("/api/demo/webhooks", get(api::webhooks))
        .route(webhooks::RECEIVER, post(api::receive))
        .route("/webhooks", get(pages::webhooks))
        .route("/assets/demo.css", get(css))
        .route("/assets/register.js", get(js))
        .fallback(async || Problem::new(ProblemKind::NotFound))
        .method_not_allowed_fallback(async || Problem::new(ProblemKind::MethodNotAllowed))
        .with_state(App(Arc::new(host)));
    // The host's routes get the same request ids, limits and headers as the library's. This
    // also prevents pages of other sites from signing a user in or out.
    web.protect(own)
        .nest_service(API, web.api())
        .nest_service(DASHBOARD, web.dashboard(dashboard()))
        .merge(web.openapi_router(API))
        .layer(middleware::from_fn_with_state(name_check, addresses::check_name))
}

/// Returns the library's dashboard with this host's settings.
fn dashboard() -> Dashboard {
    let divisions = USERS.iter().filter_map(|(_, _, division)| Division::new((*division)?).ok());
    let divisions: BTreeSet<_> = divisions.collect();
    Dashboard::new()
        .with_brand("Demonstration")
        .with_sign_in("/login")
        .with_divisions(divisions)
        .with_aside_html(
            r#"<form method="post" action="/logout"><button class="inv-button">Sign out</button></form>"#,
        )
}

async fn css() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../assets/demo.css"))
}

async fn js() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("../assets/register.js"),
    )
}
