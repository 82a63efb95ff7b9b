//! The journey of one invitation: what its events say that became of it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{FunnelFigures, TimesToRedeem, keys};
use crate::{
    event::{Action, Event, EventOutcome},
    id::{BatchId, EventId, InvitationId},
    state::State,
    text::Division,
    time::Timestamp,
};

/// The number of redemptions that a journey recognises if their events come again.
const RECOGNISED: usize = 16;

/// A step of an invitation, as an event states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) invitation: InvitationId,
    pub(super) division: Division,
    pub(super) at: Timestamp,
    kind: StepKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum StepKind {
    Created(Creation),
    Sent,
    Redeemed(EventId),
    Revoked,
    Reinstated,
    Deleted,
}

/// What a journey keeps of the creation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Creation {
    /// The time in microseconds.
    at: i64,
    /// The digest of the inviter; none for the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inviter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<BatchId>,
    max_uses: NonZeroU32,
}

impl Step {
    /// Returns the step that an event states; none for an event that the funnel does not count.
    pub(super) fn of(event: &Event) -> Option<Self> {
        if event.outcome != EventOutcome::Succeeded {
            return None;
        }
        let kind = match event.action {
            Action::Create => StepKind::Created(Creation::of(event)),
            Action::Deliver => StepKind::Sent,
            Action::Redeem => StepKind::Redeemed(event.id),
            Action::Revoke => StepKind::Revoked,
            Action::Reinstate => StepKind::Reinstated,
            Action::Delete => StepKind::Deleted,
            Action::Reserve
            | Action::Release
            | Action::Copy
            | Action::Amend
            | Action::Rotate
            | Action::Purge
            | Action::PurgeEvents
            | Action::Reseal
            | Action::View
            | Action::Audit
            | Action::Resend
            | Action::ReminderDue
            | Action::Import
            | Action::Webhooks
            | Action::Erase => return None,
        };
        let (invitation, division) = (event.invitation?, event.division.clone()?);
        Some(Self { invitation, division, at: event.at, kind })
    }

    /// Returns whether the step is the creation of its invitation.
    pub(super) fn is_creation(&self) -> bool {
        matches!(self.kind, StepKind::Created(_))
    }
}

