//! The dashboard in a real browser: what it looks like, what it does, and for whom.

mod behaviour;
mod host;
mod scene;
mod screens;

#[path = "../shared/people.rs"]
mod people;
