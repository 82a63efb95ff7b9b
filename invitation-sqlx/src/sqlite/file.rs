//! Creation of database files.

use std::{fs::OpenOptions, io, path::Path};

/// Creates the file of a database, if it does not exist, with read access for its owner only.
/// SQLite gives the files beside it the same mode.
///
/// An existing file is not even opened. Closing it again would release all locks that the process
/// holds on it (<https://www.sqlite.org/howtocorrupt.html>).
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
