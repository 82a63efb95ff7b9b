//! A private server of the test program, of any kind that a [`Program`] describes.

use std::{
    fmt::Debug,
    fs, io,
    marker::PhantomData,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use crate::{
    network::free_ports,
    process::{Folder, Process},
    programs::RunAs,
    small_disk::{SmallDisk, SmallDiskHolds},
};

/// The interval between checks for a condition that takes time.
const PAUSE: Duration = Duration::from_millis(20);

/// The maximum time until a server has ended.
const END: Duration = Duration::from_secs(20);

/// A program that runs as a [`Server`].
pub trait Program: Debug + Sized + Send + Sync + 'static {
    /// The options of a server, in addition to its [`Setup`].
    type Options: Default;

    /// The user that the server runs as, if the test program runs as root.
    const USER: &'static str;
    /// The maximum time until the server is ready.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// The signal that ends the server at once, like a crash.
    const STOP_SIGNAL: &'static str = "KILL";

    /// Initialises the server's folder, and returns the command that starts the server.
    ///
    /// # Errors
    ///
    /// When programs are missing, or the folder cannot be initialised.
    fn prepare(setup: &Setup<'_>, options: &Self::Options) -> io::Result<Command>;

    /// Returns whether the server on this port is ready.
    fn is_ready(port: u16) -> bool;

    /// Returns the place of the server that all tests of this program share.
    fn shared() -> &'static OnceLock<Server<Self>>;
}

/// Names and values of a server's settings.
pub(crate) type Settings = Vec<(String, String)>;

pub(crate) fn owned(settings: &[(&str, &str)]) -> Settings {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A program whose data a test may put on a small disk.
pub trait SmallDiskProgram: Program {
    /// The size of a small disk with the tables only, in megabytes.
    const SMALL: u32;
    /// The size of a small disk with the tables and the logs, in megabytes.
    const SMALL_WITH_LOGS: u32;
}

/// Where and how a server is to run.
#[derive(Debug)]
pub struct Setup<'a> {
    pub(crate) user: &'a RunAs,
    pub(crate) folder: &'a Folder,
    pub(crate) port: u16,
    pub(crate) disk: Disk,
    pub(crate) small_disk: Option<SmallDiskHolds>,
}

impl Setup<'_> {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.data()
    }
}

/// Whether a server makes its commits durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Disk {
    /// The server waits for the disk, as in production.
    Durable,
    /// The server does not wait: tests that do not simulate a power loss run in a fraction
    /// of the time.
    Unsynced,
}

/// A private server of the test program. It ends, and its data are removed, when this is
/// dropped or the program ends.
#[derive(Debug)]
pub struct Server<P: Program> {
    process: Process,
    port: u16,
    program: PhantomData<P>,
}

