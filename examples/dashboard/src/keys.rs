//! The key under which codes are stored: a file beside the database, made at the first start.
//!
//! Each line of the file is the id of a key and its secret. The first line is the active key.
//! The following lines are older keys, which find and open codes: to rotate, write a new line at
//! the top, and start the host again. It then re-seals the codes. Remove the old line when the
//! next start succeeds without it.
//!
//! A real host keeps the file apart from the backups of the database, or reads the secret from
//! its secret manager.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use invitation::{
    Invitations, Paging, Store, SystemActor,
    code::{
        OsEntropy, ResealPage, Sealing, UnsealCause, UnsealError,
        keyring::{KeyId, KeySecret, Keyring},
    },
    sql::sqlx::sqlite::SqliteConnectOptions,
};

use crate::{Result, config::DatabaseUrl, secret};

/// The name of the file beside a database on a server.
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
    pub(crate) fn open(database: &DatabaseUrl) -> Result<Self> {
        let file = file_of(database)?;
        if !file.exists() {
            named(&file, make(&file))?;
        }
        let ring = named(&file, read(&file))?;
        Ok(Self { ring, file })
    }

    /// Returns how the host stores codes.
    pub(crate) fn sealing(&self) -> Sealing {
        Sealing::keyring(self.ring.clone())
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
                    "{file}: codes are stored under the key with the id {id}, which is not there"
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
}

/// Returns the page after this one, if there is one.
fn following(page: &ResealPage) -> Result<Option<Paging>> {
    let first = Paging::first(PAGE)?;
    Ok(page.next().map(|cursor| first.after(cursor)))
}

/// Returns the file beside the database.
fn file_of(database: &DatabaseUrl) -> Result<PathBuf> {
    let DatabaseUrl::Sqlite(url) = database else { return Ok(FILE.into()) };
    if url.contains(":memory:") {
        return Ok(FILE.into());
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|e| format!("DATABASE_URL: {e}"))?;
    let mut name = OsString::from(options.get_filename());
    name.push(".keys");
    Ok(name.into())
}

/// Makes a file with a new key, which only its owner can read. If another process makes one at
/// the same time, the first stays.
fn make(file: &Path) -> Result {
    let id = format!("demo-{}", &secret::random()?.reveal()[..8]);
    let secret = KeySecret::generate(&OsEntropy)?;
    let line = format!("{} {}\n", KeyId::new(id)?, *secret.reveal_hex());
    // The complete file gets its name in one step, so that no reader sees a half-written one.
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut draft| {
        draft.write_all(line.as_bytes())?;
        draft.sync_all()
    });
    let named = written.and_then(|()| match fs::hard_link(&draft, file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&draft).ok();
    Ok(named?)
}

fn read(file: &Path) -> Result<Keyring> {
    refuse_readable_by_others(&File::open(file)?)?;
    let text = fs::read_to_string(file)?;
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

/// Refuses a file that other users of the machine can read.
fn refuse_readable_by_others(file: &File) -> Result {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        return Err("only its owner may have access (chmod 600)".into());
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Adds the path of the file to an error. The error contains nothing of a secret.
fn named<T>(file: &Path, outcome: Result<T>) -> Result<T> {
    outcome.map_err(|error| format!("{}: {error}", file.display()).into())
}
