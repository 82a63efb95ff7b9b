//! `use invitation::*` collides with nothing that a host writes beside it.

use std::{error::Error as StdError, prelude::rust_2024::*, sync::Mutex};

use invitation::*;
use serde_json::json;
use sqlx::{Row, sqlite::SqliteRow};
use time::Duration;
use tokio::task::yield_now;

type Shared = Mutex<Option<Vec<String>>>;

/// Uses names of the prelude, of crates of a host and of the facade beside each other.
async fn invited(shared: &Shared) -> Result<usize, Box<dyn StdError>> {
    let invitations = Invitations::new(SqliteStore::in_memory().await?);
    let sales = Division::new("sales")?;
    let manager = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, sales);
    let created = invitations.create(&manager, Draft::new()).await?;
    let page: Page<InvitationView> =
        invitations.list(&manager, &Criteria::new(), Paging::default()).await?;
    let row: SqliteRow = sql::sqlx::query("SELECT COUNT(*) FROM invitation_codes")
        .fetch_one(invitations.store().pool())
        .await?;
    assert_eq!(row.get::<i64, _>(0), i64::try_from(page.items().len())?);
    let lifetime = created.invitation().expires_at().since(invitations.now());
    assert!(lifetime > Duration::days(6), "{lifetime}");
    yield_now().await;
    *shared.lock().expect("no panic") =
        Some(vec![json!({ "role": created.invitation().role() }).to_string()]);
    Ok(created.code().reveal().len())
}

#[tokio::test]
async fn glob_import_leaves_the_names_of_the_host_their_meaning() {
    let shared = Shared::default();
    let length = invited(&shared).await.expect("an invitation");
    assert_eq!(length, 29);
    let error: Error = StoreError::new(StoreErrorKind::Other, "none").into();
    assert!(error.refusal().is_none());
    assert_eq!(
        shared.lock().expect("no panic").as_deref(),
        Some([r#"{"role":"staff"}"#.to_owned()].as_slice())
    );
}
