//! Deliveries on the store in memory: rights, limits, claims, and what became of each mail.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod batches;
mod house;
mod keeping;
mod new_codes;
mod not_kept;
mod resending;
mod unreadable;
mod working;
