//! The user's row and the redemption commit together, or not at all.
//!
//! ```text
//! cargo run --example join_transaction
//! ```

use std::error::Error as StdError;

use invitation::{
    Actor, Criteria, Division, Draft, Error, Invitations, Paging, Redeemer, Role, SqliteStore,
    UserId, Username,
    sql::sqlx::{self, SqlitePool},
};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError>>;

#[tokio::main]
async fn main() -> Result {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("host.db")).await?;
    // The host's own table, in the same database.
    let pool = store.pool().clone();
    sqlx::raw_sql("CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT UNIQUE, role TEXT)")
        .execute(&pool)
        .await?;

    let invitations = Invitations::new(store);
    let manager =
        Actor::in_division(UserId::new("mia")?, Role::new("manager")?, Division::new("sales")?);
    let code = invitations.create(&manager, Draft::new()).await?.code().reveal();

    println!("1. anna registers: user and redemption commit together");
    register(&invitations, &pool, &code, "u-1", "anna").await?;
    report(&invitations, &pool, &manager).await?;

    println!(
        "2. a second anna registers with a fresh code: the name is taken, the host rolls back"
    );
    let fresh = invitations.create(&manager, Draft::new()).await?.code().reveal();
    match register(&invitations, &pool, &fresh, "u-2", "anna").await {
        Ok(()) => panic!("two users of one name"),
        Err(error) => println!("   refused: {error}"),
    }
    report(&invitations, &pool, &manager).await?;

    println!("3. she takes another name: the code is still good");
    register(&invitations, &pool, &fresh, "u-2", "anna-2").await?;
    report(&invitations, &pool, &manager).await?;

    println!("4. eve tries the used code: refused, no user, and on record");
    match register(&invitations, &pool, &fresh, "u-3", "eve").await {
        Ok(()) => panic!("one code, two accounts"),
        Err(error) => println!("   refused: {error}"),
    }
    report(&invitations, &pool, &manager).await
}

/// The host's handler for *Register*.
async fn register(
    invitations: &Invitations<SqliteStore>,
    pool: &SqlitePool,
    code: &str,
    id: &str,
    name: &str,
) -> Result {
    let newcomer = Redeemer::new(UserId::new(id)?, Username::new(name)?);

    // The host's transaction. It is IMMEDIATE because it will write.
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let redeemed =
        match invitations.on(invitations.store().join(&mut tx)).redeem(code, &newcomer).await {
            Ok(redeemed) => redeemed,
            Err(Error::Refused(refused)) => {
                tx.rollback().await?;
                // The event of the refusal could not be kept in the transaction, which is
                // rolled back. The error carries it.
                invitations.record(&refused).await?;
                return Err(Error::Refused(refused).into());
            }
            Err(error) => return Err(error.into()),
        };
    sqlx::query("INSERT INTO users (id, name, role) VALUES (?, ?, ?)")
        .bind(id)
        .bind(name)
        .bind(redeemed.role().as_str())
        .execute(&mut *tx)
        .await?; // on an error the transaction is dropped, and all of it undone
    tx.commit().await?;
    Ok(())
}

async fn report(
    invitations: &Invitations<SqliteStore>,
    pool: &SqlitePool,
    manager: &Actor,
) -> Result {
    let users: Vec<String> =
        sqlx::query_scalar("SELECT name FROM users ORDER BY name").fetch_all(pool).await?;
    let page = invitations.list(manager, &Criteria::new(), Paging::default()).await?;
    let used: Vec<_> = page
        .items()
        .iter()
        .filter_map(|row| row.invitation().last_use())
        .map(|last| last.username.to_string())
        .collect();
    println!("   users: {users:?}  redeemed by: {used:?}\n");
    assert_eq!(users.len(), used.len(), "never for nobody");
    Ok(())
}
