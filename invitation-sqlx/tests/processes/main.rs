//! Crowds from several processes on one code: exactly as many get in as it says, with
//! their accounts, and nobody hears of an internal error.
//!
//! Not a program of libtest, because it starts itself again as each of the processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod crowd;
mod database;
mod director;
mod way;

#[path = "../support/mod.rs"]
mod support;

use std::env;

use way::Way;

/// How a crowd is told what it is.
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
