//! Prometheus.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use crate::{
    programs::find,
    server::{Disk, Program, Server, Setup},
};

/// The longest time that an answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A private Prometheus server, which scrapes the metrics of a test program twice a second.
pub type Prometheus = Server<PrometheusProgram>;

/// The program of Prometheus.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum PrometheusProgram {}

impl Program for PrometheusProgram {
    /// The port on which the test program serves `/metrics`.
    type Options = u16;

    const USER: &'static str = "prometheus";

    fn prepare(setup: &Setup<'_>, target: &u16) -> io::Result<Command> {
        let config = setup.path().join("prometheus.yml");
        let settings = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}\n\
             scrape_configs:\n\
             - job_name: host\n  \
               static_configs: [{{ targets: ['127.0.0.1:{target}'] }}]\n"
        );
        fs::write(&config, settings)?;
        let mut command = setup.user.command(&find("prometheus", "prometheus")?);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", setup.data().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", setup.port))
            .arg("--log.level=warn");
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        get(port, "/-/ready").is_ok_and(|(head, _)| head.contains(" 200 "))
    }

    fn shared() -> &'static OnceLock<Prometheus> {
        static SHARED: OnceLock<Prometheus> = OnceLock::new();
        &SHARED
    }
}

impl Prometheus {
    /// Starts a server that scrapes `http://127.0.0.1:<port>/metrics`.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn scraping(port: u16) -> io::Result<Self> {
        Self::start_with(Disk::Unsynced, &port)
    }

    /// Evaluates an expression at the current time. Returns the JSON of the answer, also if the
    /// server refuses the expression.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub fn query(&self, expression: &str) -> io::Result<String> {
        let mut target = "/api/v1/query?query=".to_owned();
        for byte in expression.bytes() {
            write!(target, "%{byte:02X}").map_err(io::Error::other)?;
        }
        get(self.port(), &target).map(|(_, body)| body)
    }
}

/// Sends a request to the server on a port, and returns the head and the body of the answer.
fn get(port: u16, target: &str) -> io::Result<(String, String)> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(PATIENCE))?;
    // With HTTP/1.0, the answer ends with the connection.
    write!(connection, "GET {target} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other("the answer has no end of its head"))?;
    Ok((head.to_owned(), body.to_owned()))
}
