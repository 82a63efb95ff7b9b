//! The memory store behaves like the model in 10,000 random sequences. They are split
//! over several tests, which run on several cores.

use std::sync::Arc;

use async_trait::async_trait;
use invitation_conformance::model;
use invitation_core::{MemoryStore, Store};

#[derive(Default)]
struct Memory(Arc<MemoryStore>);

#[async_trait]
impl model::StoreProvider for Memory {
    async fn open(&mut self) -> Arc<dyn Store> {
        Arc::clone(&self.0) as Arc<dyn Store>
    }
}

fn check(seed: u64, cases: u32, max_len: usize) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built");
    model::check(seed, cases, max_len, &runtime, Memory::default);
}

#[test]
fn short_sequences_agree() {
    check(1, 6_000, 12);
}

#[test]
fn long_sequences_agree() {
    check(2, 4_000, 25);
}

#[test]
fn very_long_sequences_agree() {
    check(3, 300, 100);
}
