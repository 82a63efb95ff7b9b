//! The promises of `Joined`: those of every database, and what each has of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(feature = "mysql")]
mod mysql;
mod others;
#[cfg(feature = "postgres")]
mod postgres;
mod promises;
#[cfg(feature = "sqlite")]
mod sqlite;

#[path = "../support/mod.rs"]
mod support;
