//! The hooks of a host around each command, on the store in memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod commands;
mod host;
mod notices;
mod questions;
mod resent;
