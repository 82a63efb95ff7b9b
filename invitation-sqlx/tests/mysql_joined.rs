//! The promises of `Joined`, on MariaDB.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use std::num::NonZeroU32;

use invitation_core::testing::DropAfter;
use invitation_core::{
    Action, Amendment, Cap, Clock, Criteria, Draft, Error, EventOutcome, Expiry, IdempotencyKey,
    IfVersion, Invitations, Limits, ManualClock, Paging, Purged, Refusal, Reserved, Status,
    StoreErrorKind, SystemClock,
};
use invitation_sqlx::{
    Joined, MySqlStore,
    sqlx::{self, AssertSqlSafe, MySql, MySqlPool, Transaction},
};
use support::{admin, create, manager, redeemer, trail, uses};
use time::Duration;

struct Host {
    invitations: Invitations<MySqlStore>,
    pool: MySqlPool,
}

impl Host {
    async fn new() -> Self {
        let url = invitation_testkit::MariaDb::shared().create_database();
        let pool = MySqlPool::connect(&url).await.unwrap();
        let store = MySqlStore::new(pool.clone());
        store.migrate().await.unwrap();
        let invitations = Invitations::new(store);
        let users = "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY) ENGINE = InnoDB";
        sqlx::raw_sql(users).execute(&pool).await.unwrap();
        Self { invitations, pool }
    }

    async fn begin(&self) -> Transaction<'static, MySql> {
        self.pool.begin().await.unwrap()
    }

    async fn users(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&self.pool).await.unwrap()
    }
}

async fn add_user(tx: &mut Transaction<'_, MySql>, name: &str) {
    try_to_add_user(tx, name).await.unwrap();
}

async fn try_to_add_user(tx: &mut Transaction<'_, MySql>, name: &str) -> sqlx::Result<()> {
    let add = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(name);
    add.execute(&mut **tx).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_commit_makes_both() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut tx = host.begin().await;
    let redeemed =
        host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await.unwrap();
    add_user(&mut tx, redeemed.username().as_str()).await;

    assert_eq!(uses(&host.invitations).await, 0, "nothing is committed behind the host's back");
    tx.commit().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (1, 1));
    let last = trail(&host.invitations).await.pop().unwrap();
    assert_eq!((last.action, last.outcome), (Action::Redeem, EventOutcome::Succeeded));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_rollback_undoes_both_and_leaves_no_success_on_record() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    let before = trail(&host.invitations).await;
    for way in ["rollback", "drop"] {
        let mut tx = host.begin().await;
        host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await.unwrap();
        add_user(&mut tx, "anna").await;
        if way == "rollback" {
            tx.rollback().await.unwrap();
        } else {
            drop(tx);
        }
        assert_eq!((uses(&host.invitations).await, host.users().await), (0, 0), "{way}");
        assert_eq!(trail(&host.invitations).await, before, "{way}");
    }
    // The code is as good as new, for anybody.
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_transaction_usable_and_hands_over_its_evidence() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let before = trail(&host.invitations).await;

    let mut tx = host.begin().await;
    add_user(&mut tx, "before").await;
    let refused = host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await;
    let Err(Error::Refused(refused)) = refused else { panic!("it is used") };
    assert_eq!(*refused.refusal(), Refusal::Used);
    assert_eq!(refused.unrecorded().len(), 1);
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();

    assert_eq!(host.users().await, 2);
    assert_eq!(trail(&host.invitations).await, before, "the evidence is still in our hands");
    for _ in 0..2 {
        host.invitations.record(&refused).await.unwrap();
    }
    let after = trail(&host.invitations).await;
    assert_eq!(after[before.len()..], *refused.unrecorded(), "recorded, and only once");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_a_transaction_nothing_is_handed_over() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let refused = host.invitations.redeem(&code, &redeemer("anna")).await;
    let Err(Error::Refused(refused)) = refused else { panic!("it is used") };
    assert!(refused.unrecorded().is_empty());
    let before = trail(&host.invitations).await;
    host.invitations.record(&refused).await.unwrap();
    assert_eq!(trail(&host.invitations).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_service_works_inside() {
    let host = Host::new().await;
    let mut tx = host.begin().await;
    {
        let inside = host.invitations.on(host.invitations.store().join(&mut tx));
        let uses = 3.try_into().unwrap();
        let created = inside.create(&admin(), staff().for_uses(uses)).await.unwrap();
        let (id, code) = (created.invitation().id, created.code().reveal());
        inside.redeem(&code, &redeemer("anna")).await.unwrap();
        assert!(inside.redeem(&code, &redeemer("anna")).await.unwrap().is_replayed());
        inside.redeem(&code, &redeemer("ben")).await.unwrap();
        let longer = Amendment::new().expiring(Expiry::InDays(30));
        inside.amend(&admin(), id, longer, IfVersion::Exactly(1)).await.unwrap();
        let rotated = inside.rotate(&admin(), id, IfVersion::Any).await.unwrap();
        let unknown = inside.redeem(&code, &redeemer("cleo")).await.unwrap_err();
        assert_eq!(unknown.refusal(), Some(&Refusal::CodeUnknown));
        inside.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
        inside.reinstate(&admin(), id, IfVersion::Any).await.unwrap();
        inside.copy(&admin(), id).await.unwrap();
        inside.redeem(&rotated.code().reveal(), &redeemer("cleo")).await.unwrap();
        assert_eq!(inside.get(&admin(), id).await.unwrap().status(), Status::Used);
        inside.delete(&admin(), id, IfVersion::Any).await.unwrap();
        inside.create_many(&admin(), vec![staff(); 3]).await.unwrap();
        let page = inside.list(&manager(), &Criteria::new(), Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), 3);
    }
    tx.commit().await.unwrap();
    let page = host.invitations.list(&manager(), &Criteria::new(), Paging::default()).await;
    assert_eq!(page.unwrap().items().len(), 3);
}

