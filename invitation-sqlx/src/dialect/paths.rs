//! Operations that a database does in a way of its own.

use std::{
    future::{Future, ready},
    num::{NonZeroU32, NonZeroUsize},
};

use invitation_core::{
    CodeDigest, Facts, Outcome, StoreError, Target, Transition,
    feed::{FeedPage, FeedPosition},
};
use sqlx::{
    Database,
    migrate::{MigrateError, Migrator},
};

use super::Dialect;
use crate::ops::{self, Session};

/// Faster paths for redemptions.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait Redeem: Database + Sized {
    /// Redeems in fewer round trips than the general path. Returns `None` if this database has no
    /// faster path for the transition, or if the general path has to explain the refusal.
    fn redeem(
        on: &mut Session<'_, Self>,
        transition: &Transition,
    ) -> impl Future<Output = Result<Option<Outcome>, StoreError>> + Send
    where
        Self: Dialect,
    {
        let _ = (on, transition);
        ready(Ok(None))
    }

    /// Redeems for several callers at once, in transactions of the store's own. Each redemption
    /// is made as a whole or not at all, and each caller gets the same result as if the callers
    /// had run one after the other.
    ///
    /// Returns the facts after each redemption, in the order of the transitions. A caller with
    /// `None` redeems by itself: its redemption was not made, or it is not known whether it was.
    fn redeem_batch(
        on: &mut Session<'_, Self>,
        transitions: &[&Transition],
    ) -> impl Future<Output = Result<Vec<Option<Facts>>, StoreError>> + Send
    where
        Self: Dialect;

    /// Returns the key of the redemptions that are sent together with one of this target. By
    /// default, redemptions of any codes are sent together.
    fn batch_key(_target: &Target) -> &[CodeDigest] {
        &[]
    }

    /// Returns the number of batches of one key that are in flight at a time.
    fn batch_slots(wanted: NonZeroUsize) -> NonZeroUsize {
        wanted
    }
}

/// The feed.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait FeedRead: Database + Sized {
    /// Returns the events of the feed behind a position.
    fn feed(
        on: &mut Session<'_, Self>,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> impl Future<Output = Result<FeedPage, StoreError>> + Send
    where
        Self: Dialect,
    {
        ops::feed::page_by_position(on, after, limit)
    }
}

/// Migrations.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait Migrate: Database + Sized {
    /// The SQL of the migrations in order, with `{prefix}` for the table prefix.
    const MIGRATIONS: &'static [&'static str];

    /// Runs the migrations. Concurrent callers run each of them once, and a failure leaves no
    /// lock behind. The store records the migrations in `table`.
    fn migrate(
        conn: &mut Self::Connection,
        migrator: &Migrator,
        table: &str,
    ) -> impl Future<Output = Result<(), MigrateError>> + Send;
}
