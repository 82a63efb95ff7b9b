//! On MariaDB: also calls that are dropped at any moment, and wires that break between any
//! two messages.

use std::{str::FromStr, time::Duration};

use invitation_core::{Error, Invitations, StoreErrorKind};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{
        self, MySql, MySqlPool,
        mysql::{MySqlConnectOptions, MySqlPoolOptions},
    },
};
use invitation_testkit::DropAfter;
use invitation_testkit::{MariaDb, Proxy};

use crate::{
    promises::{Failing, promises},
    support::{create, redeemer, redemptions_on_record, uses},
};

promises!(MySql);

impl Failing for MySql {
    const FILL: &'static str = "CREATE TRIGGER no_room BEFORE INSERT ON invitation_events \
         FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no room for evidence'";
    const CLEAR: &'static str = "DROP TRIGGER no_room";
}

/// A pool of one connection.
async fn one(options: MySqlConnectOptions) -> MySqlPool {
    let pool = MySqlPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10));
    pool.connect_with(options).await.unwrap()
}

/// Waits until no transaction holds a code any more, no longer than the server's patience: here
/// ten seconds.
async fn until_nothing_is_held(others: &MySqlPool) {
    let mut conn = others.acquire().await.unwrap();
    let patience = "SET SESSION innodb_lock_wait_timeout = 10";
    sqlx::raw_sql(patience).execute(&mut *conn).await.unwrap();
    let all = sqlx::raw_sql("SELECT id FROM invitation_codes FOR UPDATE");
    all.fetch_all(&mut *conn).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_call_leaves_nothing_on_the_connection() {
    let options = MySqlConnectOptions::from_str(&MariaDb::shared().create_database()).unwrap();
    let others = MySqlPool::connect_with(options.clone()).await.unwrap();
    let store = MySqlStore::new(one(options).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let mut made = 0;
    for polls in 0..80 {
        let (_, code) = create(&invitations).await;
        if polls % 2 == 0 {
            // To a new connection each statement is new: dropped while it is prepared, too.
            invitations.store().pool().acquire().await.unwrap().close_on_drop();
        }
        let polls = polls / 2;
        let anna = redeemer("anna");
        let done = DropAfter::new(invitations.redeem(&code, &anna), polls).await;
        until_nothing_is_held(&others).await;
        let again = invitations.redeem(&code, &anna).await.unwrap();
        made += 1;
        assert!(again.is_replayed() || done.is_none(), "dropped after {polls} polls");
        assert_eq!(uses(&invitations).await, made, "dropped after {polls} polls");
    }
    let on_record = redemptions_on_record(&invitations).await;
    assert_eq!(on_record, usize::try_from(made).unwrap());
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    Request,
    Answer,
}

#[tokio::test(flavor = "multi_thread")]
async fn redeem_survives_a_connection_lost_at_any_byte() {
    for lost in [Lost::Request, Lost::Answer] {
        let options = MySqlConnectOptions::from_str(&MariaDb::shared().create_database()).unwrap();
        let proxy = Proxy::to(options.get_port()).unwrap();
        let sound = MySqlStore::new(one(options.clone()).await);
        sound.migrate().await.unwrap();
        let sound = Invitations::new(sound);
        let broken = Invitations::new(MySqlStore::new(one(options.port(proxy.port())).await));
        let (_, first) = create(&sound).await;
        broken.redeem(&first, &redeemer("first")).await.unwrap();
        let mut made = 1;
        for passing in 0.. {
            assert!(passing < 60, "a redeem is not that long");
            let (_, code) = create(&sound).await;
            let anna = redeemer(&format!("anna-{passing}"));
            match lost {
                Lost::Request => proxy.lose_request_after(passing),
                Lost::Answer => proxy.lose_answer_after(passing),
            }
            let told = broken.redeem(&code, &anna).await;
            let lost_nothing = proxy.stop_faults();
            // The person tries again, as one does.
            let again = broken.redeem(&code, &anna).await.unwrap();
            made += 1;
            match &told {
                Ok(_) => assert!(again.is_replayed(), "{lost:?} {passing}: it was made"),
                Err(Error::Store(error)) => match error.kind() {
                    StoreErrorKind::Unavailable => {
                        assert!(!again.is_replayed(), "{lost:?} {passing}: nothing was done");
                    }
                    StoreErrorKind::OutcomeUnknown => {}
                    other => panic!("{lost:?} {passing}: a broken wire is not {other:?}"),
                },
                Err(other) => panic!("{lost:?} {passing}: a broken wire is no refusal: {other:?}"),
            }
            assert_eq!(uses(&sound).await, made, "{lost:?} {passing}: one use");
            let on_record = redemptions_on_record(&sound).await;
            assert_eq!(on_record, usize::try_from(made).unwrap(), "{lost:?} {passing}: one event");
            if lost_nothing {
                told.unwrap();
                break;
            }
        }
    }
}
