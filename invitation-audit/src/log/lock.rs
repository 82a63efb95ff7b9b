//! The opening and locking of a log's file.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use super::LogError;

/// The number of times that another writer may replace a file while this one opens it.
const MAX_REPLACED: u32 = 16;

/// Opens a file, or creates one that on Unix only its owner can read, and locks it.
pub(super) fn open_locked(path: &Path) -> Result<File, LogError> {
    lock(path, open)
}

fn lock(path: &Path, mut open: impl FnMut(&Path) -> io::Result<File>) -> Result<File, LogError> {
    for _ in 0..MAX_REPLACED {
        let file = open(path).map_err(LogError::other)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LogError::Locked,
            TryLockError::Error(error) => LogError::other(error),
        })?;
        if is_at(&file, path).map_err(LogError::other)? {
            return Ok(file);
        }
    }
    Err(LogError::Locked)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns whether a path still names this file. An erasure may have replaced it between the
/// opening and the locking. The lock is then on the old file, which no other writer opens.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((own.dev(), own.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns `true`: the standard library cannot compare files on other systems.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Gives a copy the owner and the permissions of a file. If this process may not give files away,
/// only the owner of the copy can read it.
#[cfg(unix)]
pub(super) fn keep_access(file: &File, copy: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let access = file.metadata()?;
    // First the owner: the permissions of a group are meant for that group alone.
    if fchown(copy, Some(access.uid()), Some(access.gid())).is_ok() {
        copy.set_permissions(access.permissions())?;
    }
    Ok(())
}

/// Does nothing: a new file takes the access of its folder on other systems.
#[cfg(not(unix))]
pub(super) fn keep_access(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

/// Makes a new name of a file survive a crash of the machine.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // Other systems cannot open a folder as a file.
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn file_replaced_before_its_lock_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, beside) = (folder.path().join("log"), folder.path().join("log.erasing"));
        fs::write(&path, "before").unwrap();
        let mut calls = 0;
        let mut file = lock(&path, |path| {
            calls += 1;
            let file = open(path);
            // An erasure of another writer, which then ends.
            if calls == 1 {
                fs::write(&beside, "after")?;
                fs::rename(&beside, path)?;
            }
            file
        })
        .unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "after");
        assert!(matches!(open_locked(&path), Err(LogError::Locked)));
    }

    #[test]
    fn file_replaced_at_every_opening_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut calls = 0;
        let refused = lock(&path, |path| {
            calls += 1;
            let file = open(path);
            fs::remove_file(path)?;
            file
        });
        assert!(matches!(refused, Err(LogError::Locked)));
        assert_eq!(calls, MAX_REPLACED);
    }
}
