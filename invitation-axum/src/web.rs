//! [`Web`]: the service, the host's [`Identify`], and settings.

use std::{fmt, num::NonZeroU16, sync::Arc, time::Duration};

use axum::{extract::Request, http::header};
use invitation_core::{
    BaseUrl, InvitationCode, Invitations, RegistrationLink, RegistrationPage, Store,
    audit::LogMonitor,
    delivery::Deliveries,
    documents::Documents,
    feed::Feed,
    funnel::Funnels,
    import::jobs::Imports,
    webhook::{Endpoints, ManageEndpoints},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    api::streamed::Pace,
    body,
    identify::Identify,
    problem::{Problem, ProblemKind},
};

/// The service that the routers call, with any store.
///
/// It has no [`admit`](Invitations::admit), which needs the type of the store. A host keeps the
/// service on that type for its registration, and makes this one from it:
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
/// use std::sync::Arc;
///
/// use invitation::{
///     Actor, Invitations, MemoryStore, Store,
///     web::{Parts, Service, Web},
/// };
///
/// /// The type of the store may be `SqliteStore`, or another that can be cloned.
/// fn for_web<S: Store + Clone + 'static>(invitations: &Invitations<S>) -> Service {
///     let store = invitations.store().clone();
///     invitations.on(Arc::new(store) as Arc<dyn Store>)
/// }
///
/// let invitations = Invitations::new(Arc::new(MemoryStore::new()));
/// let web = Web::new(for_web(&invitations), |_: &Parts| None::<Actor>);
/// assert_eq!(web.service().limits(), invitations.limits());
/// ```
pub type Service = Invitations<Arc<dyn Store>>;

/// The limits of requests. The defaults:
///
/// - bodies of 1 MB, and of 5 MB for an import, which arrive within 30 seconds;
/// - a minute for a request until its response begins;
/// - 16 KB of headers and 8 KB of URI;
/// - 8 imports and exports at a time;
/// - 10 minutes for an export, and 30 seconds for the client to read each page of it;
/// - an hour for the upload of a file to [import](Web::with_imports), and 30 seconds for each piece
///   of it.
///
/// A client that stops sending or reading cannot exceed them: it loses its place among
/// the imports and exports. Its connection stays open until the host's server or the
/// client closes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WebLimits {
    pub(crate) body: usize,
    pub(crate) bulk_body: usize,
    pub(crate) body_time: Duration,
    pub(crate) request_time: Duration,
    pub(crate) upload_time: Duration,
    pub(crate) headers: usize,
    pub(crate) uri: usize,
    pub(crate) export_pace: Pace,
    bulk_at_once: NonZeroU16,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            body: 1_000_000,
            bulk_body: 5_000_000,
            body_time: Duration::from_secs(30),
            request_time: Duration::from_mins(1),
            upload_time: Duration::from_hours(1),
            headers: 16 * 1024,
            uri: 8 * 1024,
            export_pace: Pace { total: Duration::from_mins(10), chunk: Duration::from_secs(30) },
            bulk_at_once: NonZeroU16::MIN.saturating_add(7),
        }
    }
}

impl WebLimits {
    /// Limits the time in which a body must arrive. A later body gets 408.
    #[must_use]
    pub fn with_body_time(self, body_time: Duration) -> Self {
        Self { body_time, ..self }
    }

    /// Limits the total time of a request. A longer one gets 503, and it is then unknown
    /// whether it was carried out.
    #[must_use]
    pub fn with_request_time(self, request_time: Duration) -> Self {
        Self { request_time, ..self }
    }

    /// Limits the total time of an upload to `POST /imports`, also where it is longer than that of
    /// [other requests](Self::with_request_time). A longer one gets 408.
    #[must_use]
    pub fn with_upload_time(self, upload_time: Duration) -> Self {
        Self { upload_time, ..self }
    }

    /// Limits the total time of an export. After it, the file breaks off.
    #[must_use]
    pub fn with_export_time(self, total: Duration) -> Self {
        Self { export_pace: Pace { total, ..self.export_pace }, ..self }
    }

    /// Limits the time in which the client of an export must read one page, of up to 200
    /// lines. After it, the file breaks off.
    #[must_use]
    pub fn with_export_page_time(self, chunk: Duration) -> Self {
        Self { export_pace: Pace { chunk, ..self.export_pace }, ..self }
    }

    /// Limits the number of simultaneous imports and exports. Further ones get 429.
    #[must_use]
    pub fn with_bulk_at_once(self, bulk_at_once: NonZeroU16) -> Self {
        Self { bulk_at_once, ..self }
    }

