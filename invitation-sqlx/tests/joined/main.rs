//! Tests of `Joined`: those of every database, and those of a single one.

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
