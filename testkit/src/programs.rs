//! The servers' programs, and the users that run them.

use std::{
    env, fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Folders that are searched in addition to `PATH`.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The environment variable that names a folder whose programs replace the system's: other
/// versions of the servers.
const PROGRAMS: &str = "INVITATION_TEST_PROGRAMS";

/// Returns a program of that folder, if it is there.
pub(crate) fn chosen(name: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env::var_os(PROGRAMS)?).join(name);
    file.is_file().then_some(file)
}

/// Finds a program. The error names its package.
pub(crate) fn find(name: &str, package: &str) -> io::Result<PathBuf> {
    if let Some(file) = chosen(name) {
        return Ok(file);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| missing(name, package))
}

/// Returns the error that names a missing program and its package.
pub(crate) fn missing(name: &str, package: &str) -> io::Error {
    let text = format!(
        "{name} is not installed. On Debian and Ubuntu it is in the package {package} \
         (apt-get install {package}); scripts/test installs it"
    );
    io::Error::new(io::ErrorKind::NotFound, text)
}

/// The user that a server runs as, because database servers refuse to run as root.
#[derive(Clone, Debug)]
pub(crate) struct RunAs(Option<&'static str>);

impl RunAs {
    /// Selects `user` if this program runs as root, and otherwise its own user.
    pub(crate) fn instead_of_root(user: &'static str) -> io::Result<Self> {
        let is_root = tempfile::tempfile()?.metadata()?.uid() == 0;
        Ok(Self(is_root.then_some(user)))
    }

    /// Returns a command that runs `program` as that user, in the same process.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(user) = self.0 else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
        command.arg("--clear-groups").arg(program);
        command
    }

    /// Makes that user the owner of a folder.
    pub(crate) fn give(&self, folder: &Path) -> io::Result<()> {
        let Some(user) = self.0 else { return Ok(()) };
        let (uid, gid) = fs::read_to_string("/etc/passwd")?
            .lines()
            .find_map(|line| {
                let mut fields = line.split(':');
                if fields.next() != Some(user) {
                    return None;
                }
                let mut number = || fields.next()?.parse::<u32>().ok();
                number(); // the password's place
                Some((number()?, number()?))
            })
            .ok_or_else(|| io::Error::other(format!("there is no user {user}")))?;
        chown(folder, Some(uid), Some(gid))
    }
}

/// Runs a command to its end. On failure the error contains its error output.
pub(crate) fn run(command: &mut Command) -> io::Result<Output> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {}", complaint.trim())))
}
