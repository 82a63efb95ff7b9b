//! The upload of the file of an import.

use sha2::{Digest, Sha256};

use super::{
    ImportError, ImportJob, ImportOrder, ImportState, Imports, SpoolFile,
    evidence::{Step, file_name},
    job::{Kept, KeptActor, key, removing},
};
use crate::{
    actor::Actor,
    field_error::FieldError,
    id::BatchId,
    request::{Fingerprinting, IdempotencyKey},
    service::{Duplicates, ImportMode, Invitations},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
};

/// The number of bytes that are written to the spool at a time.
const PIECE: usize = 256 * 1_024;

/// A file that is being uploaded.
///
/// Write its bytes, and then [`submit`](Self::submit) it, or [`discard`](Self::discard) it. An
/// upload that is dropped leaves its file in the spool.
#[derive(Debug)]
#[must_use]
pub struct Upload {
    imports: Imports,
    actor: Actor,
    order: ImportOrder,
    file: BatchId,
    name: Option<String>,
    digest: Sha256,
    bytes: u64,
    /// The bytes that are not written to the spool yet.
    buffer: Vec<u8>,
}

/// An import that was ordered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Submitted {
    /// The import.
    pub job: ImportJob,
    /// Whether an earlier request with the same key had ordered it.
    pub is_replayed: bool,
}

impl Upload {
    pub(super) fn new(imports: Imports, actor: Actor, order: ImportOrder, file: BatchId) -> Self {
        let (digest, buffer) = (Sha256::new(), Vec::new());
        Self { imports, actor, order, file, name: None, digest, bytes: 0, buffer }
    }

    /// Sets the name of the file, as a client sent it, for the audit trail and the pages of
    /// imports. Folders and invisible characters are left out, and a long name is cut to 255
    /// bytes. The name is no part of the comparison with an earlier request under the same key.
    pub fn named(self, name: &str) -> Self {
        Self { name: file_name(name), ..self }
    }

    /// Adds bytes of the file.
    ///
    /// # Errors
    ///
    /// [`ImportError::TooLarge`] beyond the maximum size; [`ImportError::Spool`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        let max = self.imports.max_bytes;
        let length = self.bytes + self.buffer.len() as u64 + bytes.len() as u64;
        if length > max {
            return Err(ImportError::TooLarge { max });
        }
        self.digest.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        // The bytes stay here until they are written: after an error or a drop, the next call writes
        // them to the same place.
        let piece = self.buffer.clone();
        self.imports.spool.write(SpoolFile::rows(self.file), self.bytes, piece).await?;
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Orders the import of the file, once for each key of the user. The file is durable when the
    /// call returns. One atomic step stores the import and its event. An upload without a byte, which
    /// a browser sends if no file was chosen, orders nothing.
    ///
    /// One round trip to the store, or two if the user has sent the key before.
    ///
    /// # Errors
    ///
    /// [`ImportError::Service`]: `Invalid` for a file without a byte; `IdempotencyKeyReused` when the
    /// user sent another file or other options under the key, or no longer reaches the division of
    /// the import; a failure of the store.
    /// [`ImportError::Spool`].
    pub async fn submit<S: Store>(
        mut self,
        invitations: &Invitations<S>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Submitted, ImportError> {
        let submitted = match self.finish().await {
            Ok(()) => self.add(invitations, key).await,
            Err(error) => Err(error),
        };
        let is_ours = match &submitted {
            Ok(submitted) => !submitted.is_replayed,
            // The import may be stored, and then needs its file.
            Err(ImportError::Service(crate::Error::Store(error))) => {
                error.kind() == StoreErrorKind::OutcomeUnknown
            }
            Err(_) => false,
        };
        if is_ours {
            return submitted;
        }
        let (discarded, submitted) = (self.discard().await, submitted?);
        discarded?;
        Ok(submitted)
    }

    /// Writes the last bytes to the spool, and makes the file durable.
    async fn finish(&mut self) -> Result<(), ImportError> {
        if self.bytes == 0 && self.buffer.is_empty() {
            return Err(crate::Error::from(FieldError::new("file", "must not be empty")).into());
        }
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        self.imports.spool.sync(SpoolFile::rows(self.file)).await?;
        Ok(())
    }

    async fn add<S: Store>(
        &self,
        invitations: &Invitations<S>,
        key_given: Option<&IdempotencyKey>,
    ) -> Result<Submitted, ImportError> {
        let digest = self.digest.clone().finalize();
        let kept = self.kept(invitations, &digest);
        let id = match key_given {
            Some(key) => self.keyed_id(key),
            None => self.file,
        };
        let state = if self.order.is_held { ImportState::Uploaded } else { ImportState::Queued };
        let job = ImportJob::new(id, kept, state, invitations.now()).map_err(crate::Error::from)?;
        let event = job.event(invitations, &self.actor, Step::Ordered(&digest))?;
        // The first version replaces nothing, so it is stored only if the key is new.
        if self.imports.replace_with(&job, event).await? {
            return Ok(Submitted { job, is_replayed: false });
        }
        let Some(stored) = self.imports.documents.document(&key(id)).await? else {
            return Err(ImportError::NotFound);
        };
        if stored.state == removing() {
            return Err(StoreError::new(StoreErrorKind::Conflict, "import").into());
        }
        // The user may have moved to another division since. An import of a division that the user no
        // longer reaches does not exist for them, but its key stays in use.
        if !stored.is_within(self.actor.scope()) {
            return Err(invitations.refuse_key(&self.actor).await.into());
        }
        let stored = ImportJob::read(stored)?;
        if stored.kept.fingerprint != job.kept.fingerprint {
            return Err(invitations.refuse_key(&self.actor).await.into());
        }
        Ok(Submitted { job: stored, is_replayed: true })
    }

    fn kept<S: Store>(&self, invitations: &Invitations<S>, digest: &[u8]) -> Kept {
        let is_atomic = self.order.mode == ImportMode::AllOrNone;
        let creates_duplicates = self.order.duplicates == Duplicates::Create;
        let mut all = Fingerprinting::new("import file");
        all.part(Some(self.order.format.as_str()));
        all.part(is_atomic.then_some("atomic"));
        all.part(creates_duplicates.then_some("create duplicates"));
        all.bytes(digest);
        Kept {
            file: self.file,
            results: None,
            format: self.order.format,
            is_atomic,
            creates_duplicates,
            actor: KeptActor::of(&self.actor),
            fingerprint: *all.finish().as_bytes(),
            name: self.name.clone(),
            bytes: self.bytes,
            part_rows: invitations.limits().batch(),
            progress: super::ImportProgress::default(),
            claim: [0; 8],
            parts: 0,
            result_bytes: 0,
            failures: 0,
            reason: None,
            ended: None,
        }
    }

    /// Returns the id of the import under a key: the same for the same user and key.
    fn keyed_id(&self, key: &IdempotencyKey) -> BatchId {
        let mut all = Fingerprinting::new("import id");
        all.part(Some(self.actor.user().as_str()));
        all.part(Some(key.as_str()));
        let digest = all.finish();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        BatchId::from_bytes(*uuid::Builder::from_custom_bytes(bytes).into_uuid().as_bytes())
    }

    /// Removes what was uploaded.
    ///
    /// # Errors
    ///
    /// [`ImportError::Spool`].
    pub async fn discard(self) -> Result<(), ImportError> {
        self.imports.spool.remove(SpoolFile::rows(self.file)).await?;
        Ok(())
    }
}
