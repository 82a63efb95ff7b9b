//! What a host outside of the workspace uses of each feature. `scripts/package` builds it.

use invitation::{
    Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, Store, UserId, Username,
};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Creates a code and redeems it.
pub async fn redeem(store: impl Store) -> Result {
    let invitations = Invitations::new(store);
    #[cfg(feature = "keyring")]
    let invitations = invitations.with_sealing(sealing()?);
    #[cfg(feature = "throttle")]
    let invitations =
        invitations.with_throttle(invitation::code::throttle::GuessThrottle::in_process());
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

/// Uses each feature that is on. No server is needed.
pub async fn use_features() -> Result {
    redeem(MemoryStore::new()).await?;
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    {
        use invitation::observe::{Observed, Observer};
        redeem(Observed::new(MemoryStore::new(), Observer::default())).await?;
    }
    #[cfg(feature = "sqlx")]
    assert_eq!(invitation::sql::TablePrefix::new("sales_")?.as_str(), "sales_");
    #[cfg(feature = "axum")]
    serve();
    #[cfg(feature = "audit-log")]
    seal().await?;
    #[cfg(feature = "files")]
    read()?;
    #[cfg(feature = "delivery")]
    assert!(invitation::delivery::Backoff::default().wait_after(1).is_some());
    #[cfg(feature = "smtp")]
    invitation::delivery::mail::SmtpMailer::new("smtp://localhost", "host@example.com")?;
    #[cfg(feature = "webhooks")]
    register().await?;
    #[cfg(feature = "testing")]
    conform().await;
    Ok(())
}

/// The stores that need a server are named, and not opened.
#[cfg(feature = "postgres")]
const _: fn(&invitation::PgStore) = |_| ();
#[cfg(feature = "mysql")]
const _: fn(&invitation::MySqlStore) = |_| ();
#[cfg(feature = "redis")]
const _: fn(&invitation::RedisStore) = |_| ();

#[cfg(feature = "axum")]
fn serve() {
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

#[cfg(feature = "files")]
fn read() -> Result {
    use invitation::import::file::{FileFormat, FileReader};
    let mut reader = FileReader::new(FileFormat::Csv);
    reader.push(b"email,role\nanna@example.com,staff\n")?;
    reader.finish()?;
    assert!(reader.next_row()?.is_some_and(|row| row.draft.is_ok()));
    Ok(())
}

#[cfg(feature = "webhooks")]
async fn register() -> Result {
    use invitation::delivery::webhook::{NewEndpoint, Transport, Webhooks};
    let webhooks = Webhooks::new(MemoryStore::new(), &Transport::default())?;
    let secret = webhooks.register(NewEndpoint::new("crm", "https://crm.example/hook")?).await?;
    assert!(secret.reveal().starts_with("whsec_"));
    Ok(())
}

#[cfg(feature = "testing")]
async fn conform() {
    use invitation::testing::{Fixture, service};
    service::single_use_code_is_redeemed_once(Fixture::new(MemoryStore::new())).await;
}
