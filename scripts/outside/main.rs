//! A host outside of the workspace, which `scripts/package` builds and runs.

use outside_host::{Result, use_features};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    use_features().await?;
    #[cfg(feature = "sqlite")]
    outside_host::redeem(invitation::SqliteStore::in_memory().await?).await?;
    println!("the host outside works");
    Ok(())
}
