//! Tests of the guard that hold on every database.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use invitation_core::{
    Action, Error, EventOutcome, Invitations, Redeemed, Redeemer, Refusal, StoreErrorKind,
    admit::{Admission, Register},
    code::OsEntropy,
    throttle::GuessThrottle,
};
use invitation_sqlx::{
    SqlStore, SqlTransaction, TablePrefix,
    sqlx::{self, QueryBuilder},
};
use invitation_testkit::DropAfter;

use crate::support::{
    create,
    host::{Host, Kind, number, run, unsynced_pool},
    redeemer, redemptions_on_record, trail, uses,
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, promises:
            commit_keeps_account_and_redemption
            guard_that_is_dropped_or_rolled_back_undoes_both
            panicking_host_leaves_neither_and_the_pool_usable
            refusal_has_rolled_back_and_is_recorded
            typing_mistake_begins_no_transaction
            repeated_registration_is_a_replay
            failed_account_leaves_the_code_usable
            host_dropped_at_any_await_leaves_both_or_neither
            conflict_is_repeated_and_other_failures_are_not
            store_with_a_prefix_admits_into_its_own_tables
            registration_can_be_spawned
            one_code_admits_one_of_many
            throttle_needs_no_connection_beside_the_transaction
        );
    };
}

pub(crate) use promises;

pub(crate) async fn add<DB: Kind>(conn: &mut DB::Connection, name: &str) -> sqlx::Result<()> {
    let mut add = QueryBuilder::<DB>::new("INSERT INTO users (name) VALUES (");
    add.push_bind(DB::Text::from(name.to_owned())).push(")");
    add.build().execute(DB::exec(conn)).await.map(|_| ())
}

/// The host's handler for a registration.
async fn register<DB: Kind>(
    invitations: &Invitations<SqlStore<DB>>,
    code: &str,
    who: &Redeemer,
) -> Result<Redeemed, Error> {
    let mut admission = invitations.admit(code, who).await?;
    if !admission.is_replayed() {
        add::<DB>(admission.tx(), who.username().as_str()).await.unwrap();
    }
    admission.commit().await
}

pub(crate) async fn kept<DB: Kind>(host: &Host<DB>) -> (i64, u32, usize) {
    let recorded = redemptions_on_record(&host.invitations).await;
    (host.users().await, uses(&host.invitations).await, recorded)
}

pub(crate) async fn commit_keeps_account_and_redemption<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let anna = redeemer("anna");
    let mut admission = host.invitations.admit(&code, &anna).await.unwrap();
    assert!(!admission.is_replayed());
    assert_eq!(admission.redeemed().role().as_str(), "staff");
    add::<DB>(admission.tx(), "anna").await.unwrap();
    let redeemed = admission.commit().await.unwrap();
    assert_eq!(redeemed.username().as_str(), "anna");
    assert_eq!(kept(&host).await, (1, 1, 1));
    // The connection works on, and commits by itself again.
    run(host.pool(), "INSERT INTO users (name) VALUES ('later')").await;
    for _ in 0..4 {
        assert_eq!(host.users().await, 2);
    }
}

pub(crate) async fn guard_that_is_dropped_or_rolled_back_undoes_both<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    for way in ["rollback", "drop"] {
        let mut admission = host.invitations.admit(&code, &redeemer("anna")).await.unwrap();
        add::<DB>(admission.tx(), "anna").await.unwrap();
        if way == "rollback" {
            admission.rollback().await;
        } else {
            drop(admission);
        }
        assert_eq!(kept(&host).await, (0, 0, 0), "{way}");
    }
    register(&host.invitations, &code, &redeemer("ben")).await.unwrap();
    assert_eq!(kept(&host).await, (1, 1, 1));
}

pub(crate) async fn panicking_host_leaves_neither_and_the_pool_usable<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let (invitations, secret) = (host.invitations.clone(), code.clone());
    let panicked = tokio::spawn(async move {
        let mut admission = invitations.admit(&secret, &redeemer("anna")).await.unwrap();
        add::<DB>(admission.tx(), "anna").await.unwrap();
        panic!("a fault of the host");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(kept(&host).await, (0, 0, 0));
    register(&host.invitations, &code, &redeemer("anna")).await.unwrap();
    assert_eq!(kept(&host).await, (1, 1, 1));
}

pub(crate) async fn refusal_has_rolled_back_and_is_recorded<DB: Kind>() {
    let database = DB::empty();
    // The refusal is recorded after the transaction has given its connection back.
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let before = trail(&invitations).await.len();

    let refused = invitations.admit(&code, &redeemer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Used));
    let after = trail(&invitations).await;
    assert_eq!(after.len(), before + 1, "one event");
    let last = after.last().unwrap();
    assert_eq!((last.action, last.outcome), (Action::Redeem, EventOutcome::Refused));
    let Error::Refused(refused) = refused else { panic!("a refusal") };
    invitations.record(&refused).await.unwrap();
    assert_eq!(trail(&invitations).await.len(), before + 1, "recorded once");
}

