//! A model of the whole service, and random sequences of calls that compare a store with
//! it.
//!
//! The model is a second, naive implementation of the rules: plain lists and loops, written
//! from the documentation and not from the code. [`check`] draws sequences of every command
//! of [`Invitations`](invitation_core::Invitations). In between, the clock moves, the policy,
//! the limits and the key of the codes change, and the store is opened again.
//!
//! After each step it compares these with the model: the answer, every fact of every
//! invitation, the counts, the open reservations, the redemptions and the events. A
//! difference is shrunk to a short sequence and reported.
//!
//! The drawn sequences depend only on the seed and the arguments: the same call of
//! [`check`] fails again in the same way.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use invitation::{MemoryStore, Store, testing::model};
//!
//! #[derive(Default)]
//! struct Memory(Arc<MemoryStore>);
//!
//! #[async_trait]
//! impl model::StoreProvider for Memory {
//!     async fn open(&mut self) -> Arc<dyn Store> {
//!         // A store on disk is closed and opened again here.
//!         Arc::clone(&self.0) as Arc<dyn Store>
//!     }
//! }
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! // 20 sequences of up to 10 steps, each on an empty store of its own.
//! model::check(1, 20, 10, &runtime, Memory::default);
//! ```

mod answer;
mod bulk;
mod change;
mod check;
mod codes;
mod compare;
mod create;
mod draw;
mod driver;
mod idempotency;
mod identities;
mod keys;
mod limits;
mod pages;
mod perform;
mod policy;
mod read;
mod redeem;
mod reservation;
mod scenarios;
mod search;
mod state;
mod step;
mod store_provider;
mod strategy;

pub use self::{check::check, store_provider::StoreProvider};
