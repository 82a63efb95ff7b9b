//! Events that are counted in one atomic step.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FigureKey, FunnelFigures,
    journey::{Journey, Step},
};
use crate::{feed::FeedEvent, id::InvitationId};

/// The maximum number of invitations of a batch. Each has a journey, and at most five funnels that
/// no other invitation is part of. With the funnel of everything and the progress, these are at
/// most [`Document::MAX_BATCH`](crate::documents::Document::MAX_BATCH) documents.
pub(super) const MAX_INVITATIONS: usize = 160;

/// Some events, and the steps among them.
#[derive(Debug)]
pub(super) struct Batch<'e> {
    pub(super) events: &'e [FeedEvent],
    steps: Vec<Step>,
}

/// What a batch changes in the numbers of one funnel: the parts of its invitations, before and
/// after.
pub(super) type Differences = BTreeMap<FigureKey, Vec<(FunnelFigures, FunnelFigures)>>;

impl<'e> Batch<'e> {
    /// Takes the first of the events, as many as may be counted in one step.
    pub(super) fn first_of(events: &'e [FeedEvent]) -> Self {
        let (mut steps, mut invitations) = (Vec::new(), BTreeSet::new());
        for (n, event) in events.iter().enumerate() {
            let Some(step) = Step::of(&event.event) else { continue };
            if invitations.insert(step.invitation) && invitations.len() > MAX_INVITATIONS {
                return Self { events: &events[..n], steps };
            }
            steps.push(step);
        }
        Self { events, steps }
    }

    /// Returns the first step of each invitation.
    pub(super) fn first_steps(&self) -> BTreeMap<InvitationId, &Step> {
        let mut first = BTreeMap::new();
        for step in &self.steps {
            first.entry(step.invitation).or_insert(step);
        }
        first
    }

    /// Adds the steps to the journeys of their invitations, and returns what that changes in the
    /// numbers. Each invitation has a journey, which may be empty.
    pub(super) fn add_to(&self, journeys: &mut BTreeMap<InvitationId, Journey>) -> Differences {
        let before: BTreeMap<_, _> =
            journeys.iter().map(|(id, journey)| (*id, journey.figures())).collect();
        for step in &self.steps {
            journeys.entry(step.invitation).or_default().add(step);
        }
        let mut differences = Differences::new();
        for (id, step) in self.first_steps() {
            let Some(journey) = journeys.get(&id) else { continue };
            let before = before.get(&id).copied().unwrap_or_default();
            let after = journey.figures();
            if before == after {
                continue;
            }
            for key in FigureKey::all(&step.division, journey.inviter(), journey.batch()) {
                differences.entry(key).or_default().push((before, after));
            }
        }
        differences
    }
}
