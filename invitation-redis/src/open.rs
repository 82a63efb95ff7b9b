//! Checks of a server before a store keeps invitations on it.

use std::collections::HashMap;

use invitation_core::{EntropyError, StoreError, StoreErrorKind};
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

use crate::{
    calls::Calls,
    connection::RedisConnection,
    error::{Effect, odd_answer, store_error},
    options::Persistence,
    script::OPEN,
};

/// The layout version of the records and the index.
const LAYOUT: &[u8] = b"1";

/// Reasons why a namespace cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server cannot be reached, or refuses this user or a necessary command.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A setting of the server would make invitations unsafe.
    #[error("{node}: {setting} is {found}, but must be {wanted}")]
    Setting {
        /// The server with the setting.
        node: String,
        /// The setting, as the server calls it.
        setting: &'static str,
        /// The present value of the setting.
        found: String,
        /// The required value of the setting.
        wanted: &'static str,
    },
    /// The user lacks rights that a change needs. Nothing was written.
    #[error("{node}: the user has no permission for {}", missing.join(", "))]
    Permission {
        /// The server that refuses the commands.
        node: String,
        /// Each missing command, with the key that it is needed for.
        missing: Vec<String>,
    },
    /// Another version of this library has created the namespace.
    #[error("the namespace has a layout that this version does not know")]
    Layout,
}

/// A setting of the server is weaker than the options expect.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{node}: {setting} is {found}; {expected} was expected")]
#[non_exhaustive]
pub struct SettingWarning {
    /// The server with the setting.
    pub node: String,
    /// The setting, as the server calls it.
    pub setting: &'static str,
    /// The present value; `unknown` if this user may not read it.
    pub found: String,
    /// The value that meets the expectation.
    pub expected: &'static str,
}

pub(crate) fn unreachable(error: RedisError) -> OpenError {
    if error.kind() == ErrorKind::AuthenticationFailed {
        // The host has configured a wrong password: a later try will fail too.
        return StoreError::new(StoreErrorKind::Other, "connect").because(error).into();
    }
    store_error("connect", Effect::Reads, false, error).into()
}

pub(crate) fn no_randomness(error: EntropyError) -> OpenError {
    StoreError::new(StoreErrorKind::Unavailable, "open").because(error).into()
}

/// Checks the settings of every server that accepts writes.
pub(crate) async fn check(
    connection: &RedisConnection,
    expected: Persistence,
) -> Result<Vec<SettingWarning>, OpenError> {
    let mut info = redis::cmd("INFO");
    info.arg("everything");
    let answers = connection.ask_primaries(&info).await.map_err(unreachable)?;
    let mut warnings = Vec::new();
    for (node, answer) in answers {
        let text = redis::from_redis_value::<String>(answer)
            .map_err(|_| odd_answer("open", Effect::Reads))?;
        let info = Info(&text);
        let must = |setting, name, wanted: &'static str| {
            let found = info.get(name).unwrap_or("unknown");
            if found == wanted {
                return Ok(());
            }
            let (node, found) = (node.clone(), found.to_owned());
            Err(OpenError::Setting { node, setting, found, wanted })
        };
        match info.get("role") {
            Some("slave") => {
                let host = info.get("master_host").unwrap_or("unknown").to_owned();
                let setting = "replicaof";
                let wanted = "unset: only a primary decides";
                return Err(OpenError::Setting { node, setting, found: host, wanted });
            }
            _ => must("role", "role", "master")?,
        }
        // Eviction would remove data without any decision by the host.
        must("maxmemory-policy", "maxmemory_policy", "noeviction")?;
        if expected > Persistence::Nothing && info.get("aof_enabled") != Some("1") {
            warnings.push(SettingWarning {
                node: node.clone(),
                setting: "appendonly",
                found: if info.get("aof_enabled") == Some("0") { "no" } else { "unknown" }.into(),
                expected: "yes",
            });
        }
    }
    if expected > Persistence::Nothing {
        for setting in ["appendfsync", "no-appendfsync-on-rewrite"] {
            warnings.extend(ask(connection, setting, expected).await?);
        }
    }
    Ok(warnings)
}

/// Reads a setting that INFO does not contain. If the server does not let this user read
/// it, the value is `unknown`.
async fn ask(
    connection: &RedisConnection,
    setting: &'static str,
    persistence: Persistence,
) -> Result<Vec<SettingWarning>, OpenError> {
    let command = Cmd::new().arg("CONFIG").arg("GET").arg(setting).clone();
    let (expected, fits): (_, fn(&str) -> bool) = match (setting, persistence) {
        ("appendfsync", Persistence::EveryWrite) => ("always", |found| found == "always"),
        ("appendfsync", _) => ("everysec or always", |found| found != "no"),
        _ => ("no", |found| found == "no"),
    };
    let warn = |node: String, found: String| SettingWarning { node, setting, found, expected };
    let answers = match connection.ask_primaries(&command).await {
        Ok(answers) => answers,
        Err(error) if is_withheld(&error) => {
            return Ok(vec![warn("the server".to_owned(), "unknown".to_owned())]);
        }
        Err(error) => return Err(unreachable(error)),
    };
    let mut warnings = Vec::new();
    for (node, answer) in answers {
        let mut settings = redis::from_redis_value::<HashMap<String, String>>(answer)
            .map_err(|_| odd_answer("open", Effect::Reads))?;
        let found = settings.remove(setting);
        if !found.as_deref().is_some_and(fits) {
            warnings.push(warn(node, found.unwrap_or_else(|| "unknown".to_owned())));
        }
    }
    Ok(warnings)
}

/// Returns whether the server refuses a command to this user, or has no command of that
/// name: some operators rename `CONFIG`.
fn is_withheld(error: &RedisError) -> bool {
    let is_unknown = || error.detail().is_some_and(|text| text.starts_with("unknown command"));
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        ErrorKind::Server(ServerErrorKind::ResponseError) => is_unknown(),
        _ => false,
    }
}

/// The answer of INFO: lines of a name, a colon and a value.
struct Info<'t>(&'t str);

impl<'t> Info<'t> {
    fn get(&self, name: &str) -> Option<&'t str> {
        let value = |line: &'t str| line.trim_end().strip_prefix(name)?.strip_prefix(':');
        self.0.lines().find_map(value)
    }
}

/// Creates the keys of a namespace, or checks that existing ones have this layout.
pub(crate) async fn lay_out(calls: &Calls) -> Result<(), OpenError> {
    // Opening acknowledges no change, so replicas need not confirm anything.
    let calls = Calls { confirm: None, ..calls.clone() };
    match calls.write("open", &OPEN, &[LAYOUT.to_vec()]).await? {
        Value::Array(there) if there == [Value::BulkString(LAYOUT.to_vec())] => Ok(()),
        Value::Array(_) => Err(OpenError::Layout),
        _ => Err(odd_answer("open", Effect::Writes).into()),
    }
}
