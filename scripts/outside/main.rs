//! A host outside of the workspace, which `scripts/package` builds with each feature.

use invitation::{
    Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, Store, UserId, Username,
};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Creates a code and redeems it.
async fn redeem(store: impl Store) -> Result {
    let invitations = Invitations::new(store);
    #[cfg(feature = "keyring")]
    let invitations = invitations.with_sealing(sealing()?);
    let mia =
        Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
    let code = invitations.create(&mia, Draft::new()).await?.code().reveal();
    let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
    assert_eq!(invitations.redeem(&code, &anna).await?.role().as_str(), "staff");
    assert!(invitations.redeem(&code, &anna).await?.is_replayed());
    Ok(())
}

#[cfg(feature = "keyring")]
fn sealing() -> Result<invitation::code::Sealing> {
    use invitation::code::{
        OsEntropy, Sealing,
        keyring::{KeyId, KeySecret, Keyring},
    };
    let secret = KeySecret::generate(&OsEntropy)?;
    Ok(Sealing::keyring(Keyring::new(KeyId::new("2026")?, &secret)))
}

#[cfg(feature = "axum")]
fn serves() {
    use std::sync::Arc;

    use invitation::web::{Dashboard, Parts, Web};
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let web = Web::new(Invitations::new(store), |_: &Parts| None::<Actor>);
    let _ = (web.api(), web.dashboard(Dashboard::new()));
}

#[cfg(feature = "audit-log")]
async fn seal() -> Result {
    use invitation::audit_log::{LogKey, MemoryLog, Sealer};
    let (store, log) = (MemoryStore::new(), MemoryLog::new());
    let key = LogKey::from_seed("example.com/invitations", &[7; 32])?;
    assert!(!Sealer::new(&store, &log, key).seal().await?.more);
    Ok(())
}

#[cfg(feature = "testing")]
async fn conforms() {
    use invitation::testing::{Fixture, service};
    service::single_use_code_is_redeemed_once(Fixture::new(MemoryStore::new())).await;
}

/// The types of stores that need a server are named, and not opened.
#[cfg(feature = "postgres")]
const _: fn(&invitation::PgStore) = |_| ();
#[cfg(feature = "mysql")]
const _: fn(&invitation::MySqlStore) = |_| ();
#[cfg(feature = "redis")]
const _: fn(&invitation::RedisStore) = |_| ();

#[tokio::main]
async fn main() -> Result {
    redeem(MemoryStore::new()).await?;
    #[cfg(feature = "sqlite")]
    redeem(invitation::SqliteStore::in_memory().await?).await?;
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    {
        use invitation::observe::{Observed, Observer};
        redeem(Observed::new(MemoryStore::new(), Observer::default())).await?;
    }
    #[cfg(feature = "axum")]
    serves();
    #[cfg(feature = "audit-log")]
    seal().await?;
    #[cfg(feature = "testing")]
    conforms().await;
    println!("the host outside works");
    Ok(())
}