impl Creation {
    fn of(event: &Event) -> Self {
        let detail = |name: &str| event.detail.get(name);
        Self {
            at: event.at.as_micros(),
            inviter: event.performer.user().map(keys::inviter),
            batch: detail("batch").and_then(|batch| batch.parse().ok()),
            max_uses: detail("max_uses").and_then(|n| n.parse().ok()).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// What became of one invitation, as far as its events were counted.
///
/// A step may come before the creation: PostgreSQL orders events by the beginning of their
/// transaction. Such a journey counts nothing until the creation comes.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<Creation>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sent: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    uses: u32,
    /// The time of the first redemption in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_use: Option<i64>,
    /// The ends of the ids of the latest redemptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    latest: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    revoked: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Journey {
    /// Adds a step. A step that was added before has no effect: neither at once, nor at the end of
    /// all steps that came after it and are added again in their order.
    pub(super) fn add(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Created(creation) => {
                self.created.get_or_insert_with(|| creation.clone());
            }
            StepKind::Sent => self.sent = true,
            StepKind::Redeemed(event) => self.redeemed(*event, step.at),
            StepKind::Revoked => self.revoked = true,
            StepKind::Reinstated => self.revoked = false,
            StepKind::Deleted => self.deleted = true,
        }
    }

    fn redeemed(&mut self, event: EventId, at: Timestamp) {
        // The end of an id is random.
        let end = u128::from_be_bytes(*event.as_bytes()) & u128::from(u64::MAX);
        let id = format!("{end:016x}");
        if self.latest.contains(&id) {
            return;
        }
        self.first_use.get_or_insert(at.as_micros());
        self.uses = self.uses.saturating_add(1);
        if self.latest.len() >= RECOGNISED {
            self.latest.remove(0);
        }
        self.latest.push(id);
    }

    /// Returns the part of this invitation in the numbers of its funnels.
    pub(super) fn figures(&self) -> FunnelFigures {
        let Some(created) = &self.created else { return FunnelFigures::default() };
        let uses = self.uses.min(created.max_uses.get());
        let state = State::of(uses, created.max_uses.get(), self.revoked);
        let is = |this: bool| u64::from(this && !self.deleted);
        let first_use = self.first_use.and_then(Timestamp::from_micros);
        let created_at = Timestamp::from_micros(created.at);
        let time = first_use.zip(created_at).map(|(used, created)| used.since(created));
        FunnelFigures {
            created: 1,
            sent: self.sent.into(),
            redeemed: u64::from(uses > 0),
            redemptions: uses.into(),
            open: is(state == State::Open),
            used: is(state == State::UsedUp),
            revoked: is(state == State::Revoked),
            deleted: self.deleted.into(),
            times: time.map(TimesToRedeem::of).unwrap_or_default(),
        }
    }

    /// Returns the digest of the inviter, if it is known.
    pub(super) fn inviter(&self) -> Option<&str> {
        self.created.as_ref()?.inviter.as_deref()
    }

    pub(super) fn batch(&self) -> Option<BatchId> {
        self.created.as_ref()?.batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: StepKind, micros: i64) -> Step {
        Step {
            invitation: InvitationId::from_bytes([1; 16]),
            division: Division::new("sales").unwrap(),
            at: Timestamp::from_micros(micros).unwrap(),
            kind,
        }
    }

    fn created(max_uses: u32) -> Step {
        let max_uses = NonZeroU32::new(max_uses).unwrap();
        step(StepKind::Created(Creation { at: 1, inviter: None, batch: None, max_uses }), 1)
    }

    fn redeemed(n: u8, micros: i64) -> Step {
        step(StepKind::Redeemed(EventId::from_bytes([n; 16])), micros)
    }

    fn journey(steps: &[Step]) -> Journey {
        let mut journey = Journey::default();
        for step in steps {
            journey.add(step);
        }
        journey
    }

    #[test]
    fn events_that_come_again_in_their_order_change_nothing() {
        let steps = [
            created(20),
            step(StepKind::Sent, 2),
            step(StepKind::Revoked, 3),
            step(StepKind::Reinstated, 4),
            redeemed(1, 5),
            redeemed(2, 6),
            step(StepKind::Revoked, 7),
            step(StepKind::Deleted, 8),
        ];
        let once = journey(&steps);
        for from in 0..steps.len() {
            let mut twice = once.clone();
            for step in &steps[from..] {
                twice.add(step);
            }
            assert_eq!(twice, once, "from {from} on");
        }
    }

    #[test]
    fn latest_16_redemptions_are_recognised() {
        let steps: Vec<_> =
            [created(100)].into_iter().chain((1..=20).map(|n| redeemed(n, 2))).collect();
        let mut all = journey(&steps);
        for n in 5..=20 {
            all.add(&redeemed(n, 2));
        }
        assert_eq!(all.figures().redemptions, 20);
        all.add(&redeemed(4, 2));
        assert_eq!(all.figures().redemptions, 21, "forgotten");
    }

    #[test]
    fn steps_before_the_creation_count_once_it_comes() {
        let mut early = journey(&[redeemed(1, 5), step(StepKind::Sent, 6)]);
        assert_eq!(early.figures(), FunnelFigures::default());
        early.add(&created(1));
        let expected = journey(&[created(1), step(StepKind::Sent, 6), redeemed(1, 5)]).figures();
        assert_eq!(early.figures(), expected);
        assert_eq!((expected.created, expected.redeemed, expected.used), (1, 1, 1));
    }

    #[test]
    fn each_invitation_is_in_one_state() {
        let (sent, revoked) = (step(StepKind::Sent, 2), step(StepKind::Revoked, 3));
        let (reinstated, deleted) = (step(StepKind::Reinstated, 4), step(StepKind::Deleted, 9));
        for (steps, [open, used, revoked, deleted], [sent, redeemed, redemptions]) in [
            (vec![created(1)], [1, 0, 0, 0], [0, 0, 0]),
            (vec![created(1), sent.clone()], [1, 0, 0, 0], [1, 0, 0]),
            (vec![created(1), redeemed(1, 5)], [0, 1, 0, 0], [0, 1, 1]),
            (vec![created(2), redeemed(1, 5)], [1, 0, 0, 0], [0, 1, 1]),
            (vec![created(2), redeemed(1, 5), revoked.clone()], [0, 0, 1, 0], [0, 1, 1]),
            (vec![created(1), revoked.clone(), reinstated], [1, 0, 0, 0], [0, 0, 0]),
            (vec![created(1), redeemed(1, 5), deleted.clone()], [0, 0, 0, 1], [0, 1, 1]),
            (vec![created(1), sent, revoked, deleted], [0, 0, 0, 1], [1, 0, 0]),
        ] {
            let figures = journey(&steps).figures();
            let now = [figures.open, figures.used, figures.revoked, figures.deleted];
            assert_eq!(now, [open, used, revoked, deleted], "{steps:?}");
            assert_eq!(
                [figures.sent, figures.redeemed, figures.redemptions],
                [sent, redeemed, redemptions]
            );
            assert_eq!(now.iter().sum::<u64>(), figures.created);
            assert_eq!(figures.times.total(), figures.redeemed);
        }
    }
}
