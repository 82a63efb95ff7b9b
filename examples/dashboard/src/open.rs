//! Opens the database of the configuration.

use std::{str::FromStr, sync::Arc};

use invitation::{
    Invitations, Paging, RedisStore, Store, SystemActor,
    admit::RedeemerIds,
    audit::EventCriteria,
    audit_log::LogStatus,
    code::throttle::{GuessThrottle, SharedBudgets},
    delivery::{Deliveries, mail::Mailer, webhook::admin::ManageEndpoints},
    import::jobs::Imports,
    redis_store::{Namespace, RedisOptions, redis},
    sql::{
        Dialect, SqlStore,
        sqlx::sqlite::{Sqlite, SqliteConnectOptions},
    },
    store::{
        documents::Documents,
        feed::{Feed, FeedRetention},
    },
    web::Service,
};

use crate::{
    Result,
    addresses::Addresses,
    admission::{Admission, InOneTransaction},
    app::Host,
    config::Config,
    counting,
    database::DatabaseUrl,
    importing,
    keys::Keys,
    mail::Outbox,
    mailing, pools,
    records::Records,
    redeemer_secret,
    reserving::Reserving,
    sealing, seed,
    standing::Grantors,
    tables::Tables,
    webhooks,
};

/// An opened database, with the parts of the host that depend on it.
pub(crate) struct Opened {
    pub(crate) invitations: Service,
    pub(crate) documents: Arc<dyn Documents>,
    /// The imports of files; none for a database in memory.
    pub(crate) imports: Option<Imports>,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) admission: Arc<dyn Admission>,
    pub(crate) redeemer_ids: RedeemerIds,
    pub(crate) log: Option<LogStatus>,
    pub(crate) endpoints: Arc<dyn ManageEndpoints>,
}

/// Opens the database, and inserts the demonstration's data if it is new.
pub(crate) async fn open(config: &Config, addresses: &Addresses) -> Result<Host> {
    match &config.database.url {
        DatabaseUrl::Sqlite(_) if config.database.is_in_memory() => {
            let tables = Tables::new(named(pools::sqlite_in_memory().await)?);
            prepared(tables, config, addresses).await
        }
        DatabaseUrl::Sqlite(url) => {
            let options = named(SqliteConnectOptions::from_str(url))?;
            let tables = Tables::new(named(pools::sqlite_file(options).await)?);
            prepared(tables, config, addresses).await
        }
        DatabaseUrl::Postgres(url) => {
            let tables = Tables::new(named(pools::postgres(url).await)?);
            prepared(tables, config, addresses).await
        }
        DatabaseUrl::MySql(url) => {
            let tables = Tables::new(named(pools::mysql(url).await)?);
            prepared(tables, config, addresses).await
        }
        DatabaseUrl::Redis(url) => {
            // Each Redis database has users of its own, or a reset would remove those of another.
            let file = config.database.beside(".db").ok_or("a server is not in memory")?;
            let options = SqliteConnectOptions::new().filename(file);
            let tables = Tables::new(named(pools::sqlite_file(options).await)?);
            with_redis(tables, url, config, addresses).await
        }
    }
}

/// Prepares the host's tables. With `DEMO_RESET`, or after a reset that was interrupted, first
/// removes what the demonstration has stored, in this Redis namespace too. Returns whether it did.
async fn prepare<DB: Dialect>(
    tables: &Tables<DB>,
    config: &Config,
    redis: Option<(&str, &Namespace)>,
) -> Result<bool> {
    let is_reset = named(tables.begin_removal(config.reset).await)?;
    if is_reset {
        // Before the events: a log of missing events reads like a manipulation.
        sealing::remove_log(&config.database)?;
        if let Some((url, namespace)) = redis {
            named(forget(url, namespace).await)?;
        }
        named(tables.remove().await)?;
    }
    named(tables.create().await)?;
    Ok(is_reset)
}

/// Opens users and invitations in one SQL database.
async fn prepared<DB: Dialect>(
    tables: Tables<DB>,
    config: &Config,
    addresses: &Addresses,
) -> Result<Host> {
    let is_reset = prepare(&tables, config, None).await?;
    let store = SqlStore::new(tables.pool().clone());
    named(store.migrate().await)?;
    let invitations = service(store.clone(), &tables, config).await?;
    let admission =
        InOneTransaction { tables: tables.clone(), invitations: invitations.on(store.clone()) };
    let worker = invitations.on(store.clone());
    let files = &config.database;
    let run_by = worker.clone();
    let imports = importing::start(store.clone(), worker, files, is_reset, move |imports| {
        let worker = run_by.clone();
        async move { imports.run_in_transactions(&worker).await }
    })?;
    let admission = Arc::new(admission);
    running(store, tables, invitations, imports, admission, config, addresses).await
}