fn staff() -> Draft {
    Draft::new().with_role(invitation_core::Role::new("staff").unwrap())
}

/// A transaction of a host's, and the number by which the server knows its connection.
async fn known(host: &Host) -> (Transaction<'static, MySql>, u64) {
    let mut tx = host.begin().await;
    let id = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut *tx).await.unwrap();
    (tx, id)
}

/// Waits until the connection waits for a lock.
async fn until_waiting(host: &Host, connection: u64) {
    let sql = "SELECT COUNT(*) FROM information_schema.innodb_trx \
               WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = ?";
    let looks = async {
        loop {
            let found: i64 =
                sqlx::query_scalar(sql).bind(connection).fetch_one(&host.pool).await.unwrap();
            if found == 1 {
                break;
            }
            // The server looks anew only when nobody has asked for a tenth of a second.
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), looks).await.unwrap();
}

fn is_retryable_conflict(told: Result<invitation_core::Redeemed, Error>) -> bool {
    let Err(Error::Store(error)) = told else { panic!("somebody is in the way: {told:?}") };
    error.kind() == StoreErrorKind::Conflict && error.is_retryable()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_too_long_is_a_retryable_error_and_the_hosts_work_goes_on() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut other = host.begin().await;
    let change = "UPDATE invitation_codes SET version = version";
    sqlx::query(change).execute(&mut *other).await.unwrap();

    let mut tx = host.begin().await;
    sqlx::query("SET SESSION innodb_lock_wait_timeout = 1").execute(&mut *tx).await.unwrap();
    add_user(&mut tx, "before").await;
    let told = host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await;
    assert!(is_retryable_conflict(told));
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_a_retryable_error_and_nothing_of_the_transaction_is_kept() {
    for stubborn in [false, true] {
        let host = Host::new().await;
        let (_, code) = create(&host.invitations).await;
        let before = trail(&host.invitations).await;

        let mut tx = host.begin().await;
        add_user(&mut tx, "anna").await;
        // Another one holds the code, has done more, and now wants what the first holds.
        let (mut other, number) = known(&host).await;
        let change = "UPDATE invitation_codes SET version = version";
        sqlx::query(change).execute(&mut *other).await.unwrap();
        for n in 0..100 {
            add_user(&mut other, &format!("other-{n}")).await;
        }
        let wanting = tokio::spawn(async move {
            let told = try_to_add_user(&mut other, "anna").await;
            other.commit().await.unwrap();
            told
        });
        until_waiting(&host, number).await;

        let inside = host.invitations.on(Joined::new(&mut tx));
        assert!(is_retryable_conflict(inside.redeem(&code, &redeemer("anna")).await));
        wanting.await.unwrap().unwrap();
        if stubborn {
            // What a host does that does not look at errors.
            for name in ["one", "two", "three"] {
                try_to_add_user(&mut tx, name).await.unwrap_err();
            }
            let inside = host.invitations.on(Joined::new(&mut tx));
            inside.redeem(&code, &redeemer("anna")).await.unwrap_err();
            tx.commit().await.unwrap_err();
        } else {
            drop(tx);
        }
        assert_eq!(host.users().await, 101, "those of the other");
        assert_eq!(uses(&host.invitations).await, 0);
        assert_eq!(trail(&host.invitations).await, before);

        // The host repeats its whole transaction.
        let mut tx = host.begin().await;
        host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("ben")).await.unwrap();
        add_user(&mut tx, "ben").await;
        tx.commit().await.unwrap();
        assert_eq!((uses(&host.invitations).await, host.users().await), (1, 102));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_committed_meanwhile_is_seen_at_every_isolation_level() {
    let host = Host::new().await;
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let (_, code) = create(&host.invitations).await;
        let begin = format!("SET TRANSACTION ISOLATION LEVEL {level}; START TRANSACTION");
        let mut tx = host.pool.begin_with(AssertSqlSafe(begin)).await.unwrap();
        // It has looked, before somebody else redeems.
        sqlx::query("SELECT COUNT(*) FROM users").execute(&mut *tx).await.unwrap();
        host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
        let inside = host.invitations.on(Joined::new(&mut tx));
        let refused = inside.redeem(&code, &redeemer("anna")).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::Used), "{level}");
        assert!(inside.redeem(&code, &redeemer("ben")).await.unwrap().is_replayed(), "{level}");
        tx.rollback().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_keys_of_a_transaction_that_looked_before_are_those_of_now() {
    let host = Host::new().await;
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let invitations = host.invitations.clone().with_limits(limits);
    let key = IdempotencyKey::new("k-1").unwrap();
    let mut tx = host.begin().await;
    sqlx::query("SELECT COUNT(*) FROM users").execute(&mut *tx).await.unwrap();
    let made = invitations.create_once(&manager(), &key, Draft::new()).await.unwrap();

    let inside = invitations.on(Joined::new(&mut tx));
    let full = inside.create(&manager(), Draft::new()).await.unwrap_err();
    assert!(matches!(full.refusal(), Some(Refusal::QuotaExceeded { .. })), "{full:?}");
    let again = inside.create_once(&manager(), &key, Draft::new()).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!(again.invitation().id, made.invitation().id);
    tx.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_must_be_a_transaction_to_join() {
    let host = Host::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut conn = host.pool.acquire().await.unwrap();
    let inside = host.invitations.on(Joined::<MySql>::on_connection(&mut conn));
    let error = inside.redeem(&code, &redeemer("anna")).await;
    let Err(Error::Store(error)) = error else { panic!("there is none") };
    assert!(!error.is_retryable());
    assert_eq!(uses(&host.invitations).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_leaves_the_hosts_work_alone() {
    let host = Host::new().await;
    for polls in 0..40 {
        let (_, code) = create(&host.invitations).await;
        let mut tx = host.begin().await;
        add_user(&mut tx, &format!("user-{polls}")).await;
        let anna = redeemer("anna");
        let done = {
            let inside = host.invitations.on(Joined::new(&mut tx));
            DropAfter::new(inside.redeem(&code, &anna), polls).await.is_some()
        };
        // The transaction goes on, and the code can be redeemed in it.
        let inside = host.invitations.on(Joined::new(&mut tx));
        let redeemed = inside.redeem(&code, &anna).await.unwrap();
        // Without an answer it was made, or not; with one, it was.
        assert!(redeemed.is_replayed() || !done, "dropped after {polls} polls");
        tx.commit().await.unwrap();
        let expected = (u32::try_from(polls + 1).unwrap(), i64::try_from(polls + 1).unwrap());
        let made = (uses(&host.invitations).await, host.users().await);
        assert_eq!(made, expected, "dropped after {polls} polls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_creation_fails_the_next_statement_at_worst() {
    let host = Host::new().await;
    let mut users = 0;
    let mut failures = 0;
    for polls in 0..40 {
        // A new connection each time, to which all statements are new.
        let mut conn = host.pool.acquire().await.unwrap();
        conn.close_on_drop();
        let mut tx = sqlx::Connection::begin(&mut *conn).await.unwrap();
        try_to_add_user(&mut tx, &format!("before-{polls}")).await.unwrap();
        let done = {
            let inside = host.invitations.on(Joined::new(&mut tx));
            DropAfter::new(inside.create(&manager(), Draft::new()), polls).await.is_some()
        };
        // Not one of these waits without an end.
        let patience = std::time::Duration::from_secs(20);
        let rest = async {
            let next = try_to_add_user(&mut tx, &format!("next-{polls}")).await;
            assert!(next.is_ok() || !done, "{next:?}");
            failures += u32::from(next.is_err());
            try_to_add_user(&mut tx, &format!("after-{polls}")).await.unwrap();
            tx.commit().await.unwrap();
            users += if next.is_ok() { 3 } else { 2 };
        };
        tokio::time::timeout(patience, rest).await.unwrap();
        assert_eq!(host.users().await, users, "dropped after {polls} polls");
        let made = trail(&host.invitations).await.len();
        let all = Paging::first(200).unwrap();
        let page = host.invitations.list(&admin(), &Criteria::new(), all).await.unwrap();
        assert_eq!(page.items().len(), made, "dropped after {polls} polls");
    }
    assert!(failures > 0, "it was dropped while it prepared, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_quotas_reservations_and_purges_share_the_hosts_fate() {
    let host = Host::new().await;
    let clock = ManualClock::new(SystemClock.now());
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let invitations = host.invitations.clone().with_clock(clock.clone()).with_limits(limits);
    let (key, anna) = (IdempotencyKey::new("k-1").unwrap(), redeemer("anna"));
    let nothing = trail(&invitations).await;
    for commits in [false, true] {
        let mut tx = host.begin().await;
        let inside = invitations.on(Joined::new(&mut tx));
        let created = inside.create_once(&manager(), &key, Draft::new()).await.unwrap();
        assert!(!created.is_replayed(), "what was rolled back is not known");
        let again = inside.create_once(&manager(), &key, Draft::new()).await.unwrap();
        assert!(again.is_replayed());
        let full = inside.create(&manager(), Draft::new()).await.unwrap_err();
        assert!(matches!(full.refusal(), Some(Refusal::QuotaExceeded { .. })));
        let Reserved::Open(reservation) =
            inside.reserve(&again.code().reveal(), &anna).await.unwrap()
        else {
            panic!("nothing is redeemed")
        };
        inside.commit(reservation.id(), &anna).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(trail(&invitations).await, nothing, "no success is on record");
        }
    }
    assert_eq!(uses(&invitations).await, 1);
    assert_eq!(trail(&invitations).await.len(), nothing.len() + 3, "created, reserved, redeemed");

    clock.advance(Duration::days(3));
    let mut tx = host.begin().await;
    let age = Duration::days(2);
    let inside = invitations.on(Joined::new(&mut tx));
    let purged = inside.purge(&admin(), age, NonZeroU32::MIN).await.unwrap();
    assert_eq!(purged, Purged { removed: 1, more: true });
    let empty = inside.purge(&admin(), age, NonZeroU32::MIN).await.unwrap();
    assert_eq!(empty, Purged { removed: 0, more: false });
    tx.rollback().await.unwrap();
    assert_eq!(uses(&invitations).await, 1, "it is still there");
}
