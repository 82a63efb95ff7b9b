//! Tests of the dashboard over plain HTTP: its responses and headers for each user.

mod audit_log;
mod batches;
mod editing;
mod expiry;
mod figures;
mod funnel;
mod importing;
mod logging;
mod mails;
mod mounting;
mod names;
mod new_code;
mod pages;
mod problems;
mod qr;
mod queries;
mod secrets;
mod support;
mod uploads;
mod uses;
mod webhooks;

#[path = "../harness/mod.rs"]
mod harness;
