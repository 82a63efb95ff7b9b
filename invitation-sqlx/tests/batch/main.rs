//! Redemptions that share a statement or a message: each caller gets the same result as if
//! they had run one after the other.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(any(feature = "postgres", feature = "mysql"))]

mod harness;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod same_code;

#[path = "../support/mod.rs"]
mod support;
