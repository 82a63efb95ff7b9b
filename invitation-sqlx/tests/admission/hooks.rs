//! Tests of the host's hooks around a command, beside a transaction, on every database.

use std::{
    error::Error as StdError,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use invitation_core::{
    Error, Invitations, Reason, Refusal,
    hooks::{CommandKind, Done, Hooks, Intent, Veto, VetoReason},
};
use invitation_sqlx::{SqlStore, sqlx::Pool};

use crate::{
    promises::add,
    support::{
        admin, create,
        host::{Host, Kind, number, run, unsynced_pool},
        redeemer, trail, uses,
    },
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, hooks:
            admit_asks_the_hook_before_its_transaction
            hook_hears_of_an_admission_after_its_commit_only
            veto_inside_a_host_transaction_is_recorded_afterwards
        );
    };
}

pub(crate) use promises;

/// A hook that reads and writes in the database of the host, on connections of its own.
struct Rules<DB: Kind> {
    pool: Pool<DB>,
    vetoes: Arc<AtomicBool>,
    /// The number of users that the hook saw at each notification.
    heard: Arc<Mutex<Vec<(CommandKind, i64)>>>,
}

impl<DB: Kind> Rules<DB> {
    fn new(pool: &Pool<DB>) -> Self {
        Self { pool: pool.clone(), vetoes: Arc::default(), heard: Arc::default() }
    }

    async fn users(&self) -> i64 {
        number(&self.pool, "SELECT COUNT(*) FROM users").await
    }
}

impl<DB: Kind> Clone for Rules<DB> {
    fn clone(&self) -> Self {
        let Self { pool, vetoes, heard } = self;
        Self { pool: pool.clone(), vetoes: Arc::clone(vetoes), heard: Arc::clone(heard) }
    }
}

impl<DB: Kind> fmt::Debug for Rules<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").finish_non_exhaustive()
    }
}

#[async_trait]
impl<DB: Kind> Hooks for Rules<DB> {
    async fn before(&self, _: &Intent) -> Result<(), Veto> {
        self.users().await;
        if self.vetoes.load(Ordering::SeqCst) {
            return Err(Veto::because("full"));
        }
        Ok(())
    }

    async fn after(&self, done: &Done) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let users = self.users().await;
        self.heard.lock().unwrap().push((done.kind, users));
        Ok(())
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The pool has one connection, which the transaction would keep from the hook.
pub(crate) async fn admit_asks_the_hook_before_its_transaction<DB: Kind>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    run(&pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
    let rules = Rules::new(&pool);
    let invitations = Invitations::new(store).with_hooks(rules.clone());
    let (_, code) = create(&invitations).await;

    rules.vetoes.store(true, Ordering::SeqCst);
    let before = trail(&invitations).await.len();
    let refused = invitations.admit(&code, &redeemer("anna")).await.unwrap_err();
    let expected = Refusal::Vetoed { reason: VetoReason::new("full") };
    assert_eq!(refused.refusal(), Some(&expected));
    let events = trail(&invitations).await;
    assert_eq!(events.len(), before + 1, "the refusal is recorded");
    assert_eq!(events.last().unwrap().reason, Some(Reason::Vetoed));
    assert_eq!(events.last().unwrap().detail.get("veto"), Some("full"));
    assert_eq!(uses(&invitations).await, 0);

    rules.vetoes.store(false, Ordering::SeqCst);
    let mut admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap();
    admission.commit().await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
    rules.vetoes.store(true, Ordering::SeqCst);
    let again = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    assert!(again.is_replayed());
    again.commit().await.unwrap();
    let heard = rules.heard.lock().unwrap().clone();
    assert_eq!(heard, [(CommandKind::Create, 0), (CommandKind::Redeem, 1)], "once, after it");
}

pub(crate) async fn hook_hears_of_an_admission_after_its_commit_only<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let rules = Rules::new(host.pool());
    let invitations = host.invitations.clone().with_hooks(rules.clone());
    for name in ["dropped", "rolled back"] {
        let mut admission = invitations.admit(&code, &redeemer(name)).await.unwrap();
        add::<DB>(admission.tx(), name).await.unwrap();
        match name {
            "dropped" => drop(admission),
            _ => admission.rollback().await,
        }
    }
    assert_eq!(*rules.heard.lock().unwrap(), []);
    let mut admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap();
    assert_eq!(*rules.heard.lock().unwrap(), [], "not before the commit");
    admission.commit().await.unwrap();
    assert_eq!(*rules.heard.lock().unwrap(), [(CommandKind::Redeem, 1)]);
}

pub(crate) async fn veto_inside_a_host_transaction_is_recorded_afterwards<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (invitation, code) = create(&host.invitations).await;
    let rules = Rules::new(host.pool());
    let invitations = host.invitations.clone().with_hooks(rules.clone());
    rules.vetoes.store(true, Ordering::SeqCst);
    let mut tx = host.begin().await;
    let joined = invitations.on(host.invitations.store().join(&mut tx));
    let refused = joined.redeem(&code, &redeemer("anna")).await.unwrap_err();
    drop(joined);
    tx.rollback().await.unwrap();
    let Error::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.unrecorded()[0].reason, Some(Reason::Vetoed));
    invitations.record(&refused).await.unwrap();
    assert_eq!(trail(&invitations).await.last().unwrap().reason, Some(Reason::Vetoed));

    rules.vetoes.store(false, Ordering::SeqCst);
    let mut tx = host.begin().await;
    let joined = invitations.on(host.invitations.store().join(&mut tx));
    joined.redeem(&code, &redeemer("anna")).await.unwrap();
    drop(joined);
    tx.commit().await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
    assert_eq!(*rules.heard.lock().unwrap(), [], "the host commits, and knows of it");
    invitations.copy(&admin(), invitation.id()).await.unwrap();
    assert_eq!(*rules.heard.lock().unwrap(), [], "a copy is no such command");
}
