//! Private database servers for tests: real ones, from the system's packages, on
//! free ports of the loopback interface, gone when the test program ends.
//!
//! - [`Postgres`]: PostgreSQL, package `postgresql`.
//! - [`MariaDb`]: MariaDB, package `mariadb-server`.
//! - [`Galera`]: three MariaDB nodes as one cluster, package `galera-4`.
//! - [`Redis`], alone or with a replica, and [`RedisCluster`]: package `redis-server`.
//! - `Browser`, with the feature of that name: Chromium, package `chromium-driver`.
//! - [`Proxy`]: a wire to one of them that breaks on purpose.
//! - [`SmallDisk`]: a disk for a server's data that a test fills.
//! - [`Log`]: what a program logs.
//!
//! Each server has `start`, and `shared` for the one that all tests of a program use, each
//! in a database of its own (`create_database`; on Redis, in a namespace). A server
//! that cannot be started is an error, never a skipped test.
//!
//! The environment variable `INVITATION_TEST_PROGRAMS` names a folder whose programs are taken
//! instead of the system's: `scripts/matrix` runs the tests on other versions that way, and on
//! MySQL in the place of MariaDB.

#[cfg(feature = "browser")]
mod browser;
mod galera;
mod log;
mod mariadb;
mod network;
mod postgres;
mod programs;
mod proxy;
mod redis;
mod redis_cluster;
mod server;
mod small_disk;
#[cfg(feature = "browser")]
mod window;

use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "browser")]
pub use self::{
    browser::{Browser, HOST_NAME, Look},
    window::{Window, keys},
};
pub use self::{
    galera::Galera, log::Log, mariadb::MariaDb, postgres::Postgres, proxy::Proxy, redis::Redis,
    redis_cluster::RedisCluster, small_disk::SmallDisk,
};

/// How a server treats what it has committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Disk {
    /// It waits for the disk, as a server in use does.
    Durable,
    /// It does not: tests that do not lose power take a fraction of the time.
    Careless,
}

/// A name that no other database of the test program has.
fn database_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
