//! A host in this process: users sign in by an address, and the store is in memory.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::Path,
    http::header,
    response::{AppendHeaders, IntoResponse, Redirect},
    routing::get,
};
use invitation_axum::{BaseUrl, Dashboard, Service, Web};
use invitation_core::{
    Division, Draft, Email, Expiry, IfVersion, ManualClock, MemoryStore, Redeemer, Role, Timestamp,
    UserId, Username,
    audit::{LogCheckpoint, LogMonitor, LogState, LogVerdict},
};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;

pub(crate) use crate::harness::people::person_at_home as person;
use crate::harness::{DASHBOARD, Harness, hooks::webhooks, people::who, serve_on};

/// A log whose verification found something.
#[derive(Debug)]
struct Tampered(Timestamp);

impl LogMonitor for Tampered {
    fn log_state(&self) -> LogState {
        let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned();
        let place = "in the log, entry 31 (event 0199c0f1-8f3c-7abc-8def-0123456789ab): altered in \
                     performer_role, reason";
        LogState {
            checkpoint: Some(LogCheckpoint { size: 4_711, root, newest: Some(self.0) }),
            verdict: LogVerdict::Tampered { place: place.to_owned() },
            verified_at: Some(self.0),
            lost: 0,
            failed_at: Some(self.0),
        }
    }
}

/// A running host.
pub(crate) struct Host {
    pub(crate) service: Service,
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<MemoryStore>,
    address: SocketAddr,
    theme: Arc<Mutex<String>>,
}

impl Host {
    pub(crate) async fn start_with(set: impl FnOnce(Web) -> Web) -> Self {
        let store = Arc::new(MemoryStore::new());
        let harness = Harness::on(DASHBOARD, Arc::<MemoryStore>::clone(&store));
        let now = Timestamp::try_from(OffsetDateTime::now_utc()).unwrap();
        harness.clock.set(now);
        let service = harness.service().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let web = Web::new(service.clone(), who)
            .with_base_url(BaseUrl::parse(&base).unwrap())
            .with_audit_log(Tampered(now));
        let web = web.with_deliveries(Arc::<MemoryStore>::clone(&store));
        let web =
            web.with_funnel(Arc::<MemoryStore>::clone(&store), Arc::<MemoryStore>::clone(&store));
        let web = web.with_webhooks(webhooks(&store, &harness.clock));
        let web = set(web);
        let divisions = ["sales", "operations"].map(|name| Division::new(name).unwrap());
        let dashboard = Dashboard::new()
            .with_brand("Perfect10")
            .with_sign_in("/signed-out")
            .with_style_sheet("/theme.css")
            .with_divisions(divisions);
        let theme = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&theme);
        let css = async move || {
            let css = served.lock().unwrap().clone();
            ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "no-store")], css)
        };
        let app = Router::new()
            .route("/theme.css", get(css))
            .route("/as/{name}", get(sign_in))
            .route("/signed-out", get(async || "Sign in here"))
            .nest_service("/invitations", web.dashboard(dashboard));
        Self { service, clock: harness.clock, store, address: serve_on(listener, app), theme }
    }

    /// Sets the host's own style sheet, which begins empty.
    pub(crate) fn set_theme(&self, css: &str) {
        css.clone_into(&mut self.theme.lock().unwrap());
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Creates many invitations of all kinds, in two divisions.
    pub(crate) async fn fill(&self, rows: usize) {
        let admin = person("admin").unwrap();
        for n in 0..rows {
            let days = [7, 14, 30, 90][n % 4];
            let division = Division::new(if n % 5 == 4 { "operations" } else { "sales" }).unwrap();
            let role = Role::new(["staff", "staff", "staff", "manager"][n % 4]).unwrap();
            let mut draft =
                Draft::new().with_role(role).in_division(division).expiring(Expiry::InDays(days));
            if n % 3 != 0 {
                let email = format!("{}.{}@example.com", NAMES[n % 8], SURNAMES[n % 7]);
                draft = draft.for_email(Email::parse(&email).unwrap());
            }
            let is_for_many = n % 11 == 10 && n % 3 == 0;
            if is_for_many {
                draft = draft.for_uses(5.try_into().unwrap());
            }
            let created = self.service.create(&admin, draft).await.unwrap();
            let id = created.invitation().id();
            match n % 6 {
                1 | 3 if n % 3 == 0 || is_for_many => {
                    self.redeem(&created.code().reveal(), NAMES[n % 8]).await;
                }
                5 => {
                    let reason = Some("Left before the first day");
                    self.service.revoke(&admin, id, reason, IfVersion::Any).await.unwrap();
                }
                _ => {}
            }
            self.clock.advance(Duration::minutes(97));
        }
    }

    /// Creates one invitation in which every text has its maximum length.
    pub(crate) async fn fill_with_long_texts(&self) {
        let admin = person("admin").unwrap();
        let email = format!("{}@{}.example.com", "a".repeat(64), "b".repeat(60));
        let division = Division::new("d".repeat(Division::MAX_BYTES)).unwrap();
        let draft = Draft::new().with_role(Role::new("staff").unwrap()).in_division(division);
        let bound = draft.clone().for_email(Email::parse(&email).unwrap());
        self.service.create(&admin, bound).await.unwrap();
        let created = self.service.create(&admin, draft).await.unwrap();
        self.redeem(&created.code().reveal(), &"n".repeat(Username::MAX_BYTES)).await;
    }

    pub(crate) async fn redeem(&self, code: &str, name: &str) {
        let user = UserId::new(name).unwrap();
        let redeemer = Redeemer::new(user, Username::new(name).unwrap());
        drop(self.service.redeem(code, &redeemer).await);
    }
}

const NAMES: [&str; 8] = ["anna", "ben", "chiara", "dmitri", "elif", "farid", "grace", "hugo"];
const SURNAMES: [&str; 7] = ["berg", "costa", "dubois", "eriksen", "fontana", "garcia", "huang"];

async fn sign_in(Path(name): Path<String>) -> impl IntoResponse {
    let cookie = format!("who={name}; Path=/; HttpOnly; SameSite=Lax");
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/invitations"))
}
