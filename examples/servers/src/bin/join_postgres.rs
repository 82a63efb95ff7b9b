//! On PostgreSQL: the user's row and the redemption commit together at the strictest
//! isolation level. The host repeats its transaction when concurrent work conflicts with
//! it.
//!
//! ```text
//! cargo run -p server-examples --bin join_postgres
//! ```
//!
//! Starts its own PostgreSQL from the system's programs, or uses the server of
//! `DATABASE_URL`, in tables named `demo_…`.

use std::{
    env::{self, VarError},
    error::Error as StdError,
};

use invitation::{
    Actor, Division, Draft, Error, Invitations, PgStore, Redeemer, Role, StoreErrorKind, UserId,
    Username,
    sql::{
        self, TablePrefix,
        sqlx::{self, PgPool, postgres::PgPoolOptions},
    },
};
use invitation_testkit::Postgres;

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// The maximum number of tries of a registration. Of transactions that conflict, at least
/// one succeeds each time.
const TRIES: u32 = 50;

#[tokio::main]
async fn main() -> Result {
    let url = match env::var("DATABASE_URL") {
        Ok(url) => url,
        Err(VarError::NotPresent) => Postgres::shared().create_database(),
        Err(error) => return Err(error.into()),
    };
    let pool = PgPoolOptions::new().max_connections(8).connect(&url).await?;
    let store = PgStore::new(pool.clone()).with_prefix(TablePrefix::new("demo_")?);
    store.migrate().await?;
    // The host's own table, in the same database.
    let table = "DROP TABLE IF EXISTS demo_users; \
                 CREATE TABLE demo_users (name TEXT PRIMARY KEY, role TEXT NOT NULL)";
    sqlx::raw_sql(table).execute(&pool).await?;

    let invitations = Invitations::new(store);
    let admin = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?)
        .based_in(Division::new("sales")?);
    let draft = Draft::new().with_role(Role::new("staff")?).for_uses(3.try_into()?);
    let created = invitations.create(&admin, draft).await?;
    let code = created.code().reveal().to_string();

    println!("twelve people register at the same moment, with a code for three");
    let mut registrations = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (invitations, pool, code) = (invitations.clone(), pool.clone(), code.clone());
        registrations.spawn(async move { register(&invitations, &pool, &code, n).await });
    }
    let mut refused = 0;
    for answer in registrations.join_all().await {
        if let Registered::Refused = answer? {
            refused += 1;
        }
    }

    let accounts: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM demo_users").fetch_one(&pool).await?;
    let uses = invitations.get(&admin, created.invitation().id()).await?.invitation().uses();
    println!("accounts: {accounts}  redemptions: {uses}  refused: {refused}");
    assert_eq!((accounts, uses, refused), (3, 3, 9), "never twice, never for nobody");
    Ok(())
}

enum Registered {
    Done,
    Refused,
}

/// The host's handler for *Register*.
async fn register(
    invitations: &Invitations<PgStore>,
    pool: &PgPool,
    code: &str,
    n: u32,
) -> Result<Registered> {
    let name = format!("newcomer-{n}");
    let newcomer = Redeemer::new(UserId::new(&name)?, Username::new(&name)?);
    for _ in 0..TRIES {
        match try_to_register(invitations, pool, code, &newcomer).await {
            // A conflict requires repeating the whole transaction, never a part of it.
            Err(error) if is_conflict(&*error) => {}
            Err(error) => {
                let Some(Error::Refused(refused)) = error.downcast_ref() else { return Err(error) };
                // The event could not be kept in the transaction, which is rolled back. The
                // error carries it.
                invitations.record(refused).await?;
                println!("{name} is refused: {}", refused.refusal());
                return Ok(Registered::Refused);
            }
            Ok(()) => {
                println!("{name} is in");
                return Ok(Registered::Done);
            }
        }
    }
    Err("others were in the way all the time; please try again".into())
}

async fn try_to_register(
    invitations: &Invitations<PgStore>,
    pool: &PgPool,
    code: &str,
    newcomer: &Redeemer,
) -> Result {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
    // The service on the same tables, inside the host's transaction.
    let inside = invitations.on(invitations.store().join(&mut tx));
    let redeemed = inside.redeem(code, newcomer).await?;
    sqlx::query("INSERT INTO demo_users (name, role) VALUES ($1, $2)")
        .bind(redeemed.username().as_str())
        .bind(redeemed.role().as_str())
        .execute(&mut *tx)
        .await?; // on an error the transaction is dropped, and all of it undone
    tx.commit().await?; // the account and the redemption, or neither
    Ok(())
}

/// Returns whether concurrent work caused the error: in the library's statements, in the
/// host's own, or at the commit.
fn is_conflict(error: &(dyn StdError + Send + Sync + 'static)) -> bool {
    if let Some(Error::Store(error)) = error.downcast_ref() {
        return error.kind() == StoreErrorKind::Conflict;
    }
    error.downcast_ref().is_some_and(sql::is_conflict::<sqlx::Postgres>)
}
