//! Mails through a real mail server. Each invitation with an address arrives, also if the server
//! is down, slow or refuses some; twice only if the worker died, with the same Message-ID. Nothing
//! but the mail contains the code.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod arriving;
mod content;
mod dying;
mod house;
mod limits;
mod scripted;
mod secrets;
