//! Several processes race for one code: exactly as many users are registered as the code
//! has uses, with their accounts, and no internal error occurs.
//!
//! This is no libtest program, because it starts itself again as each of the processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod crowd;
mod database;
mod director;
mod way;

#[path = "../support/mod.rs"]
mod support;

use std::env;

use way::Way;

/// The argument that marks a child process.
const CROWD: &str = "crowd";

#[tokio::main]
async fn main() {
    let mut words = env::args().skip(1);
    if words.next().as_deref() == Some(CROWD) {
        let words: Vec<_> = words.collect();
        let [url, way, number] = words.try_into().expect("what the director says");
        return crowd::run(&url, way.parse().unwrap(), &number).await;
    }
    let mut passed = 0;
    for (name, database) in database::all() {
        for way in Way::all_on(&database.url) {
            println!("crowds of {name}, {way}");
            director::run(&database.url, way).await;
            passed += 1;
        }
    }
    println!("\n{passed} passed, 0 failed");
}
