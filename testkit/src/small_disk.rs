//! A disk that is small enough to be filled.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Mounts a small disk in its own mount namespace, copies the data there, and becomes the
/// program. The disk disappears when the last process of that namespace ends, for whatever
/// reason.
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

/// Which files of a server are on its small disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SmallDiskHolds {
    /// The tables only, so that the server itself survives a full disk.
    Data,
    /// The tables and all logs. A server may stop when it cannot write its log.
    DataAndLogs,
}

/// A folder on a disk that is small enough to be filled.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Returns the disk that contains this folder.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Returns the folder as a process with its own mount namespace sees it.
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

    /// Frees the space again.
    ///
    /// # Errors
    ///
    /// When the disk was not filled.
    pub fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

/// Returns the beginning of a command. The program that follows it sees this folder on a disk
/// of `megabytes` megabytes. This needs root.
pub(crate) fn on_small_disk(data: &Path, megabytes: u32) -> Command {
    let mut mounting = Command::new("unshare");
    mounting.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(data).arg(megabytes.to_string());
    mounting
}
