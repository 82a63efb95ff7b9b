//! Several processes race for one code: exactly as many users are registered as the code
//! has uses, with their accounts, and no internal error occurs.
//!
//! This is no libtest program, because it starts itself again as each of the processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod child;
mod database;
mod director;
mod setup;

#[path = "../support/mod.rs"]
mod support;

use std::env;

use setup::Setup;

/// The argument that marks a child process.
const CHILD: &str = "child";

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(CHILD) {
        let arguments: Vec<_> = arguments.collect();
        let [url, setup, number] = arguments.try_into().expect("what the director says");
        return child::run(&url, setup.parse().unwrap(), &number).await;
    }
    let mut passed = 0;
    for (name, database) in database::all() {
        for setup in Setup::all_on(&database.url) {
            println!("children of {name}, {setup}");
            director::run(&database.url, setup).await;
            passed += 1;
        }
    }
    println!("\n{passed} passed, 0 failed");
}