/// Opens invitations in Redis and users in SQLite.
async fn with_redis(
    tables: Tables<Sqlite>,
    url: &str,
    config: &Config,
    addresses: &Addresses,
) -> Result<Host> {
    let namespace: Namespace = "invitation-demo".parse()?;
    let is_reset = prepare(&tables, config, Some((url, &namespace))).await?;
    let options = RedisOptions::new().with_namespace(namespace);
    let store = named(RedisStore::connect(url, options).await)?;
    for warning in store.warnings() {
        tracing::warn!("{warning}");
    }
    let invitations = service(store.clone(), &tables, config).await?;
    if is_empty(&invitations).await? {
        // Redis may have lost its data, and the users' file still says that they are there.
        tables.unset_seeded().await?;
    }
    let admission = Reserving { tables: tables.clone(), invitations: invitations.clone() };
    // Settle the registrations that a crash left open, before the first request.
    admission.settle().await?;
    tokio::spawn(admission.clone().keep_settling());
    let worker = invitations.clone();
    let files = &config.database;
    let run_by = worker.clone();
    let imports = importing::start(store.clone(), worker, files, is_reset, move |imports| {
        let worker = run_by.clone();
        async move { imports.run(&worker).await }
    })?;
    let admission = Arc::new(admission);
    running(store, tables, invitations, imports, admission, config, addresses).await
}

/// Returns the host with the demonstration's data, and starts the tasks that count events, and send
/// mails and webhooks, while the program runs.
async fn running<S, DB: Dialect>(
    store: S,
    tables: Tables<DB>,
    invitations: Service,
    imports: Option<Imports>,
    admission: Arc<dyn Admission>,
    config: &Config,
    addresses: &Addresses,
) -> Result<Host>
where
    S: Documents + FeedRetention + Clone + 'static,
{
    let keys = Keys::open(&config.database)?;
    let webhooks = webhooks::of(store.clone(), &keys)?;
    keys.check_webhooks(&webhooks).await?;
    let opened = Opened {
        invitations,
        documents: Arc::new(store.clone()),
        imports,
        feed: Arc::new(store.clone()),
        records: Arc::new(tables.clone()),
        admission,
        redeemer_ids: redeemer_secret::ids(&config.database)?,
        log: sealing::start(store.clone(), &config.database),
        endpoints: Arc::new(webhooks.clone()),
    };
    let host = seeded(tables, Host::new(opened, addresses.clone())).await?;
    counting::start(store.clone());
    webhooks::start(webhooks, &host.receiver, addresses).await?;
    let deliveries = Deliveries::new(host.invitations.clone(), Arc::new(store.clone()));
    let mailer: Arc<dyn Mailer> = match config.mailer.clone() {
        Some(smtp) => Arc::new(smtp),
        None => Arc::<Outbox>::clone(&host.outbox),
    };
    mailing::start(store, deliveries, mailer, addresses)?;
    Ok(host)
}

/// Returns the service on a store, with the host's keys and its word on grantors, and with the
/// limits on wrong guesses that all processes on the store share.
async fn service<S, DB: Dialect>(store: S, tables: &Tables<DB>, config: &Config) -> Result<Service>
where
    S: Store + SharedBudgets + Clone + 'static,
{
    let keys = Keys::open(&config.database)?;
    let throttle = GuessThrottle::shared(store.clone());
    let store: Arc<dyn Store> = Arc::new(store);
    let invitations = Invitations::new(store).with_sealing(keys.sealing()).with_throttle(throttle);
    let (tables, policy) = (tables.clone(), invitations.policy().clone());
    let invitations = invitations.with_standing(Grantors { tables, policy });
    keys.check(&invitations).await?;
    Ok(invitations)
}

/// Returns whether a store has no event, and so has had no invitation.
async fn is_empty(invitations: &Service) -> Result<bool> {
    let (system, all) = (SystemActor::for_bootstrap(), EventCriteria::new());
    let events = invitations.events(&system, &all, Paging::first(1)?).await?;
    Ok(events.items().is_empty())
}

/// Inserts the demonstration's data if the database is new.
async fn seeded<DB: Dialect>(tables: Tables<DB>, host: Host) -> Result<Host> {
    if !tables.is_seeded().await? {
        seed::users(&tables).await?;
        seed::invitations(&host).await?;
        tables.set_seeded().await?;
    }
    Ok(host)
}

/// Removes the keys of the demonstration's namespace, and no others.
async fn forget(url: &str, namespace: &Namespace) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(namespace.pattern())
            .arg("COUNT")
            .arg(1_000)
            .query_async(&mut connection)
            .await?;
        if !keys.is_empty() {
            let () = redis::cmd("UNLINK").arg(keys).query_async(&mut connection).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// Adds the name of the variable to an error of opening. The error contains no part of the
/// URL, which may hold a password.
fn named<T, E: std::fmt::Display>(outcome: std::result::Result<T, E>) -> Result<T> {
    outcome.map_err(|error| format!("DATABASE_URL: {error}").into())
}
