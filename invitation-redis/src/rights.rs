//! The rights that the store's user needs on the server.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::{
    calls::Calls,
    error::{Effect, odd_answer},
    open::{OpenError, unreachable},
    script::RIGHTS,
};

/// Checks that the user may run every command that the store needs, on every key of the
/// namespace and on every primary. Redis does not undo the writes of a script when it
/// refuses a later command. A missing right must therefore be found before the first
/// change.
///
/// `ACL DRYRUN` and `ACL GETUSER` need rights of their own. The check that scripts can call
/// needs only `EVAL`.
pub(crate) async fn check(calls: &Calls) -> Result<(), OpenError> {
    let mut evaluation = redis::cmd("EVAL");
    // The call declares no key, so that primaries of other slots answer too.
    evaluation.arg(RIGHTS.source()).arg(0).arg(calls.keys.all()).arg(of_the_client(calls));
    let answers = match calls.connection.ask_primaries(&evaluation).await {
        Ok(answers) => answers,
        Err(error) if is_forbidden(&error) => {
            let (node, missing) = ("the server".to_owned(), vec!["EVAL".to_owned()]);
            return Err(OpenError::Permission { node, missing });
        }
        Err(error) => return Err(unreachable(error)),
    };
    for (node, answer) in answers {
        if matches!(answer, Value::Nil) {
            let (setting, wanted) = ("redis_version", "7.0 or later");
            return Err(OpenError::Setting { node, setting, found: "older".to_owned(), wanted });
        }
        let missing = redis::from_redis_value::<Vec<String>>(answer)
            .map_err(|_| odd_answer("open", Effect::Reads))?;
        if !missing.is_empty() {
            return Err(OpenError::Permission { node, missing });
        }
    }
    Ok(())
}

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}

/// Returns the commands without a key that the client or a script sends besides `EVAL`, each
/// with arguments that make it complete.
fn of_the_client(calls: &Calls) -> Vec<String> {
    let mut commands =
        vec!["EVALSHA - 0".to_owned(), "INFO everything".to_owned(), "TIME".to_owned()];
    if calls.confirm.is_some() {
        commands.push("WAIT 1 1".to_owned());
    }
    if calls.connection.is_cluster() {
        // The client looks up the slots, follows a moving slot, and pings its connections.
        commands.extend(["CLUSTER SLOTS", "ASKING", "PING"].map(str::to_owned));
    }
    commands
}
