//! The tamper-evident log of the audit trail: files beside the database, which a task extends and
//! verifies in the background. For a database on a server they are in the working directory, under
//! names of that database (see `database.rs`).
//!
//! - `….log` has the events, with signed checkpoints.
//! - `….log-key` signs them. The first start makes it.
//! - `….log-anchor` is a copy of the newest checkpoint. A verification compares the log with it.
//!
//! An attacker who can write all three can rewrite the log. So a real host keeps the key away from
//! the database, and saves the anchor in another system.

use std::{convert::Infallible, fs, io, path::PathBuf, time::Duration};

use invitation::{
    audit_log::{FileLog, LogKey, LogStatus, Sealer, SignedCheckpoint, Verifier, verify_store},
    clock::{Clock, SystemClock},
    code::OsEntropy,
    store::feed::Feed,
};

use crate::{Result, database::Database};

/// The name of the log, which no other log has. The signatures contain it.
const ORIGIN: &str = "demo.example/invitations";

/// The time between two rounds of sealing.
const INTERVAL: Duration = Duration::from_secs(2);

/// The number of rounds from one verification to the next, if no event is new. Each verification
/// reads the whole log and all events, so a host with many verifies less often.
const VERIFIED_EVERY: u32 = 30;

/// Begins to seal the events of a feed, and returns what is known about the log. A database in
/// memory has no log, because it ends with the process.
pub(crate) fn start<F: Feed + 'static>(feed: F, database: &Database) -> Option<LogStatus> {
    let files = Files::beside(database)?;
    let status = LogStatus::new();
    let told = status.clone();
    tokio::spawn(async move {
        loop {
            let Err(error) = seal(&feed, &files, &status).await;
            tracing::warn!("{}: {error}", files.log.display());
            status.set_failed(SystemClock.now());
            tokio::time::sleep(INTERVAL).await;
        }
    });
    Some(told)
}

/// Removes the log of a database, and keeps its key.
pub(crate) fn remove_log(database: &Database) -> Result {
    Files::beside(database).map_or(Ok(()), |files| files.remove_log())
}

/// Seals and verifies until something fails.
async fn seal<F: Feed>(feed: &F, files: &Files, status: &LogStatus) -> Result<Infallible> {
    let (key, log) = (files.key()?, FileLog::open(&files.log)?);
    let public = key.public_key().clone();
    let mut anchor = files.anchor()?;
    let mut sealer = Sealer::new(feed, &log, key);
    if let Some(saved) = &anchor {
        sealer = sealer.with_anchor(saved.clone());
    }
    for round in 0_u32.. {
        let mut is_new = false;
        loop {
            let outcome = sealer.seal().await;
            let page = outcome.inspect_err(|e| status.set_seal_error(e, SystemClock.now()))?;
            status.set_sealed(&page);
            if page.checkpoint != anchor {
                is_new = true;
                anchor = page.checkpoint;
                files.save(anchor.as_ref())?;
            }
            if !page.more {
                break;
            }
        }
        if is_new || round.is_multiple_of(VERIFIED_EVERY) {
            let mut verifier = Verifier::new([public.clone()]);
            if let Some(saved) = &anchor {
                verifier = verifier.with_anchor(saved)?;
            }
            let report = verify_store(feed, &log, verifier).await?;
            status.set_verified(&report, SystemClock.now());
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Err("the rounds are counted to the end".into())
}

struct Files {
    log: PathBuf,
    key: PathBuf,
    anchor: PathBuf,
}

impl Files {
    fn beside(database: &Database) -> Option<Self> {
        let beside = |ending| database.beside(ending);
        let (log, key, anchor) = (beside(".log")?, beside(".log-key")?, beside(".log-anchor")?);
        Some(Self { log, key, anchor })
    }

    fn remove_log(&self) -> Result {
        for file in [&self.log, &self.anchor] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", file.display()).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn key(&self) -> Result<LogKey> {
        let key = if self.key.exists() {
            LogKey::read_file(&self.key)
        } else {
            LogKey::create_file(&self.key, ORIGIN, &OsEntropy)
        };
        key.map_err(|error| format!("{}: {error}", self.key.display()).into())
    }

    fn anchor(&self) -> Result<Option<SignedCheckpoint>> {
        match fs::read_to_string(&self.anchor) {
            Ok(text) => Ok(Some(SignedCheckpoint::parse(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.anchor.display()).into()),
        }
    }

    /// Saves a checkpoint in place of the one before.
    fn save(&self, anchor: Option<&SignedCheckpoint>) -> Result {
        let Some(anchor) = anchor else { return Ok(()) };
        // A reader, or a start after a crash, finds the old one or the new one.
        let draft = self.anchor.with_extension("log-anchor-new");
        fs::write(&draft, anchor.as_str())?;
        fs::rename(&draft, &self.anchor)?;
        Ok(())
    }
}
