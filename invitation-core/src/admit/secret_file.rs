//! Files with a secret of the host, which only their owner can read.
//!
//! The first start of a host makes the secret, and each later start reads it. Processes that
//! start together use the same secret.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    entropy::{Entropy, EntropyError, OsEntropy},
    field_error::FieldError,
};

/// The maximum length of a secret file, in bytes. A longer file is not read.
pub const MAX_BYTES: usize = 65_536;

/// The number of random bytes in the name of a draft.
const RANDOM: usize = 16;

/// Returns the text of a secret file. If there is no file, makes one with the text that `make`
/// returns.
///
/// - A new file appears complete or not at all, under an access mode of 0600 on Unix. The file
///   and its folder are synchronized to the disk before the call returns.
/// - An existing file is never overwritten. If another process makes the file at the same time,
///   the call returns the text of that process.
/// - On Unix, a file that other users can access is refused. Other systems have no such check.
///
/// The call blocks the thread. A host calls it once, at its start. The folder must be on a file
/// system with hard links.
///
/// # Errors
///
/// [`SecretFileError`]: the file cannot be read or made, other users can access it, or it is
/// longer than [`MAX_BYTES`] or no UTF-8. No message contains anything of the text.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{admit::secret_file, code::{Entropy, EntropyError, OsEntropy}};
///
/// fn new_secret() -> Result<String, EntropyError> {
///     let mut bytes = [0; 16];
///     OsEntropy.fill(&mut bytes)?;
///     Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("secret-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("session.secret");
/// let made = secret_file::read_or_create(&path, new_secret)?;
/// assert_eq!(secret_file::read_or_create(&path, new_secret)?, made);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub fn read_or_create<T: Into<Zeroizing<String>>>(
    path: impl AsRef<Path>,
    make: impl FnOnce() -> Result<T, EntropyError>,
) -> Result<Zeroizing<String>, SecretFileError> {
    let path = path.as_ref();
    let text = match read(path) {
        Err(SecretFileCause::Io(error)) if error.kind() == ErrorKind::NotFound => {
            create(path, make).and_then(|()| read(path))
        }
        found => found,
    };
    text.map_err(|cause| SecretFileError::new(path, cause))
}

/// The error of a secret file, with its path. It contains nothing of the secret.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", .path.display())]
pub struct SecretFileError {
    path: PathBuf,
    cause: SecretFileCause,
}

/// The cause of a [`SecretFileError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileCause {
    /// Users other than the owner can access the file.
    #[error("only the owner may have access: run `chmod 600` on the file")]
    NotPrivate,
    /// The file is longer than [`MAX_BYTES`].
    #[error("must not be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The file is no UTF-8.
    #[error("must be text in UTF-8")]
    NotText,
    /// The text is not a secret of the expected form.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// No secret could be made, because the source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The file system refused an operation.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl SecretFileError {
    pub(crate) fn new(path: &Path, cause: impl Into<SecretFileCause>) -> Self {
        Self { path: path.to_owned(), cause: cause.into() }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the cause.
    #[must_use]
    pub fn cause(&self) -> &SecretFileCause {
        &self.cause
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, SecretFileCause> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(SecretFileCause::NotPrivate);
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if length > MAX_BYTES {
        return Err(SecretFileCause::TooLong);
    }
    // One allocation of the full size: a growing one would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(vec![0; length]);
    file.read_exact(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretFileCause::NotText)?;
    Ok(text.to_owned().into())
}

/// Makes the file, unless it exists.
fn create<T: Into<Zeroizing<String>>>(
    path: &Path,
    make: impl FnOnce() -> Result<T, EntropyError>,
) -> Result<(), SecretFileCause> {
    let text: Zeroizing<String> = make()?.into();
    // A file in the working directory has the empty parent.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let draft = Draft::create(path)?;
    draft.write(text.as_bytes())?;
    // A rename would replace the file of another process; a link does not.
    match fs::hard_link(&draft.path, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    drop(draft);
    sync(folder.unwrap_or(Path::new(".")))?;
    Ok(())
}

/// Synchronizes the names in a folder to the disk. Only on Unix can a folder be opened for it.
fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// A file under a random name in the same folder, removed on drop.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn create(target: &Path) -> Result<Self, SecretFileCause> {
        let mut random = [0; RANDOM];
        OsEntropy.fill(&mut random)?;
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".{:032x}", u128::from_be_bytes(random)));
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { path, file })
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        (&self.file).write_all(text)?;
        self.file.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // A draft that cannot be removed is harmless: its random name is never used again.
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// Fails, where no text is to be made.
    fn no_text() -> Result<String, EntropyError> {
        Err(EntropyError::new("no device"))
    }

    #[test]
    fn secret_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.secret");
        assert_eq!(*read_or_create(&path, || Ok("first".to_owned())).unwrap(), "first");
        let again = read_or_create(&path, no_text).unwrap();
        assert_eq!(*again, "first");
        // A process that found no file meanwhile does not replace it.
        create(&path, || Ok("second".to_owned())).unwrap();
        assert_eq!(*read(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn concurrent_first_starts_use_the_same_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.secret");
        let barrier = Barrier::new(16);
        let texts: Vec<String> = std::thread::scope(|scope| {
            let start = |n: usize| {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let own = || Ok(format!("secret {n}"));
                    read_or_create(path, own).unwrap().to_string()
                })
            };
            let threads: Vec<_> = (0..16).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn failed_source_of_randomness_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.secret");
        let failed = read_or_create(&path, no_text).unwrap_err();
        assert!(matches!(failed.cause(), SecretFileCause::Entropy(_)), "{failed}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn file_that_is_too_long_or_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.secret");
        read_or_create(&path, || Ok("first".to_owned())).unwrap();
        fs::write(&path, "x".repeat(MAX_BYTES)).unwrap();
        assert_eq!(read_or_create(&path, no_text).unwrap().len(), MAX_BYTES);
        fs::write(&path, "x".repeat(MAX_BYTES + 1)).unwrap();
        let failed = read_or_create(&path, no_text).unwrap_err();
        assert!(matches!(failed.cause(), SecretFileCause::TooLong), "{failed}");
        fs::write(&path, [0xff]).unwrap();
        let failed = read_or_create(&path, no_text).unwrap_err();
        assert!(matches!(failed.cause(), SecretFileCause::NotText), "{failed}");
        assert_eq!(failed.path(), path);
    }

    #[cfg(unix)]
    #[test]
    fn file_that_others_can_access_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.secret");
        read_or_create(&path, || Ok("first".to_owned())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o602] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let failed = read_or_create(&path, no_text).unwrap_err();
            assert!(matches!(failed.cause(), SecretFileCause::NotPrivate), "{failed}");
            assert!(failed.to_string().contains("host.secret: only the owner"), "{failed}");
        }
    }
}
