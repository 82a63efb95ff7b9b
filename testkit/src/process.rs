//! A server process in its own folder, and the watchdog that ends it.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    programs::{RunAs, find, run},
    small_disk::{SmallDisk, on_small_disk},
};

/// The watchdog: a shell whose standard input the test program holds open. However that
/// program ends, the input ends with it. The watchdog then ends the server and removes its
/// folder. (Two alternatives do not work: values of statics are never dropped, and a
/// parent-death signal is sent when the *thread* that started the server ends.)
const WATCHDOG: &str = r#"
# Ignoring XFSZ makes a write beyond the file size limit fail, as on a full disk.
trap '' INT TERM HUP XFSZ
folder=$1; signal=$2; shift 2
p=
end() {
    if [ -n "$p" ]; then
        # If the server leads a process group, the whole group.
        kill -"$signal" "-$p" 2>/dev/null || kill -"$signal" "$p" 2>/dev/null
        wait "$p" 2>/dev/null
    fi
    p=
}
while read -r order; do
    case $order in
        start) "$@" >>"$folder/log" 2>&1 </dev/null & p=$!; echo "$p" ;;
        stop) end; echo stopped ;;
    esac
done
end
# The small disk, if there is one.
umount "$folder/data" 2>/dev/null
rm -rf "$folder"
"#;

/// The interval between checks whether a server is ready.
const PAUSE: Duration = Duration::from_millis(50);

/// A server's folder, owned by the user it runs as.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(user: &RunAs) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("invitation-").tempdir()?;
        user.give(folder.path())?;
        Ok(Self(folder.keep()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The watchdog removes the folder too; the second removal finds nothing.
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A server's process and its watchdog.
#[derive(Debug)]
pub(crate) struct Process {
    wires: Mutex<Wires>,
    // Fields drop in order: the pipes above end the server before its folder is removed.
    folder: Folder,
    patience: Duration,
}

/// The watchdog and the pipes to it.
#[derive(Debug)]
struct Wires {
    watchdog: Child,
    /// `None` once the watchdog has been told to end, by closing the pipe.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The process id of the server, while it runs.
    pid: Option<u32>,
}

impl Process {
    /// Starts `command` under a watchdog, and waits until `is_ready`, no longer than
    /// `patience`. `signal` is the signal that ends the server at once. With `megabytes`, the
    /// folder [`Folder::data`] is on a disk of that size.
    pub(crate) fn start(
        folder: Folder,
        command: &Command,
        signal: &str,
        patience: Duration,
        megabytes: Option<u32>,
        is_ready: impl Fn() -> bool,
    ) -> io::Result<Self> {
        let mut watchdog = match megabytes {
            // The watchdog is in the disk's mount namespace, so the disk outlives a crash of the
            // server.
            Some(megabytes) => {
                let mut watchdog = on_small_disk(&folder.data(), megabytes);
                watchdog.arg("sh");
                watchdog
            }
            None => Command::new("sh"),
        };
        let mut watchdog = watchdog
            .args(["-c", WATCHDOG, "sh"])
            .arg(folder.path())
            .arg(signal)
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = watchdog.stdin.take();
        let answers = watchdog.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let wires = Wires { watchdog, orders, answers: BufReader::new(answers), pid: None };
        let server = Self { wires: Mutex::new(wires), folder, patience };
        server.start_again(is_ready)?;
        Ok(server)
    }

    /// Starts the server on its folder again, after [`stop`](Self::stop).
    pub(crate) fn start_again(&self, is_ready: impl Fn() -> bool) -> io::Result<()> {
        let mut wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = wires.order("start")?.parse().map_err(io::Error::other)?;
        wires.pid = Some(pid);
        let begun = Instant::now();
        while !is_ready() {
            if has_ended(pid) || begun.elapsed() > self.patience {
                return Err(io::Error::other(self.log_tail()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Ends the server at once, without a clean shutdown. Its folder stays.
    pub(crate) fn stop(&self) -> io::Result<()> {
        let mut wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        wires.pid = None;
        wires.order("stop").map(|_| ())
    }

    /// Returns the folder of the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the process id while the server runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner).pid
    }

    /// Limits the size of the server's files: a write beyond it fails, as on a broken disk.
    /// `None` removes the limit. It holds for the server's current processes, and for those
    /// that it starts later. `user` is the user of the server: root in a container may not change
    /// the limits of other users' processes.
    pub(crate) fn limit_files(&self, user: &RunAs, bytes: Option<u64>) -> io::Result<()> {
        let pid = self.pid().ok_or_else(|| io::Error::other("it does not run"))?;
        let soft = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let limit = |pid: &str| {
            let mut limit = user.command(&find("prlimit", "util-linux")?);
            limit.arg(format!("--pid={pid}")).arg(format!("--fsize={soft}:unlimited"));
            run(&mut limit)
        };
        // The parent first: a process that it starts from now on inherits the limit.
        limit(&pid.to_string())?;
        for child in fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?.split(' ') {
            // A process that has ended meanwhile needs no limit.
            if Path::new("/proc").join(child).exists() && !child.is_empty() {
                limit(child)?;
            }
        }
        Ok(())
    }

    /// Sends a signal to the process, for example `STOP` and `CONT`.
    pub(crate) fn signal(&self, signal: &str) -> io::Result<()> {
        let pid = self.pid().ok_or_else(|| io::Error::other("it does not run"))?;
        run(Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string())).map(|_| ())
    }

    /// Returns whether its process exists.
    pub(crate) fn is_running(&self) -> bool {
        self.pid().is_some_and(|pid| !has_ended(pid))
    }

    /// Returns the disk that contains the data, if the server was started on a small one.
    pub(crate) fn small_disk(&self) -> SmallDisk {
        let wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        SmallDisk::of_process(wires.watchdog.id(), &self.folder.data())
    }

    /// Returns the end of the server's log.
    fn log_tail(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(25)..).unwrap_or_default();
        format!("the server did not start:\n{}", tail.join("\n"))
    }
}

impl Wires {
    /// Sends an order to the watchdog, and returns its answer.
    fn order(&mut self, order: &str) -> io::Result<String> {
        let orders = self.orders.as_mut().ok_or_else(|| io::Error::other("it has ended"))?;
        writeln!(orders, "{order}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        drop(self.orders.take());
        // The watchdog's remaining work is bounded: kill, wait, remove.
        self.watchdog.wait().ok();
    }
}

/// Returns whether the process has ended, even if its watchdog has not noticed yet.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}
