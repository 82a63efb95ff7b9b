//! Tests of the dashboard in a real browser: its looks and its behaviour for each role.

mod batches;
mod behaviour;
mod forms;
mod funnel;
mod host;
mod mails;
mod new_code;
mod rows;
mod scene;
mod screens;
mod theme;
mod times;
mod uploads;
mod webhooks;

#[path = "../harness/mod.rs"]
mod harness;
