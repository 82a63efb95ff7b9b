//! [`Web`]: the service, the host's [`Identify`], and settings.

mod limits;
mod parts;

use std::{fmt, sync::Arc};

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
use tokio::sync::Semaphore;

pub use self::limits::WebLimits;
use crate::identify::Identify;

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
