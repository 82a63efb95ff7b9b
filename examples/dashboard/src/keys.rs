//! The key under which codes are stored: a file beside the database, made at the first start. For a
//! database on a server it is in the working directory (see `database.rs`).
//!
//! Each line of the file is the id of a key and its secret. The first line is the active key.
//! The following lines are older keys, which find and open codes: to rotate, write a new line at
//! the top, and start the host again. It then re-seals the codes and the secrets of webhooks. Remove
//! the old line when the next start succeeds without it.
//!
//! A real host keeps the file apart from the backups of the database, or reads the secret from
//! its secret manager.

use std::path::PathBuf;

use invitation::{
    Invitations, Paging, Store, SystemActor,
    admit::secret_file,
    code::{
        Entropy, EntropyError, OsEntropy, ResealPage, Sealing, UnsealCause, UnsealError,
        keyring::{KeyId, KeySecret, Keyring},
    },
    delivery::webhook::{WebhookError, Webhooks},
    store::documents::Documents,
};

use crate::{Result, database::Database};

/// The file for a database in memory, which no file is beside.
const FILE: &str = "invitation-demo.keys";

/// The number of invitations that the start examines with one call.
const PAGE: u32 = 200;

/// The keys of this host, and the file that holds them.
pub(crate) struct Keys {
    ring: Keyring,
    file: PathBuf,
}

impl Keys {
    /// Reads the keys of a database. Makes a file with a new key if there is none.
    pub(crate) fn open(database: &Database) -> Result<Self> {
        let file = database.beside(".keys").unwrap_or_else(|| FILE.into());
        let text = secret_file::read_or_create(&file, new_line)?;
        // The error contains nothing of a secret.
        let ring = parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self { ring, file })
    }

    /// Returns how the host stores codes.
    pub(crate) fn sealing(&self) -> Sealing {
        Sealing::keyring(self.ring.clone())
    }

    /// Returns the keys, for other secrets of the host.
    pub(crate) fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// Refuses to start if stored codes cannot be opened: their key is missing here, or has
    /// another secret. Otherwise moves all codes to the active key.
    pub(crate) async fn check<S: Store>(&self, invitations: &Invitations<S>) -> Result {
        let system = SystemActor::for_bootstrap();
        let mut next = Some(Paging::first(PAGE)?);
        while let Some(paging) = next {
            let page = invitations.check_seals(&system, paging).await?;
            if let Some(id) = page.unopened().iter().find_map(|error| error.key_id()) {
                let file = self.file.display();
                return Err(format!(
                    "{file}: codes are stored under the key with the id {id}, which is not there. A key \
                     file belongs to one database: if the server got another name, rename its file"
                )
                .into());
            }
            let damaged = |error: &&UnsealError| *error.cause() == UnsealCause::Damaged;
            if let Some(error) = page.unopened().iter().find(damaged) {
                let file = self.file.display();
                return Err(
                    format!("{file}: has a wrong secret, or the row changed: {error}").into()
                );
            }
            next = following(&page)?;
        }
        let mut next = Some(Paging::first(PAGE)?);
        while let Some(paging) = next {
            next = following(&invitations.reseal(&system, paging).await?)?;
        }
        Ok(())
    }

    /// Refuses to start if a secret of a webhook cannot be decrypted. Otherwise encrypts all of them
    /// under the active key.
    pub(crate) async fn check_webhooks<S: Documents>(&self, webhooks: &Webhooks<S>) -> Result {
        match webhooks.reseal().await {
            Ok(_) => Ok(()),
            Err(error @ WebhookError::Unseal { .. }) => {
                Err(format!("{}: {error}", self.file.display()).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the page after this one, if there is one.
fn following(page: &ResealPage) -> Result<Option<Paging>> {
    let first = Paging::first(PAGE)?;
    Ok(page.next().map(|cursor| first.after(cursor)))
}

/// Returns the line of a new key.
fn new_line() -> std::result::Result<String, EntropyError> {
    let mut id = [0; 4];
    OsEntropy.fill(&mut id)?;
    let secret = KeySecret::generate(&OsEntropy)?;
    Ok(format!("demo-{:08x} {}\n", u32::from_be_bytes(id), *secret.reveal_hex()))
}

/// Reads the lines of the file.
fn parse(text: &str) -> Result<Keyring> {
    let mut ring: Option<Keyring> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (id, secret) = line.split_once(' ').ok_or("each line must be an id and a secret")?;
        let (id, secret) = (KeyId::new(id)?, KeySecret::parse(secret)?);
        ring = Some(match ring {
            None => Keyring::new(id, &secret),
            Some(ring) => ring.with_older(id, &secret)?,
        });
    }
    ring.ok_or_else(|| "there is no key".into())
}
