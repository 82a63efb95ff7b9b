//! Tests of the JSON API, as clients see it.

mod bulk;
mod changes;
mod create;
mod deliveries;
mod events;
mod export;
mod filters;
mod funnel;
mod hooks;
mod hostile;
mod import_results;
mod imports;
mod list;
mod literal;
mod objects;
mod one;
mod openapi;
mod order;
mod protect;
mod raw;
mod refused_uploads;
mod resend_all;
mod revoke_all;
mod silence;
mod sockets;
mod stalling;
mod store;
mod support;
mod uploads;
mod uses;
mod webhooks;

#[path = "../harness/mod.rs"]
mod harness;
