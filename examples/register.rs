//! Registers a newcomer: the account and the redemption are kept together, or neither is.
//! On PostgreSQL, the type `Store` is `PgStore`, and nothing else changes.

use invitation::{
    Actor, Division, Draft, Invitations, Redeemer, Role, SqliteStore, UserId, Username, sql::sqlx,
};

type Store = SqliteStore;
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite::memory:".to_owned());
    let store = Store::connect(&url).await?;
    sqlx::raw_sql("CREATE TABLE users (id TEXT PRIMARY KEY, role TEXT)")
        .execute(store.pool())
        .await?;
    let invitations = Invitations::new(store);
    let mia = Actor::in_division(UserId::new("mia")?, Role::new("manager")?, Division::new("it")?);
    let code = invitations.create(&mia, Draft::new()).await?.code().reveal();

    let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
    register(&invitations, &code, &anna).await?;
    register(&invitations, &code, &anna).await?; // a double click
    let ben = Redeemer::new(UserId::new("u-3")?, Username::new("ben")?);
    println!("{}", register(&invitations, &code, &ben).await.expect_err("one code, one account"));
    Ok(())
}

async fn register(invitations: &Invitations<Store>, code: &str, who: &Redeemer) -> Result {
    let mut admission = invitations.admit(code, who).await?;
    if !admission.is_replayed() {
        let (id, role) = (who.user().as_str(), admission.redeemed().role().to_string());
        let account =
            sqlx::query("INSERT INTO users (id, role) VALUES ($1, $2)").bind(id).bind(role);
        account.execute(admission.tx()).await?;
    }
    admission.commit().await?;
    Ok(())
}
