//! A deadlock of two registrations on PostgreSQL, which finds it only after a second.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use invitation_core::{Error, Redeemed, admit::Register};
use invitation_sqlx::{
    is_conflict,
    sqlx::{self, PgConnection, Postgres},
};
use tokio::sync::Barrier;

use crate::support::{create, host::Host, host::run, redeemer, uses};

/// A host that changes two rows in this order.
struct Crossing<'t> {
    rows: [&'static str; 2],
    /// Where both hosts meet in their first attempt, when each has changed one row.
    halfway: &'t Barrier,
    attempts: AtomicU32,
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when the test fails")]
enum Failed {
    Library(Error),
    Host(sqlx::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

#[async_trait]
impl Register<PgConnection> for Crossing<'_> {
    type Account = ();
    type Error = Failed;

    async fn register(&self, tx: &mut PgConnection, _: &Redeemed) -> Result<(), Failed> {
        let is_first = self.attempts.fetch_add(1, Ordering::SeqCst) == 0;
        for (n, name) in self.rows.into_iter().enumerate() {
            let change = sqlx::query("UPDATE users SET name = name WHERE name = $1").bind(name);
            change.execute(&mut *tx).await.map_err(Failed::Host)?;
            if is_first && n == 0 {
                self.halfway.wait().await;
            }
        }
        Ok(())
    }

    fn is_conflict(&self, error: &Failed) -> bool {
        matches!(error, Failed::Host(error) if is_conflict::<Postgres>(error))
    }
}

/// The server runs with its default `deadlock_timeout` of 1 s.
#[tokio::test(flavor = "multi_thread")]
async fn registration_is_repeated_after_a_deadlock() {
    let host = Host::<Postgres>::new().await;
    run(host.pool(), "INSERT INTO users (name) VALUES ('a'), ('b')").await;
    let halfway = Barrier::new(2);
    let crossing = |rows| Crossing { rows, halfway: &halfway, attempts: AtomicU32::new(0) };
    let (one, other) = (crossing(["a", "b"]), crossing(["b", "a"]));
    let ((_, first), (_, second)) =
        (create(&host.invitations).await, create(&host.invitations).await);
    let (anna, ben) = (redeemer("anna"), redeemer("ben"));
    let (anna, ben) = tokio::join!(
        host.invitations.admit_with(&first, &anna, &one),
        host.invitations.admit_with(&second, &ben, &other),
    );
    anna.unwrap();
    ben.unwrap();
    let attempts = [&one, &other].map(|host| host.attempts.load(Ordering::SeqCst));
    assert_eq!(attempts.iter().sum::<u32>(), 3, "one of the two was repeated: {attempts:?}");
    assert_eq!(uses(&host.invitations).await, 2);
}
