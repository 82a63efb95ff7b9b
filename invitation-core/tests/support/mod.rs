//! A wrapper of the memory store that fails on request: before a call does anything, or
//! after it has finished, so that the answer is lost.
//!
//! Each call that writes has an await point before and after it, where the caller can
//! drop it, like a call over a network.

// Each test program uses only some of these items.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Intercept, Interceptor, MemoryStore, Operation, StoreCall, StoreError, StoreErrorKind,
};
use tokio::task::yield_now;

/// The fault of the next call that writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The call fails before it does anything.
    Before,
    /// The call is done, but its answer is lost.
    AnswerLost,
}

/// The memory store with a fault in the next call that writes.
pub type Flaky = Intercept<Arc<MemoryStore>, Faults>;

pub fn flaky() -> Flaky {
    Intercept::new(Arc::default(), Faults::default())
}

#[derive(Debug, Default)]
pub struct Faults(AtomicUsize);

const FAULTS: [Fault; 3] = [Fault::None, Fault::Before, Fault::AnswerLost];

impl Faults {
    pub fn next(&self, fault: Fault) {
        let number = FAULTS.iter().position(|known| *known == fault).unwrap_or(0);
        self.0.store(number, Ordering::SeqCst);
    }

    fn take(&self) -> Fault {
        FAULTS[self.0.swap(0, Ordering::SeqCst)]
    }
}

#[async_trait]
impl Interceptor for Faults {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let fault = if operation.is_write() { self.take() } else { Fault::None };
        if fault == Fault::Before {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        if operation.is_write() {
            yield_now().await;
        }
        let outcome = call.await;
        if operation.is_write() {
            yield_now().await;
        }
        if fault == Fault::AnswerLost && outcome.is_ok() {
            return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation.as_str()));
        }
        Ok(())
    }
}
