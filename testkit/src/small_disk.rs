//! A disk that is small enough to be filled.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Mounts a small disk in a namespace of its own, copies the data there, and becomes the
/// server. The disk is gone when the server is, however that ends.
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

/// A folder on a disk that is small enough to be filled.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// The disk that this folder is on.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder of a process that sees disks of its own.
    pub(crate) fn of_process(pid: u32, folder: &Path) -> Self {
        let inside = folder.strip_prefix("/").unwrap_or(folder);
        Self(Path::new("/proc").join(pid.to_string()).join("root").join(inside))
    }

    /// Leaves no byte free.
    ///
    /// # Errors
    ///
    /// When the disk cannot be written to, for another reason than that it is full.
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

    /// Gives the space back.
    ///
    /// # Errors
    ///
    /// When it was not filled.
    pub fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

/// The same command, with this folder on a disk of so many megabytes. Only root may do so.
pub(crate) fn with_small_disk(command: &Command, data: &Path, megabytes: u32) -> Command {
    let mut mounting = Command::new("unshare");
    mounting.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(data).arg(megabytes.to_string());
    mounting.arg(command.get_program()).args(command.get_args());
    mounting
}
