//! What goes wrong on the way leaves "done, with evidence" or "not done".

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod promises;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_ended;

#[path = "../support/mod.rs"]
mod support;
