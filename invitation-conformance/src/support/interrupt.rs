//! Workers that die or are suspended at a chosen point of their work.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{Interceptor, Operation, StoreCall, StoreError};
use tokio::sync::Notify;

/// The point at which a worker stops: immediately before or after one of its reads and writes. As
/// an [`Interceptor`], it has a point before and one after each write to the store.
#[derive(Clone, Default, Debug)]
pub(crate) struct Interrupt(Option<Arc<Point>>);

#[derive(Debug)]
struct Point {
    /// The number of points that the worker still passes.
    left: AtomicUsize,
    reached: Notify,
    released: Notify,
}

impl Interrupt {
    /// Stops a worker at its `n`th point, counted from 0.
    pub(crate) fn at(n: usize) -> Self {
        let (reached, released) = (Notify::new(), Notify::new());
        Self(Some(Arc::new(Point { left: AtomicUsize::new(n), reached, released })))
    }

    /// Waits until the worker has stopped.
    pub(crate) async fn reached(&self) {
        match &self.0 {
            Some(point) => point.reached.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the worker continue.
    pub(crate) fn release(&self) {
        if let Some(point) = &self.0 {
            point.released.notify_one();
        }
    }

    /// Passes a point of the worker, or stops there.
    pub(crate) async fn pass(&self) {
        let Some(point) = &self.0 else { return };
        let passed = |left: usize| left.checked_sub(1);
        // Below 0 the update fails: the worker stops at one point only.
        let before = point.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, passed);
        if before == Err(0) && point.left.swap(usize::MAX, Ordering::SeqCst) == 0 {
            point.reached.notify_one();
            point.released.notified().await;
        }
    }
}

#[async_trait]
impl Interceptor for Interrupt {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if operation.is_write() {
            self.pass().await;
        }
        // The caller gets the answer of the call itself.
        let _ = call.await;
        if operation.is_write() {
            self.pass().await;
        }
        Ok(())
    }
}
