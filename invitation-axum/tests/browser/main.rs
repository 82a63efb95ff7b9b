//! Tests of the dashboard in a real browser: its looks and its behaviour for each role.

mod behaviour;
mod host;
mod scene;
mod screens;

#[path = "../harness/mod.rs"]
mod harness;
