//! A server whose writes fail: nothing acknowledged is lost, no code is half-redeemed, and the
//! store serves again on the same pool when writes succeed again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(target_os = "linux", feature = "mysql"))]

mod support;

use std::{io, time::Duration};

use invitation_core::{Draft, Error, Invitations, Metadata, Role};
use invitation_sqlx::{
    Joined, SqlStore,
    sqlx::{MySql, Pool, pool::PoolOptions},
};
use invitation_testkit::MariaDb;
use support::{
    admin,
    host::{Kind, number, run, try_to_add_user},
    redeemer,
};
use tokio::time::{sleep, timeout};

/// How long anything may take before the test is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many calls fail while nothing can be written.
const FAILURES: usize = 20;

/// Metadata that make a row long, so that a file soon has to grow.
fn draft() -> Draft {
    let long = format!("{{\"note\": \"{}\"}}", "x".repeat(3_500));
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .with_metadata(Metadata::from_json(&long).unwrap())
}

/// Creates a code and redeems it with an account, in a transaction of the host's if `n` is
/// even. Returns the code and the person, if all of that was acknowledged.
async fn redeem_new<DB: Kind>(
    invitations: &Invitations<SqlStore<DB>>,
    n: usize,
) -> Result<(String, String), Option<Error>> {
    let created = invitations.create(&admin(), draft()).await.map_err(Some)?;
    let code = created.code().reveal().to_string();
    let is_joined = n.is_multiple_of(2);
    let person = format!("{}-{n}", if is_joined { "host" } else { "own" });
    let who = redeemer(&person);
    if is_joined {
        let begun = DB::try_to_begin(invitations.store().pool()).await;
        let mut tx = begun.map_err(|_| None)?;
        try_to_add_user(&mut tx, &person).await.map_err(|_| None)?;
        invitations.on(Joined::new(&mut tx)).redeem(&code, &who).await.map_err(Some)?;
        tx.commit().await.map_err(|_| None)?;
    } else {
        invitations.redeem(&code, &who).await.map_err(Some)?;
    }
    Ok((code, person))
}

/// What is redeemed has its evidence and its account, one to one.
async fn is_consistent<DB: Kind>(pool: &Pool<DB>) {
    let counted = async |sql: &str| number(pool, sql).await;
    let used = counted("SELECT COUNT(*) FROM invitation_codes WHERE uses = 1").await;
    let events = "SELECT COUNT(*) FROM invitation_events WHERE action = 'redeem' \
                  AND reason IS NULL AND outcome = 'succeeded'";
    assert_eq!(used, counted(events).await);
    let hosts = "SELECT COUNT(*) FROM invitation_codes WHERE used_name LIKE 'host-%'";
    assert_eq!(counted(hosts).await, counted("SELECT COUNT(*) FROM users").await);
}

async fn survives<DB: Kind>(url: &str, limit: impl Fn(Option<u64>) -> io::Result<()>) {
    let options = PoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(10));
    let pool: Pool<DB> = options.connect(url).await.unwrap();
    let store = SqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    run(&pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
    let invitations = Invitations::new(store);
    let mut told = Vec::new();
    for n in 0..10 {
        told.push(redeem_new(&invitations, n).await.unwrap());
    }
    limit(Some(1)).unwrap();
    let mut failures = 0;
    let failing = async {
        for n in 10.. {
            match redeem_new(&invitations, n).await {
                Ok(redeemed) => told.push(redeemed),
                Err(error) => {
                    failures += 1;
                    if let Some(error) = error {
                        assert!(matches!(error, Error::Store(_)), "no refusal: {error:?}");
                    }
                }
            }
            if failures == FAILURES {
                break;
            }
        }
    };
    timeout(PATIENCE, failing).await.expect("writes fail");
    limit(None).unwrap();
    // The server may recover first.
    let recovering = async {
        while redeem_new(&invitations, 1_000_001).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, recovering).await.expect("it serves again");
    for n in 0..10 {
        told.push(redeem_new(&invitations, 2_000_000 + n).await.unwrap());
    }
    for (code, person) in &told {
        let again = invitations.redeem(code, &redeemer(person)).await.unwrap();
        assert!(again.is_replayed(), "{person}");
    }
    is_consistent(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mariadb_server_whose_writes_fail_loses_nothing() {
    let server = MariaDb::start().unwrap();
    survives::<MySql>(&server.create_database(), |bytes| server.limit_files(bytes)).await;
}
