//! Killing this program after each step of a registration, and starting it again.

use std::{
    env,
    process::{Command, ExitCode, abort},
};

use crate::Result;

/// The points where the program can be killed: after each of its steps.
pub(crate) const STEPS: [&str; 4] = ["reserved", "account created", "committed", "account active"];

/// No step: the program is not killed.
pub(crate) const NEVER: &str = "-";

/// The step after which the program is killed.
pub(crate) struct KillAt(pub(crate) String);

impl KillAt {
    /// Kills the program if this is the step.
    pub(crate) fn after(&self, step: &str) {
        if self.0 == step {
            // As abrupt as kill -9: nothing is flushed, closed or rolled back.
            abort();
        }
    }
}

/// Runs this program again as a separate process, and prints what it says. A process that
/// is killed says nothing.
pub(crate) fn run(arguments: &[&str]) -> Result {
    let output = Command::new(env::current_exe()?).args(arguments).output()?;
    print!("  {}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        println!("{}", if told.is_empty() { "(killed)" } else { told.trim_end() });
    } else if output.stdout.is_empty() {
        println!("(nothing to resume)");
    }
    Ok(())
}

/// Ends the program with its result.
pub(crate) fn ended(done: Result) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