    fn bulk_permits(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(usize::from(self.bulk_at_once.get())))
    }
}

/// The service with settings, from which the routers are made. It is cheap to clone. The
/// example on the [first page](crate) shows its use.
#[derive(Clone)]
pub struct Web {
    service: Service,
    identify: Arc<dyn Identify>,
    settings: Arc<Settings>,
    bulk: Arc<Semaphore>,
    deliveries: Option<Deliveries<Arc<dyn Store>>>,
    funnels: Option<Funnels<Arc<dyn Store>>>,
    endpoints: Option<Endpoints<Arc<dyn Store>>>,
}

#[derive(Clone)]
struct Settings {
    imports: Option<Imports>,
    base_url: Option<BaseUrl>,
    other_origins: Vec<String>,
    register_path: String,
    limits: WebLimits,
    audit_log: Option<Arc<dyn LogMonitor>>,
}

impl Web {
    /// Creates a `Web` for this service. `identify` determines the actor of each request.
    #[must_use]
    pub fn new(service: Service, identify: impl Identify) -> Self {
        let limits = WebLimits::default();
        let settings = Settings {
            imports: None,
            base_url: None,
            other_origins: Vec::new(),
            register_path: RegistrationPage::DEFAULT_PATH.to_owned(),
            limits,
            audit_log: None,
        };
        let (identify, settings) = (Arc::new(identify), Arc::new(settings));
        let bulk = limits.bulk_permits();
        Self { service, identify, settings, bulk, deliveries: None, funnels: None, endpoints: None }
    }

    /// Sets the public URL of the host. Links are built from this only: without it
    /// there are none. With it, the dashboard's page of a new invitation shows the registration
    /// link and its QR code.
    ///
    /// `Origin` is compared with it, too. Without it `Origin` is compared with `Host`, or with
    /// `:authority` of HTTP/2. That does not keep out a page whose own name resolves to this server (DNS
    /// rebinding).
    #[must_use]
    pub fn with_base_url(self, base_url: BaseUrl) -> Self {
        self.with(|settings| settings.base_url = Some(base_url))
    }

    /// Also accepts changes from pages of the origin of this URL, for a host with a
    /// second name such as `http://localhost:3000`. Links are still built from the base
    /// URL.
    #[must_use]
    pub fn with_origin(self, url: &BaseUrl) -> Self {
        self.with(|settings| settings.other_origins.push(url.origin().to_owned()))
    }

    /// Sets the path of the host's page that accepts codes, below the base URL. The
    /// default is `/register`.
    ///
    /// The link to it carries the code as its fragment (`…/register#7KQ2-…`), which no
    /// browser sends to a server. The page's script must take it from there and remove it
    /// from the URL that the browser shows.
    #[must_use]
    pub fn with_register_path(self, path: impl Into<String>) -> Self {
        self.with(|settings| settings.register_path = path.into())
    }

    /// Shows the state of the tamper-evident log on the audit view of the dashboard: the verdict
    /// of the last verification, and the newest checkpoint. Only users who reach all divisions
    /// see it, because the log has the events of all of them.
    ///
    /// `LogStatus` of the crate `invitation-audit` is such a monitor.
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// # use std::sync::Arc;
    /// # use invitation::{
    /// #     Actor, Invitations, MemoryStore, Store,
    /// #     web::{Parts, Web},
    /// # };
    /// use invitation::audit::{LogMonitor, LogState};
    ///
    /// #[derive(Debug)]
    /// struct NotVerified;
    ///
    /// impl LogMonitor for NotVerified {
    ///     fn log_state(&self) -> LogState {
    ///         LogState::default()
    ///     }
    /// }
    ///
    /// # let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    /// # let service = Invitations::new(store);
    /// let web = Web::new(service, |_: &Parts| None::<Actor>).with_audit_log(NotVerified);
    /// # let _ = web;
    /// ```
    #[must_use]
    pub fn with_audit_log(self, log: impl LogMonitor + 'static) -> Self {
        self.with(|settings| settings.audit_log = Some(Arc::new(log)))
    }

