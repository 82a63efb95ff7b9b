//! Transactions of an intercepted store in which the host writes, too.

use std::sync::Arc;

use super::{Intercept, Interceptor, Operation, one};
use crate::{
    admit::{HostTransaction, Transactional},
    store_error::StoreError,
};

/// A transaction of an [`Intercept`] that the store shares with the host.
///
/// Its begin, its commit, and the store's calls in it pass through the interceptor. The host's own
/// statements and a rollback do not. An error of the interceptor at the begin or before the commit
/// rolls the transaction back.
#[derive(Debug)]
pub struct InterceptedTransaction<T, I> {
    tx: T,
    interceptor: Arc<I>,
}

impl<S: Transactional, I: Interceptor + 'static> Transactional for Intercept<S, I> {
    type Transaction = InterceptedTransaction<S::Transaction, I>;
    type Attempts = S::Attempts;

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        // If the interceptor returns an error after the call, the transaction is dropped.
        let tx = self.one(Operation::Begin, self.store.begin()).await?;
        Ok(InterceptedTransaction { tx, interceptor: Arc::clone(&self.interceptor) })
    }

    fn attempts(&self) -> S::Attempts {
        self.store.attempts()
    }
}

impl<T: HostTransaction, I: Interceptor> HostTransaction for InterceptedTransaction<T, I> {
    type Connection = T::Connection;
    type Joined<'t>
        = Intercept<T::Joined<'t>, I>
    where
        Self: 't;

    fn connection(&mut self) -> &mut T::Connection {
        self.tx.connection()
    }

    fn join(&mut self) -> Self::Joined<'_> {
        Intercept { store: self.tx.join(), interceptor: Arc::clone(&self.interceptor) }
    }

    async fn commit(self) -> Result<(), StoreError> {
        let Self { tx, interceptor } = self;
        one(&*interceptor, Operation::Commit, tx.commit()).await
    }

    async fn rollback(self) {
        self.tx.rollback().await;
    }
}
