//! Imports of files of invitations, which a task works on in the background. The files are in a
//! folder beside the database.

use std::time::{Duration, SystemTime};

use invitation::{
    Invitations, Store, SystemActor,
    clock::{Clock, SystemClock},
    import::jobs::{ImportError, ImportRun, Imports},
    store::documents::Documents,
    web::FolderSpool,
};

use crate::{Result, database::Database};

/// The maximum size of one file, and of all files together, in bytes.
const MAX_FILE: u64 = 100_000_000;
const MAX_FILES: u64 = 500_000_000;

/// The time between two rounds.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of rounds between two removals of old imports.
const ROUNDS: u32 = 3_600;

/// The time for which an import and its files are kept.
const KEPT: time::Duration = time::Duration::days(30);

/// The time for which a file is kept in any case. A crash during an upload leaves a file without an
/// import.
const FILE_KEPT: Duration = Duration::from_hours(31 * 24);

/// Starts the task that works on imports until the program ends, by `run`, and returns the imports
/// for the web pages. `is_reset` says that the store was emptied before.
///
/// On several machines, each runs the task and works on its own uploads. A database in memory has no
/// imports, because its documents end with the process.
pub(crate) fn start<F>(
    documents: impl Documents + 'static,
    invitations: Invitations<impl Store + 'static>,
    database: &Database,
    is_reset: bool,
    run: impl Fn(Imports) -> F + Send + 'static,
) -> Result<Option<Imports>>
where
    F: Future<Output = std::result::Result<ImportRun, ImportError>> + Send,
{
    let Some(folder) = database.beside(".imports") else { return Ok(None) };
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    let spool = FolderSpool::open(&folder).map_err(named)?.with_max_bytes(MAX_FILES);
    if is_reset {
        // The documents of the imports are gone, so their files belong to nothing.
        spool.remove_older(SystemTime::now()).map_err(named)?;
    }
    let imports = Imports::new(documents, spool.clone()).with_max_bytes(MAX_FILE);
    let (worker, system) = (imports.clone(), SystemActor::new("imports")?);
    tokio::spawn(async move {
        for round in (0..ROUNDS).cycle() {
            if round == 0 {
                remove_old(&worker, &invitations, &system, &spool).await;
            }
            // A failure is passing: the next round goes on where this one stopped.
            if let Err(error) = run(worker.clone()).await {
                tracing::warn!(%error, "an import is continued later");
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    Ok(Some(imports))
}

/// Removes imports that ended long ago, and files that belong to none.
async fn remove_old(
    imports: &Imports,
    invitations: &Invitations<impl Store>,
    system: &SystemActor,
    spool: &FolderSpool,
) {
    let before = SystemClock.now().checked_add(-KEPT);
    if let Some(before) = before
        && let Err(error) = imports.remove_ended(invitations, system, before).await
    {
        tracing::warn!(%error, "old imports are not removed");
    }
    let spool = spool.clone();
    let removing = tokio::task::spawn_blocking(move || {
        let before = SystemTime::now().checked_sub(FILE_KEPT);
        before.map_or(Ok(0), |before| spool.remove_older(before))
    });
    match removing.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "old files of imports are not removed"),
        Err(error) => tracing::warn!(%error, "old files of imports are not removed"),
    }
}
