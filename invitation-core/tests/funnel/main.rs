//! The funnel: its numbers, whatever happens to the counter, and who may read them.

mod counting;
mod epochs;
mod reading;
mod removing;
mod support;
mod truth;