pub(crate) async fn typing_mistake_begins_no_transaction<DB: Kind>() {
    let host = Host::<DB>::new().await;
    host.pool().close().await;
    let mistyped = host.invitations.admit("no code", &redeemer("anna")).await;
    assert!(matches!(mistyped, Err(Error::ParseCode(_))), "{mistyped:?}");
    let (_, code) = create(&Invitations::new(invitation_core::MemoryStore::new())).await;
    let closed = host.invitations.admit(&code, &redeemer("anna")).await;
    let Err(Error::Store(error)) = closed else { panic!("{closed:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

pub(crate) async fn repeated_registration_is_a_replay<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let first = register(&host.invitations, &code, &redeemer("anna")).await.unwrap();
    let again = register(&host.invitations, &code, &redeemer("anna")).await.unwrap();
    assert!(again.is_replayed() && again.redemption() == first.redemption());
    assert_eq!(kept(&host).await, (1, 1, 1));
}

pub(crate) async fn failed_account_leaves_the_code_usable<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    run(host.pool(), "INSERT INTO users (name) VALUES ('anna')").await;
    let mut admission = host.invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap_err();
    drop(admission);
    assert_eq!(kept(&host).await, (1, 0, 0));
    register(&host.invitations, &code, &redeemer("ben")).await.unwrap();
    assert_eq!(kept(&host).await, (2, 1, 1));
}

/// Registers after a statement of the host has failed, whose error the host ignores. Returns
/// whether the commit succeeded, the number of new users and the uses.
#[cfg(feature = "postgres")]
pub(crate) async fn after_an_ignored_failure<DB: Kind>() -> (bool, i64, u32) {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    run(host.pool(), "INSERT INTO users (name) VALUES ('anna')").await;
    let mut admission = host.invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap_err();
    let committed = admission.commit().await;
    if let Err(error) = &committed {
        let Error::Store(error) = error else { panic!("{error}") };
        assert!(error.transaction_ended());
    }
    (committed.is_ok(), host.users().await - 1, uses(&host.invitations).await)
}

pub(crate) async fn host_dropped_at_any_await_leaves_both_or_neither<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (mut dropped, mut registered) = (0, 0);
    for polls in 0..16 {
        let (_, code) = create(&host.invitations).await;
        let who = redeemer(&format!("anna{polls}"));
        let call = register(&host.invitations, &code, &who);
        let finished = DropAfter::new(call, polls).await.is_some();
        // A second registration finds out what became of the first one.
        let again = register(&host.invitations, &code, &who).await.unwrap();
        assert!(!finished || again.is_replayed(), "after {polls} polls");
        registered += 1;
        let number = usize::try_from(registered).unwrap();
        let expected = (i64::from(registered), registered, number);
        assert_eq!(kept(&host).await, expected, "after {polls} polls");
        dropped += u32::from(!finished);
    }
    assert!(dropped > 1, "a registration waits several times");
}

/// A host whose first attempts fail.
struct Failing {
    attempts: AtomicU32,
    failures: u32,
    is_conflict: bool,
}

#[derive(Debug)]
enum Failed {
    Library(Error),
    Host,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

#[async_trait]
impl<C: Send> Register<C> for Failing {
    type Account = bool;
    type Error = Failed;

    async fn register(&self, _: &mut C, redeemed: &Redeemed) -> Result<bool, Failed> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        if attempt < self.failures { Err(Failed::Host) } else { Ok(redeemed.is_replayed()) }
    }

    fn is_conflict(&self, error: &Failed) -> bool {
        matches!(error, Failed::Host) && self.is_conflict
    }
}

