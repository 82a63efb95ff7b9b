//! A service whose calls are queued until they form a batch, on any database that batches.

use std::num::NonZeroU32;

use invitation_core::{
    Criteria, Draft, Email, Error, Invitation, InvitationId, Invitations, Paging, Redeemed,
    Redeemer, Refusal, Role, VerifiedEmail,
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{
        self, Pool, Row,
        pool::{PoolConnection, PoolOptions},
    },
};
use tokio::task::{JoinHandle, yield_now};

use crate::support::{
    admin,
    host::{Empty, Kind},
    redeemer,
};

/// A database that counts transactions.
pub(crate) trait Counted: Kind {
    /// Whether the count only includes transactions that redeemed a code.
    const OF_REDEMPTIONS: bool;

    fn transactions(conn: &mut Self::Connection) -> impl Future<Output = i64> + Send;
}

#[cfg(feature = "postgres")]
impl Counted for sqlx::Postgres {
    const OF_REDEMPTIONS: bool = true;

    async fn transactions(conn: &mut Self::Connection) -> i64 {
        let sql = "SELECT COUNT(DISTINCT xmin::text) FROM invitation_events \
                   WHERE action = 'redeem' AND reason IS NULL";
        sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
    }
}

#[cfg(feature = "mysql")]
impl Counted for sqlx::MySql {
    const OF_REDEMPTIONS: bool = false;

    async fn transactions(conn: &mut Self::Connection) -> i64 {
        let row = sqlx::raw_sql("SHOW SESSION STATUS LIKE 'Com_commit'").fetch_one(conn).await;
        row.unwrap().get::<String, _>(1).parse().unwrap()
    }
}

#[cfg(feature = "sqlite")]
impl Counted for sqlx::Sqlite {
    const OF_REDEMPTIONS: bool = false;

    /// Reads the file change counter, which each write transaction increments if the database has
    /// no write-ahead log: <https://www.sqlite.org/fileformat2.html#file_change_counter>.
    async fn transactions(conn: &mut Self::Connection) -> i64 {
        let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let file: String = sqlx::query_scalar(sql).fetch_one(conn).await.unwrap();
        let header = std::fs::read(file).unwrap();
        u32::from_be_bytes(header[24..28].try_into().unwrap()).into()
    }
}

/// A service with one slot and one connection: while a test holds the connection, calls
/// queue up.
pub(crate) struct Harness<DB: Kind> {
    pub(crate) invitations: Invitations<SqlStore<DB>>,
    pub(crate) pool: Pool<DB>,
    _database: Option<Empty>,
}

pub(crate) type Redeeming = JoinHandle<Result<Redeemed, Error>>;

impl<DB: Counted> Harness<DB> {
    pub(crate) async fn new() -> Self {
        let database = DB::empty();
        let pool = PoolOptions::<DB>::new().max_connections(1).connect(&database.url).await;
        Self { _database: Some(database), ..Self::on(pool.unwrap()).await }
    }

    pub(crate) async fn on(pool: Pool<DB>) -> Self {
        let store = SqlStore::new(pool.clone()).with_batch_slots(1.try_into().unwrap());
        store.migrate().await.unwrap();
        Self { invitations: Invitations::new(store), pool, _database: None }
    }

    pub(crate) async fn create(&self, draft: Draft) -> (InvitationId, String) {
        let draft = draft.with_role(Role::new("staff").unwrap());
        let created = self.invitations.create(&admin(), draft).await.unwrap();
        (created.invitation().id(), created.code().reveal().to_string())
    }

    pub(crate) async fn code(&self, draft: Draft) -> String {
        self.create(draft).await.1
    }

    /// Acquires all connections of the pool.
    pub(crate) async fn hold(&self) -> Vec<PoolConnection<DB>> {
        let mut held = Vec::new();
        for _ in 0..self.pool.options().get_max_connections() {
            held.push(self.pool.acquire().await.unwrap());
        }
        held
    }

    pub(crate) fn redeem(&self, code: &str, redeemer: Redeemer) -> Redeeming {
        let (invitations, code) = (self.invitations.clone(), code.to_owned());
        tokio::spawn(async move { invitations.redeem(&code, &redeemer).await })
    }

    /// Redeems all codes with calls that are queued first.
    pub(crate) async fn redeem_concurrently(
        &self,
        calls: Vec<(&str, Redeemer)>,
    ) -> Vec<Result<Redeemed, Error>> {
        let held = self.hold().await;
        let calls: Vec<_> = calls.into_iter().map(|(code, who)| self.redeem(code, who)).collect();
        // The runtime has one thread, so all calls are queued by now.
        yield_now().await;
        drop(held);
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        answers
    }

    /// Returns how many transactions wrote something on the one connection.
    pub(crate) async fn transactions(&self) -> i64 {
        let mut conn = self.pool.acquire().await.unwrap();
        DB::transactions(&mut conn).await
    }

    pub(crate) async fn all(&self) -> Vec<Invitation> {
        let page = Paging::first(200).unwrap();
        let page = self.invitations.list(&admin(), &Criteria::new(), page).await.unwrap();
        page.items().iter().map(|view| view.invitation().clone()).collect()
    }

    pub(crate) async fn found(&self, word: &str) -> usize {
        let criteria = Criteria::new().matching(word);
        let page = self.invitations.list(&admin(), &criteria, Paging::first(200).unwrap()).await;
        page.unwrap().items().len()
    }
}

pub(crate) fn for_uses(uses: u32) -> Draft {
    Draft::new().for_uses(NonZeroU32::new(uses).unwrap())
}

pub(crate) fn address(n: usize) -> Email {
    Email::parse(&format!("Person{n}@Example.com")).unwrap()
}

pub(crate) fn for_address(n: usize) -> Draft {
    Draft::new().for_email(address(n))
}

/// Returns a person with proof of a possibly different person's address.
pub(crate) fn proved(n: usize, whose: usize) -> Redeemer {
    let address = Email::parse(&format!("person{whose}@example.com")).unwrap();
    person(n).with_email(VerifiedEmail::vouched_by_host(address))
}

pub(crate) fn refusal(told: &Result<Redeemed, Error>) -> Refusal {
    told.as_ref().unwrap_err().refusal().unwrap().clone()
}

pub(crate) fn person(n: usize) -> Redeemer {
    redeemer(&format!("person{n:03}"))
}
