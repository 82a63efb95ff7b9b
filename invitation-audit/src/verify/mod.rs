//! Verification: of a log alone, and of the events of a store against it.

mod finding;
mod lost;
mod store;
mod verifier;

use std::{io::BufRead, num::NonZeroU32};

pub use self::{
    finding::{Finding, FindingKind, Subject, Verdict},
    store::{FeedError, StoreReport, verify_store},
    verifier::Verifier,
};
pub(crate) use self::{store::Entries, verifier::Progress};
use crate::{
    line::Record,
    log::{LogError, LogOffset, LogStore, read_line},
};

/// The number of records or events that one call reads.
pub(crate) const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("not zero");

/// Verifies a log. Reads it once, in pages.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
/// use invitation::audit_log::{LogKey, MemoryLog, Sealer, Verdict, Verifier, verify};
/// # use invitation::{Division, Draft, Invitations, MemoryStore, Role, SystemActor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// # let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
/// # Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
/// let (log, key) = (MemoryLog::new(), LogKey::from_seed("example.com/invitations", &[7; 32])?);
/// let public = key.public_key().clone();
/// let sealed = Sealer::new(&store, &log, key).seal().await?;
/// let saved = sealed.checkpoint.expect("the log has a checkpoint");
///
/// let verifier = Verifier::new([public.clone()]);
/// assert_eq!(verify(&log, verifier).await?, Verdict::Unanchored { sealed: 1 });
///
/// let verifier = Verifier::new([public.clone()]).with_anchor(&saved)?;
/// assert_eq!(verify(&log, verifier).await?, Verdict::Valid { anchored: 1, sealed: 1 });
///
/// // An older copy of the log, here an empty one.
/// let verifier = Verifier::new([public]).with_anchor(&saved)?;
/// assert!(matches!(verify(&MemoryLog::new(), verifier).await?, Verdict::Tampered(_)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`LogError`] when the log store fails. A record that cannot be read is not an error but a
/// verdict.
pub async fn verify<L: LogStore>(log: L, verifier: Verifier) -> Result<Verdict, LogError> {
    let (verifier, _) = read_to_end(&log, verifier).await?;
    Ok(verifier.finish())
}

/// Reads a log to its end, or until the verdict is clear. Returns the end, too.
pub(crate) async fn read_to_end<L: LogStore>(
    log: &L,
    mut verifier: Verifier,
) -> Result<(Verifier, LogOffset), LogError> {
    let mut from = LogOffset::default();
    while !verifier.is_decided() {
        match log.read(from, PAGE).await {
            Ok(page) if page.records.is_empty() => break,
            Ok(page) => {
                for record in &page.records {
                    verifier.record(record);
                }
                from = page.next;
            }
            Err(LogError::Unreadable(_)) => {
                verifier.unreadable();
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((verifier, from))
}

/// Verifies a log in its text form, such as an [export](crate::export) or the file of a
/// [`FileLog`](crate::FileLog). Reads it once; needs neither a store nor an async runtime.
///
/// Do not call it on a file while a sealer writes it. An unfinished batch is reported as
/// [`UnsignedEntries`](FindingKind::UnsignedEntries), or as [`Unreadable`](FindingKind::Unreadable)
/// if its last line is incomplete. [`FileLog`](crate::FileLog) leaves both out.
///
/// # Errors
///
/// [`LogError::Other`] when the reader fails. A line that cannot be read is not an error but a
/// verdict.
pub fn verify_lines(mut lines: impl BufRead, mut verifier: Verifier) -> Result<Verdict, LogError> {
    while !verifier.is_decided() {
        let record = match read_line(&mut lines) {
            Ok(None) => break,
            Ok(Some(line)) => Record::from_line(&line).map_err(LogError::from),
            Err(error) => Err(error),
        };
        match record {
            Ok(record) => verifier.record(&record),
            Err(LogError::Unreadable(_)) => {
                verifier.unreadable();
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(verifier.finish())
}
