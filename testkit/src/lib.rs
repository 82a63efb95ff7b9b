//! Private servers for tests: real ones, from the system's packages, on free ports of the
//! loopback interface. They end with the test program.
//!
//! - [`Postgres`]: PostgreSQL, package `postgresql`.
//! - [`MariaDb`]: MariaDB, package `mariadb-server`.
//! - [`Galera`]: three MariaDB nodes as one cluster, package `galera-4`.
//! - [`Redis`], alone or with a replica, and [`RedisCluster`]: package `redis-server`.
//! - [`Smtp`], a mail server: package `python3-aiosmtpd`.
//! - [`Prometheus`], which scrapes the metrics of the test program: package `prometheus`.
//! - `Browser`, with the feature of that name: Chromium, package `chromium-driver`.
//! - [`Proxy`]: a connection to a server that breaks on purpose.
//! - [`Monitor`]: a record of the commands that a Redis server runs.
//! - [`SmallDisk`]: a disk for a server's data that a test fills.
//! - [`Log`]: captures the log output of a program.
//! - [`ListeningProgram`]: a program under test that serves HTTP.
//! - [`DropAfter`]: a call whose caller disconnects.
//! - [`Canary`], and many of them as [`Canaries`]: secrets that must not be found in what a store
//!   leaves behind.
//! - `Answer`, with the feature `http`: a whole HTTP response, and assertions about it.
//!
//! Each kind of server is a [`Server`] of its own [`Program`]. The program describes how the
//! server's folder is initialised, how the server is started, and when it is ready. A server has
//! `start`, and `shared` for an instance that all tests of a program use. Each test gets its own
//! database there (`create_database`; on Redis, a namespace). A server that cannot be started is
//! an error, never a skipped test.
//!
//! The environment variable `INVITATION_TEST_PROGRAMS` names a folder whose programs
//! replace the system's. `scripts/matrix` uses it to run the tests on other versions, and
//! on MySQL in place of MariaDB.

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "browser")]
mod browser;
mod canary;
mod drop_after;
mod galera;
mod listening;
mod log;
mod mariadb;
mod monitor;
mod network;
mod postgres;
mod process;
mod programs;
mod prometheus;
mod proxy;
mod redis;
mod redis_cluster;
mod server;
mod small_disk;
mod smtp;
#[cfg(feature = "browser")]
mod window;

use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "http")]
pub use self::answer::Answer;
#[cfg(feature = "browser")]
pub use self::{
    browser::{Browser, ChromeDriver, HOST_NAME, Look},
    window::{Window, keys},
};
pub use self::{
    canary::{Canaries, Canary},
    drop_after::DropAfter,
    galera::Galera,
    listening::ListeningProgram,
    log::Log,
    mariadb::{MariaDb, MariaDbProgram},
    monitor::Monitor,
    postgres::{Postgres, PostgresProgram},
    prometheus::{Prometheus, PrometheusProgram},
    proxy::Proxy,
    redis::{Redis, RedisProgram},
    redis_cluster::RedisCluster,
    server::{Program, Server, Setup, SmallDiskProgram},
    small_disk::SmallDisk,
    smtp::{ReceivedMail, Smtp, SmtpProgram},
};

/// Returns a name that no other database of the test program has.
fn database_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