    /// Serves imports of files of any size: `/imports` in the API, and the pages of the dashboard.
    /// Without this setting they do not exist (404).
    ///
    /// The host also runs the worker. It calls [`Imports::run`], or for an SQL store
    /// [`Imports::run_in_transactions`], again and again in a task:
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// # use std::{sync::Arc, time::Duration};
    /// # use invitation::{
    /// #     Actor, Invitations, MemoryStore, Store,
    /// #     import::jobs::Imports,
    /// #     web::{FolderSpool, Parts, Web},
    /// # };
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # let folder = std::env::temp_dir().join(format!("with-imports-{}", std::process::id()));
    /// let store = Arc::new(MemoryStore::new());
    /// let imports = Imports::new(Arc::clone(&store), FolderSpool::open(&folder)?);
    /// let invitations = Invitations::new(store as Arc<dyn Store>);
    /// let web = Web::new(invitations.clone(), |_: &Parts| None::<Actor>)
    ///     .with_imports(imports.clone());
    ///
    /// tokio::spawn(async move {
    ///     loop {
    ///         if let Err(error) = imports.run(&invitations).await {
    ///             eprintln!("an import is repeated later: {error}");
    ///         }
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    /// });
    /// # assert!(web.imports().is_some());
    /// # std::fs::remove_dir_all(&folder)
    /// # })?;
    /// # Ok::<_, std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_imports(self, imports: Imports) -> Self {
        self.with(|settings| settings.imports = Some(imports))
    }

    /// Shows what became of the mails with codes, and lets users send them again. `documents` is
    /// the store of the invitations, which the worker of the mails uses too.
    ///
    /// Without this setting the routes and pages about mails do not exist.
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// use std::sync::Arc;
    ///
    /// use invitation::{
    ///     Actor, Invitations, MemoryStore, Store,
    ///     web::{Parts, Web},
    /// };
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let service = Invitations::new(store.clone() as Arc<dyn Store>);
    /// let web = Web::new(service, |_: &Parts| None::<Actor>).with_deliveries(store);
    /// assert!(web.openapi("/api").paths.paths.contains_key("/api/{id}/resend"));
    /// ```
    #[must_use]
    pub fn with_deliveries(self, documents: Arc<dyn Documents>) -> Self {
        let deliveries = Deliveries::new(self.service.clone(), documents);
        Self { deliveries: Some(deliveries), ..self }
    }

    /// Shows what became of invitations: `/funnel` in the API, and a page of the dashboard.
    /// `documents` and `feed` are the store of the invitations, whose events a
    /// [`FunnelCounter`](invitation_core::funnel::FunnelCounter) counts.
    ///
    /// Without this setting the route and the page do not exist. The host also runs the counter,
    /// again and again in a task:
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// use std::{sync::Arc, time::Duration};
    ///
    /// use invitation::{
    ///     Actor, Invitations, MemoryStore, Store,
    ///     store::funnel::FunnelCounter,
    ///     web::{Parts, Web},
    /// };
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// let store = Arc::new(MemoryStore::new());
    /// let service = Invitations::new(store.clone() as Arc<dyn Store>);
    /// let web = Web::new(service, |_: &Parts| None::<Actor>)
    ///     .with_funnel(store.clone(), store.clone());
    /// assert!(web.openapi("/api").paths.paths.contains_key("/api/funnel"));
    ///
    /// tokio::spawn(async move {
    ///     let counter = FunnelCounter::new(store);
    ///     loop {
    ///         match counter.run().await {
    ///             Ok(counted) if counted.more => continue,
    ///             Ok(_) => {}
    ///             Err(error) => eprintln!("events are counted later: {error}"),
    ///         }
    ///         tokio::time::sleep(Duration::from_secs(5)).await;
    ///     }
    /// });
    /// # });
    /// # Ok::<_, std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_funnel(self, documents: Arc<dyn Documents>, feed: Arc<dyn Feed>) -> Self {
        let funnels = Funnels::new(self.service.clone(), documents, feed);
        Self { funnels: Some(funnels), ..self }
    }

    /// Lets users with [`Right::Webhooks`](invitation_core::Right::Webhooks) manage the endpoints of
    /// webhooks: `/webhooks` in the API, and the page of the dashboard.
    ///
    /// `endpoints` keeps them in the store of the invitations; `Webhooks` of the crate
    /// `invitation-delivery` does. The host runs its worker.
    ///
    /// Without this setting the routes and pages about webhooks do not exist.
    ///
    /// ```
    /// # mod invitation {
    /// #     pub use invitation_core::*;
    /// #     pub use invitation_axum as web;
    /// #     pub use invitation_delivery as delivery;
    /// # }
    /// use std::sync::Arc;
    ///
    /// use invitation::{
    ///     Actor, Invitations, MemoryStore, Store,
    ///     delivery::webhook::{Transport, Webhooks},
    ///     web::{Parts, Web},
    /// };
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let webhooks = Webhooks::new(store.clone(), &Transport::default())?;
    /// let service = Invitations::new(store as Arc<dyn Store>);
    /// let web = Web::new(service, |_: &Parts| None::<Actor>).with_webhooks(webhooks);
    /// assert!(web.openapi("/api").paths.paths.contains_key("/api/webhooks"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_webhooks(self, endpoints: impl ManageEndpoints + 'static) -> Self {
        let endpoints = Endpoints::new(self.service.clone(), Arc::new(endpoints));
        Self { endpoints: Some(endpoints), ..self }
    }

    /// Sets the limits of requests.
    #[must_use]
    pub fn with_limits(self, limits: WebLimits) -> Self {
        let bulk = limits.bulk_permits();
        Self { bulk, ..self.with(|settings| settings.limits = limits) }
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }

    /// Returns the service that the routers call.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Returns the imports that the routers serve, if the host has set them.
    #[must_use]
    pub fn imports(&self) -> Option<&Imports> {
        self.settings.imports.as_ref()
    }

    /// Returns the deliveries, or 404 if the host shows none.
    pub(crate) fn deliveries(&self) -> Result<&Deliveries<Arc<dyn Store>>, Problem> {
        self.deliveries.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    /// Returns the funnels, or 404 if the host shows none.
    pub(crate) fn funnels(&self) -> Result<&Funnels<Arc<dyn Store>>, Problem> {
        self.funnels.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    /// Returns the endpoints of webhooks, or 404 if the host shows none.
    pub(crate) fn endpoints(&self) -> Result<&Endpoints<Arc<dyn Store>>, Problem> {
        self.endpoints.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    pub(crate) fn identify(&self) -> &dyn Identify {
        &*self.identify
    }

    pub(crate) fn base_url(&self) -> Option<&BaseUrl> {
        self.settings.base_url.as_ref()
    }

    /// Returns the origins of the host's pages. It is empty if none is configured.
    pub(crate) fn own_origins(&self) -> impl Iterator<Item = &str> {
        let base = self.base_url().map(BaseUrl::origin);
        base.into_iter().chain(self.settings.other_origins.iter().map(String::as_str))
    }

    pub(crate) fn audit_log(&self) -> Option<&dyn LogMonitor> {
        self.settings.audit_log.as_deref()
    }

    pub(crate) fn limits(&self) -> &WebLimits {
        &self.settings.limits
    }

    /// Returns the permit for one more import or export, or 429 if too many are running.
    pub(crate) fn bulk_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.bulk).try_acquire_owned().map_err(|_| {
            Problem::new(ProblemKind::TooManyRequests)
                .with_detail("too many imports and exports are under way")
                .with_retry_after(Duration::from_secs(5))
        })
    }

    /// Returns the permit for the import of a body, and the request. If too many are running, the body
    /// is passed over before the 429: the client gets the response instead of a broken connection.
    pub(crate) async fn bulk_permit_for(
        &self,
        request: Request,
    ) -> Result<(OwnedSemaphorePermit, Request), Problem> {
        match self.bulk_permit() {
            Ok(permit) => Ok((permit, request)),
            Err(problem) => {
                // A client that waits for `100 Continue` has not sent its body.
                if !request.headers().contains_key(header::EXPECT) {
                    body::discard(request.into_body()).await;
                }
                Err(problem)
            }
        }
    }

    /// Returns the largest number of rows in an import.
    pub(crate) fn max_rows(&self) -> usize {
        usize::try_from(self.service().limits().batch().get()).unwrap_or(usize::MAX)
    }

    /// Returns the registration link for a newcomer, for a mail of the host; `None` without a
    /// [base URL](Self::with_base_url).
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// # use std::sync::Arc;
    /// # use invitation::{
    /// #     Actor, Division, Draft, Invitations, MemoryStore, Role, Store, UserId,
    /// #     web::{BaseUrl, Parts, Web},
    /// # };
    /// # let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    /// # let service = Invitations::new(store);
    /// # let web = Web::new(service.clone(), |_: &Parts| -> Option<Actor> { None });
    /// # let web = web.with_base_url(BaseUrl::parse("https://example.com")?);
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let admin = Actor::across_divisions(UserId::new("admin")?, Role::new("admin")?);
    /// # let draft = Draft::new().with_role(Role::new("staff")?);
    /// # let draft = draft.in_division(Division::new("sales")?);
    /// let created = web.service().create(&admin, draft).await?;
    /// let link = web.link(created.code()).expect("there is a base URL");
    /// assert!(link.reveal().starts_with("https://example.com/register#"));
    /// assert_eq!(format!("{link:?}"), "RegistrationLink(…)");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn link(&self, code: &InvitationCode) -> Option<RegistrationLink> {
        let page = RegistrationPage::new(self.base_url()?.clone());
        Some(page.with_path(&self.settings.register_path).link(code))
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