pub(crate) async fn conflict_is_repeated_and_other_failures_are_not<DB: Kind>() {
    let host = Host::<DB>::new().await;
    for (failures, is_conflict, expected) in [(0, true, 1), (3, true, 4), (3, false, 1)] {
        let (_, code) = create(&host.invitations).await;
        let failing = Failing { attempts: AtomicU32::new(0), failures, is_conflict };
        let answer = host.invitations.admit_with(&code, &redeemer("anna"), &failing).await;
        assert_eq!(failing.attempts.load(Ordering::SeqCst), expected, "{failures} failures");
        assert_eq!(answer.is_ok(), is_conflict || failures == 0, "{answer:?}");
        assert!(!answer.unwrap_or_default(), "a first redemption");
    }
    assert_eq!(redemptions_on_record(&host.invitations).await, 2);
    // The attempts are bounded.
    let (_, code) = create(&host.invitations).await;
    let failing = Failing { attempts: AtomicU32::new(0), failures: u32::MAX, is_conflict: true };
    let answer = host.invitations.admit_with(&code, &redeemer("anna"), &failing).await;
    assert!(matches!(answer, Err(Failed::Host)), "{answer:?}");
    assert!((2..=7).contains(&failing.attempts.load(Ordering::SeqCst)));
    // A refusal is not repeated.
    let failing = Failing { attempts: AtomicU32::new(0), failures: 0, is_conflict: true };
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let answer = host.invitations.admit_with(&code, &redeemer("anna"), &failing).await;
    assert!(matches!(answer, Err(Failed::Library(Error::Refused(_)))), "{answer:?}");
}

pub(crate) async fn store_with_a_prefix_admits_into_its_own_tables<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let prefix = TablePrefix::new("hr_").unwrap();
    let store = SqlStore::new(host.pool().clone()).with_prefix(prefix);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let (_, code) = create(&invitations).await;
    register(&invitations, &code, &redeemer("anna")).await.unwrap();
    assert_eq!(number(host.pool(), "SELECT COUNT(*) FROM hr_events").await, 2);
    assert_eq!(kept(&host).await, (1, 0, 0));
}

/// The futures are `Send`, as a handler of axum and a spawned task require.
pub(crate) async fn registration_can_be_spawned<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let invitations = host.invitations.clone();
    tokio::spawn(async move {
        let admission: Admission<SqlTransaction<DB>> =
            invitations.admit(&code, &redeemer("anna")).await.unwrap();
        tokio::spawn(async move { admission.commit().await.unwrap() }).await.unwrap();
        let failing = Failing { attempts: AtomicU32::new(0), failures: 0, is_conflict: true };
        let answer = invitations.admit_with(&code, &redeemer("anna"), &failing).await;
        assert!(answer.unwrap(), "a replay");
    })
    .await
    .unwrap();
}

pub(crate) async fn one_code_admits_one_of_many<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (invitations, code) = (host.invitations.clone(), code.clone());
            tokio::spawn(async move {
                register(&invitations, &code, &redeemer(&format!("anna{n}"))).await
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => admitted += 1,
            Err(error) => assert_eq!(error.refusal(), Some(&Refusal::Used), "{error}"),
        }
    }
    assert_eq!(admitted, 1);
    assert_eq!(kept(&host).await, (1, 1, 1));
}

/// With a pool of one connection, a call for tokens beside an open transaction would wait in vain.
pub(crate) async fn throttle_needs_no_connection_beside_the_transaction<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let store = SqlStore::<DB>::new(unsynced_pool(host.url(), 1).await);
    let throttle = GuessThrottle::shared(store.clone());
    let invitations = Invitations::new(store.clone()).with_throttle(throttle);
    let (_, code) = create(&invitations).await;
    let guess = || invitations.code_format().generate(&OsEntropy).unwrap().reveal().to_string();
    let calls = async {
        // More failures than a block has tokens, so that the throttle takes a further block.
        for _ in 0..12 {
            let refused = invitations.admit(&guess(), &redeemer("eve")).await.unwrap_err();
            assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown));
        }
        let mut tx = DB::begin(store.pool()).await;
        let joined = invitations.on(store.join(&mut tx));
        let refused = joined.redeem(&guess(), &redeemer("eve")).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown));
        drop(joined);
        tx.rollback().await.unwrap();
        register(&invitations, &code, &redeemer("anna")).await.unwrap();
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), calls).await.expect("no call waits");
    let taken = "SELECT COUNT(*) FROM invitation_budgets";
    assert!(number(host.pool(), taken).await > 0, "failures are shared");
}
