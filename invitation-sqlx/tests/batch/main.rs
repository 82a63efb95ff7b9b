//! Redemptions that share a statement, a message or a transaction: each caller gets the same result as if
//! they had run one after the other.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod harness;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod same_code;
#[cfg(feature = "sqlite")]
mod sqlite;

#[path = "../support/mod.rs"]
mod support;
