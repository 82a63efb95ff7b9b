//! A small disk for the files of a server, which a test can fill completely.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// The shell script that `unshare` runs in a mount namespace of its own. It mounts a small disk
/// at the folder, copies the folder's files to the disk, and runs the program in its own place.
///
/// Only the processes of the namespace see the disk. The kernel removes it when the last of them
/// ends, however it ends.
const SCRIPT: &str = r#"
set -e
data=$1; size=$2; shift 2
mv "$data" "$data.kept"
mkdir "$data"
mount -t tmpfs -o "size=${size}m,mode=0700" tmpfs "$data"
chown --reference="$data.kept" "$data"
cp -a "$data.kept/." "$data"
exec "$@"
"#;

/// The files of a database server that are on its small disk.
///
/// The logs are those that the server recovers from: PostgreSQL's write-ahead log, MariaDB's redo
/// log and binary log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SmallDiskHolds {
    /// The tables, without the logs. The server survives a full disk.
    Data,
    /// The tables and all logs. The server may stop when it cannot write a log.
    DataAndLogs,
}

/// A small disk, known by a folder on it.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Returns the small disk that contains `folder`, for a test whose own process sees the disk.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Returns the small disk that contains `folder` in the mount namespace of the process `pid`.
    /// The test itself is outside of that namespace.
    pub(crate) fn of_process(pid: u32, folder: &Path) -> Self {
        let inside = folder.strip_prefix("/").unwrap_or(folder);
        Self(Path::new("/proc").join(pid.to_string()).join("root").join(inside))
    }

    /// Fills the disk until no byte is free.
    ///
    /// # Errors
    ///
    /// When writing fails for another reason than a full disk.
    pub fn fill(&self) -> io::Result<()> {
        // Large blocks are fast. The smaller ones fill the rest to the last byte.
        let mut ballast = OpenOptions::new().create(true).append(true).open(self.ballast())?;
        for size in [1 << 16, 1 << 10, 1] {
            let block = vec![0; size];
            loop {
                match ballast.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Frees the space that [`fill`](Self::fill) took.
    ///
    /// # Errors
    ///
    /// When the disk was not filled.
    pub fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    /// Returns the path of the file that fills the disk.
    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

/// Returns a command to which the caller adds a program and its arguments. The program finds the
/// folder `data` on a disk of `megabytes` megabytes. This needs root.
pub(crate) fn on_small_disk(data: &Path, megabytes: u32) -> Command {
    let mut mounting = Command::new("unshare");
    mounting.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(data).arg(megabytes.to_string());
    mounting
}
