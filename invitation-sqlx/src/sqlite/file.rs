//! New database files.

use std::{fs::OpenOptions, io, path::Path};

/// Creates the file of a database if there is none, such that nobody but its owner can read
/// it. SQLite gives the files beside it the same mode.
///
/// A file that exists is not even opened: closing it again would end all locks that the
/// process holds on it (<https://www.sqlite.org/howtocorrupt.html>).
pub(super) fn create(path: &Path) -> io::Result<()> {
    let is_no_file = path.as_os_str().is_empty()
        || path.as_os_str() == ":memory:"
        || path.to_str().is_some_and(|path| path.starts_with("file:"));
    if is_no_file {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
