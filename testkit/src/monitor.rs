//! The commands that a Redis server runs.

use std::{
    fs::{self, File},
    io,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempPath;

use crate::{
    programs::find,
    redis::{PACKAGE, Redis, ask},
    server::wait_until,
};

/// A record of all commands that a server runs, from its start on. It ends when this is dropped.
#[derive(Debug)]
pub struct Monitor {
    client: Child,
    output: TempPath,
    port: u16,
    marks: AtomicU32,
}

impl Redis {
    /// Begins to record the commands of this server, with those that its scripts run.
    ///
    /// # Errors
    ///
    /// When the client cannot be started, or the server does not answer it.
    pub fn monitor(&self) -> io::Result<Monitor> {
        let output = tempfile::NamedTempFile::new()?.into_temp_path();
        let mut client = Command::new(find("redis-cli", PACKAGE)?);
        client.args(["-h", "127.0.0.1", "-p", &self.port().to_string(), "MONITOR"]);
        let client =
            client.stdin(Stdio::null()).stdout(File::create(&output)?).stderr(Stdio::null());
        let (client, marks) = (client.spawn()?, AtomicU32::new(0));
        let monitor = Monitor { client, output, port: self.port(), marks };
        wait_until("the server confirms MONITOR", || Ok(monitor.read()?.starts_with(b"OK")))?;
        Ok(monitor)
    }
}

impl Monitor {
    /// Returns the commands so far, one a line, with all arguments.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the client has ended.
    pub fn seen(&self) -> io::Result<Vec<u8>> {
        // The server reports commands in their order: behind this one, there are all earlier ones.
        let mark = format!("mark-{}-end", self.marks.fetch_add(1, Ordering::Relaxed));
        ask(self.port, &["ECHO", &mark])?;
        let has_mark = |seen: &[u8]| seen.windows(mark.len()).any(|part| part == mark.as_bytes());
        wait_until("the client has received all commands", || Ok(has_mark(&self.read()?)))?;
        self.read()
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.output)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.client.kill().ok();
        self.client.wait().ok();
    }
}
