//! Redemptions that share a statement or a message: for each caller it is as if they had
//! come one after the other.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(any(feature = "postgres", feature = "mysql"))]

#[cfg(feature = "mysql")]
mod mysql;
mod one_code;
#[cfg(feature = "postgres")]
mod postgres;
mod station;

#[path = "../support/mod.rs"]
mod support;
