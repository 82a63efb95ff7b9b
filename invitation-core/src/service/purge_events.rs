//! Purging old events.

use std::num::NonZeroU32;

use time::Duration;

use super::{Invitations, TRIES, evidence::Place};
use crate::{
    actor::{Actor, Caller},
    detail::Detail,
    error::Error,
    event::{Action, Reason},
    feed::{CursorName, EventRemoval, EventsRemoved, FeedRetention, retention::slowest},
    limits::Limits,
    policy::Right,
    refusal::Verdict,
    report,
    scope::Scope,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
};

/// The result of [`Invitations::purge_events`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PurgedEvents {
    /// The number of removed events.
    pub removed: u32,
    /// Whether there may be more events to remove.
    pub more: bool,
    /// The name of the slowest cursor, if it holds back events that are old enough.
    pub held_by: Option<CursorName>,
}

impl<S: Store + FeedRetention> Invitations<S> {
    /// Removes for good up to `max` of the oldest events, those that happened more than `age`
    /// ago. Call it again while [`PurgedEvents::more`] is set. Needs [`Right::PurgeEvents`] and
    /// all divisions.
    ///
    /// It removes a prefix of the [feed](crate::feed): it stops before the first younger event,
    /// and behind the position of the slowest [cursor](crate::feed::FeedCursors). A cursor that
    /// has processed nothing holds back all events. Without any cursor, nothing holds them back:
    /// so let each consumer claim its cursor, and the sealer of an audit log set its own, before
    /// the first purge. [`PurgedEvents::held_by`] names the cursor that is in the way.
    /// [`FeedRetention::remove_cursor`] removes that of a consumer that no longer exists.
    ///
    /// The removal writes one event, in the same atomic step. It states the number of removed
    /// events and the position of the last of them.
    ///
    /// Three calls to the store: the cursors, a page of the feed, and the removal. Cursors only
    /// move forward, so what they had passed at the first call they still have passed at the
    /// last one.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use std::num::NonZeroU32;
    ///
    /// use invitation::clock::ManualClock;
    /// use invitation::{Division, Draft, Invitations, MemoryStore, Role, SystemActor, Timestamp};
    /// use time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = ManualClock::new(Timestamp::from_micros(0).expect("the epoch"));
    /// let invitations = Invitations::new(MemoryStore::new()).with_clock(clock.clone());
    /// let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
    /// let job = SystemActor::for_bootstrap();
    /// invitations.create(&job, draft).await?;
    ///
    /// clock.advance(Duration::days(400));
    /// let max = NonZeroU32::new(500).expect("not zero");
    /// let purged = invitations.purge_events(&job, Duration::days(365), max).await?;
    /// assert_eq!((purged.removed, purged.more), (1, false));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the age is less than [`Limits::MIN_RETENTION`], or when `max` is
    /// beyond [`Limits::batch`]; [`Error::Refused`]: `Forbidden`, also for an actor who does not
    /// reach all divisions; [`Error::Store`], [`Error::Entropy`].
    pub async fn purge_events(
        &self,
        caller: impl Into<Caller<'_>>,
        age: Duration,
        max: NonZeroU32,
    ) -> Result<PurgedEvents, Error> {
        let caller = caller.into();
        let (right, action) = (Right::PurgeEvents, Action::PurgeEvents);
        let call = self.call_by(caller)?;
        self.permit(caller, &call, right, action, None).await?;
        let before = Limits::purge_before(age, call.now)?;
        self.settings.limits.check_batch("max", max)?;
        if caller.scope() != Scope::All {
            let place = Place::Division(caller.user().and_then(Actor::home).cloned());
            let verdict = Verdict::forbidden(right, Reason::DivisionNotAllowed);
            return Err(self.refuse(&call, action, verdict, place).await);
        }
        let event = call.done(action, Detail::none());
        for _ in 0..TRIES {
            let cursors = self.store.cursors().await?;
            let slowest = slowest(&cursors);
            let page = self.store.feed(None, max).await?;
            let old = page.events.iter().take_while(|one| one.event.at < before).count();
            let Some(removal) = EventRemoval::decide(&page, slowest, before, &event) else {
                let held_by = slowest.filter(|_| old > 0).map(|cursor| cursor.name.clone());
                // A page without events may promise more.
                let more = page.events.is_empty() && page.more;
                return Ok(PurgedEvents { removed: 0, more, held_by });
            };
            let taken = removal.ids().len();
            let held_by = slowest.filter(|_| taken < old).map(|cursor| cursor.name.clone());
            match self.store.remove_events(&removal).await? {
                EventsRemoved::Done | EventsRemoved::Before => {
                    report::succeeded(action, 1);
                    let removed = u32::try_from(taken).unwrap_or(u32::MAX);
                    let more = taken == page.events.len() && page.more;
                    return Ok(PurgedEvents { removed, more, held_by });
                }
                EventsRemoved::Changed => {}
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "purge_events").into())
    }
}
