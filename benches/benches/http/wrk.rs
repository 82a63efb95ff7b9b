//! wrk, the load generator: a script of requests, and the parsing of its report.

use std::{fmt::Write as _, net::SocketAddr};

use tokio::process::Command;

use crate::Result;

/// The kind of request.
pub(crate) enum Asked {
    Nothing,
    List,
    Create,
    /// A registration, each with the next of these codes.
    Register(Vec<String>),
}

/// The result of a run.
pub(crate) struct Measured {
    /// The number of successful answers per second.
    pub(crate) rate: f64,
}

const DONE: &str = r#"
function done(summary, latency, requests)
    local failed = summary.errors.status + summary.errors.timeout
        + summary.errors.connect + summary.errors.read + summary.errors.write
    io.write(string.format("measured %d %d %d\n", summary.requests, failed, summary.duration))
end
"#;

const HEADERS: &str = r#"
wrk.headers["Authorization"] = "Bearer ada"
wrk.headers["Content-Type"] = "application/json"
"#;

impl Asked {
    fn script(&self) -> (&'static str, String) {
        let mut script = format!("{DONE}{HEADERS}");
        let path = match self {
            Self::Nothing => "/nothing",
            Self::List => "/api/invitations?status=active",
            Self::Create => {
                script.push_str("wrk.method = \"POST\"\nwrk.body = '{\"role\":\"staff\"}'\n");
                "/api/invitations"
            }
            Self::Register(codes) => {
                script.push_str("local codes = {\n");
                for code in codes {
                    // Writing to a string does not fail.
                    let _ = writeln!(script, "\"{code}\",");
                }
                // When all codes are used up, the script sends a mistyped code.
                script.push_str(
                    r#"}
                    local n = 0
                    function request()
                        n = n + 1
                        local code = codes[n] or "used up"
                        local body = '{"code":"' .. code .. '","username":"' .. code .. '"}'
                        return wrk.format("POST", nil, nil, body)
                    end
                    "#,
                );
                "/register"
            }
        };
        (path, script)
    }
}

/// Sends requests over 32 connections for `seconds` seconds.
pub(crate) async fn run(address: SocketAddr, asked: Asked, seconds: u32) -> Result<Measured> {
    let (path, script) = asked.script();
    let file = tempfile::NamedTempFile::new()?;
    tokio::fs::write(file.path(), script).await?;
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", "32", "--duration", &format!("{seconds}s")])
        .arg("--script")
        .arg(file.path())
        .arg(format!("http://{address}{path}"));
    let output = wrk.output().await.map_err(|error| format!("wrk cannot be run: {error}"))?;
    let told = String::from_utf8(output.stdout)?;
    let measured = told.lines().find_map(|line| line.strip_prefix("measured "));
    let numbers: Vec<f64> =
        measured.into_iter().flat_map(str::split_whitespace).flat_map(str::parse).collect();
    let &[requests, failed, micros] = numbers.as_slice() else {
        return Err(format!("wrk did not say what it measured: {told}").into());
    };
    // Requests after the last code fail, and are not counted.
    let rate = (requests - failed) * 1e6 / micros;
    if rate > 0.0 {
        Ok(Measured { rate })
    } else {
        Err(format!("nothing succeeded: {told}").into())
    }
}