impl<P: Program> Server<P> {
    /// Starts a server that does not wait for the disk. A server that has no disk storage by
    /// default keeps everything in memory.
    ///
    /// # Errors
    ///
    /// When its programs are missing, or it is not ready in time. The error contains the end
    /// of its log.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Disk::Unsynced, &P::Options::default())
    }

    /// Starts a server that waits for the disk before it answers, as in production.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn durable() -> io::Result<Self> {
        Self::start_with(Disk::Durable, &P::Options::default())
    }

    /// Returns the server that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the server cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        P::shared().get_or_init(|| Self::start().unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) fn start_with(disk: Disk, options: &P::Options) -> io::Result<Self> {
        try_thrice(|| {
            let [port] = free_ports()?;
            Self::start_on(port, disk, options)
        })
    }

    pub(crate) fn start_on(port: u16, disk: Disk, options: &P::Options) -> io::Result<Self> {
        Self::once(port, disk, None, options)
    }

    fn once(
        port: u16,
        disk: Disk,
        small: Option<(SmallDiskHolds, u32)>,
        options: &P::Options,
    ) -> io::Result<Self> {
        let user = RunAs::instead_of_root(P::USER)?;
        let folder = Folder::new(&user)?;
        let (small_disk, megabytes) = small.unzip();
        let setup = Setup { user: &user, folder: &folder, port, disk, small_disk };
        let command = P::prepare(&setup, options)?;
        let (signal, is_ready) = (P::STOP_SIGNAL, || P::is_ready(port));
        let process = Process::start(folder, &command, signal, P::PATIENCE, megabytes, is_ready)?;
        Ok(Self { process, port, program: PhantomData })
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder of the server.
    pub(crate) fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// Returns the process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Returns the paths of all files of the server: its data, its own logs, and the file `log`
    /// with what it prints.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let (mut files, mut folders) = (Vec::new(), vec![self.process.folder().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        Ok(files)
    }

    /// Ends the server like a crash. Its data stay.
    ///
    /// # Errors
    ///
    /// When its watchdog has ended.
    pub fn stop_now(&self) -> io::Result<()> {
        self.process.stop()
    }

    /// Starts the server again on the same data and port.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn start_again(&self) -> io::Result<()> {
        self.process.start_again(|| P::is_ready(self.port))
    }

    /// Stops the server's process in the middle of its work. Its connections stay open, and
    /// it answers nothing until [`thaw`](Self::thaw).
    ///
    /// # Errors
    ///
    /// When the server does not run.
    pub fn freeze(&self) -> io::Result<()> {
        self.process.signal("STOP")
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    ///
    /// When the server does not run.
    pub fn thaw(&self) -> io::Result<()> {
        self.process.signal("CONT")
    }

    /// Limits the size of the server's files: a write beyond it fails, as on a full disk.
    /// `None` removes the limit. The limit lasts until the server ends. PostgreSQL stops when
    /// the limit is below the 16 MiB of a segment of its write-ahead log.
    ///
    /// # Errors
    ///
    /// When the server does not run, or `prlimit` fails.
    pub fn limit_files(&self, bytes: Option<u64>) -> io::Result<()> {
        self.process.limit_files(&RunAs::instead_of_root(P::USER)?, bytes)
    }

    /// Waits until the server has ended by itself.
    ///
    /// # Errors
    ///
    /// When the server has not ended within 20 seconds.
    pub fn wait_for_end(&self) -> io::Result<()> {
        wait_until("the server has ended", || Ok(!self.process.is_running()))
    }
}

impl<P: SmallDiskProgram> Server<P> {
    /// Starts a server whose tables, but not its logs, are on a small disk. This needs root.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start), and when the disk cannot be mounted.
    pub fn on_small_disk() -> io::Result<(Self, SmallDisk)> {
        Self::on_disk(Disk::Unsynced, SmallDiskHolds::Data, P::SMALL)
    }

    /// Starts a server whose tables and logs are on a small disk. It waits for the disk at each
    /// commit. This needs root.
    ///
    /// # Errors
    ///
    /// The same as for [`on_small_disk`](Self::on_small_disk).
    pub fn on_small_disk_with_logs() -> io::Result<(Self, SmallDisk)> {
        Self::on_disk(Disk::Durable, SmallDiskHolds::DataAndLogs, P::SMALL_WITH_LOGS)
    }

    fn on_disk(disk: Disk, holds: SmallDiskHolds, megabytes: u32) -> io::Result<(Self, SmallDisk)> {
        try_thrice(|| {
            let [port] = free_ports()?;
            let small = Some((holds, megabytes));
            let server = Self::once(port, disk, small, &P::Options::default())?;
            let disk = server.process.small_disk();
            Ok((server, disk))
        })
    }
}

/// Tries to start, each time with new ports, because another program may take one first.
pub(crate) fn try_thrice<T>(mut start: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    // The program is not installed, so another try fails too.
    let is_final = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    for _ in 0..2 {
        match start() {
            Err(error) if !is_final(&error) => {}
            done => return done,
        }
    }
    start()
}

/// Waits for a condition, with a timeout.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        if begun.elapsed() > END {
            return Err(io::Error::other(format!("in vain: {what}")));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
