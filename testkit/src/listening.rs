//! A program under test that serves HTTP, as a separate process.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// The maximum time until the program listens.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running program whose first line of output is `listening on http://127.0.0.1:<port>`.
/// It is killed when this is dropped.
#[derive(Debug)]
pub struct ListeningProgram {
    child: Child,
    base: String,
    log: Option<JoinHandle<String>>,
}

impl ListeningProgram {
    /// Starts a program, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When the program cannot be started, or does not say within a minute where it listens.
    /// The error contains its output.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pipes = child.stdout.take().zip(child.stderr.take());
        let (stdout, mut stderr) = pipes.ok_or_else(|| io::Error::other("no pipe"))?;
        let (tell, told) = mpsc::channel();
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        });
        let log = thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut first = String::new();
            stdout.read_line(&mut first).ok();
            tell.send(first.clone()).ok();
            let mut rest = Vec::new();
            stdout.read_to_end(&mut rest).ok();
            let complaints = complaints.join().unwrap_or_default();
            format!("{first}{}{complaints}", String::from_utf8_lossy(&rest))
        });
        let mut program = Self { child, base: String::new(), log: Some(log) };
        let first = told.recv_timeout(PATIENCE).unwrap_or_default();
        match first.trim_end().strip_prefix("listening on ") {
            Some(base) if base.starts_with("http://127.0.0.1:") => {
                base.clone_into(&mut program.base);
            }
            _ => {
                let said = program.kill();
                return Err(io::Error::other(format!("it does not say where it listens: {said}")));
            }
        }
        Ok(program)
    }

    /// Returns the base URL of the program.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Kills the process like a crash, and returns its output. A second call returns none.
    pub fn kill(&mut self) -> String {
        self.child.kill().ok();
        self.child.wait().ok();
        self.output()
    }

    /// Asks the process to stop. Returns whether it ended successfully, and its output.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    pub fn stop(mut self) -> io::Result<(bool, String)> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        if !asked.success() {
            return Err(io::Error::other("it does not run"));
        }
        let ended = self.child.wait()?;
        Ok((ended.success(), self.output()))
    }

    fn output(&mut self) -> String {
        self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default()
    }
}

impl Drop for ListeningProgram {
    fn drop(&mut self) {
        let said = self.kill();
        if thread::panicking() && !said.is_empty() {
            eprintln!("the program said:\n{said}");
        }
    }
}
