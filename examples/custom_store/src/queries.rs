//! The reading calls of the port.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeBounds},
};

use invitation::{
    InvitationId, Redemption, Timestamp,
    audit::{Event, EventId},
    store::{
        EventFilter, Filter, ListOrder, Located, OpenLease, PageRequest, Position, Record, Scope,
        StatusCounts, StorePage, Target,
    },
};

use crate::state::State;

/// The number of items that a page examines before it comes back short, and that the count of a
/// search examines. Without this limit, a search with few matches would hold the lock while it
/// examines all items.
const LOOKED_AT: usize = 10_000;

impl State {
    pub(crate) fn get(&self, target: &Target, scope: &Scope) -> Option<Record> {
        let kept = self.find(target)?;
        scope.contains(&kept.invitation.division).then(|| kept.invitation.clone())
    }

    pub(crate) fn locate(&self, target: &Target) -> Option<Located> {
        let Record { id, division, .. } = &self.find(target)?.invitation;
        Some(Located { id: *id, division: division.clone() })
    }

    pub(crate) fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> StorePage<Record, InvitationId> {
        let wanted = |(_, id): &(Timestamp, InvitationId)| {
            let kept = self.invitations.get(id)?;
            let invitation = &kept.invitation;
            let names = kept.redemptions.values().map(|redemption| &redemption.username);
            let meant = scope.contains(&invitation.division) && filter.matches(invitation, names);
            meant.then(|| invitation.clone())
        };
        match filter.order {
            ListOrder::NewestFirst => {
                turn(self.by_created.range(older(page)).rev(), page.limit, wanted)
            }
            ListOrder::SoonestExpiryFirst => {
                // This store has no index by expiry, so each page sorts all invitations.
                let all = self.invitations.values().map(|kept| &kept.invitation);
                let mut places: Vec<_> = all.map(|one| (one.expires_at, one.id)).collect();
                places.sort_unstable();
                let after = page.after.map_or(Bound::Unbounded, |p| Bound::Excluded((p.at, p.id)));
                let later =
                    places.iter().filter(|place| (after, Bound::Unbounded).contains(*place));
                turn(later, page.limit, wanted)
            }
        }
    }

    pub(crate) fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> StorePage<Event, EventId> {
        let wanted = |(_, id): &(Timestamp, EventId)| {
            let event = self.events.get(id)?;
            // An event without a division is in no division's scope.
            let within = match &event.division {
                Some(division) => scope.contains(division),
                None => *scope == Scope::All,
            };
            (within && filter.matches(event)).then(|| event.clone())
        };
        turn(self.by_at.range(older(page)).rev(), page.limit, wanted)
    }

    pub(crate) fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> StatusCounts {
        let mut counts = StatusCounts::up_to(cap);
        let all = self.invitations.values();
        let within = all.filter(|kept| scope.contains(&kept.invitation.division));
        for (looked_at, kept) in within.enumerate() {
            let invitation = &kept.invitation;
            let names = kept.redemptions.values().map(|redemption| &redemption.username);
            if looked_at == LOOKED_AT && filter.search.is_some() {
                counts.mark_lower_bounds(filter);
                break;
            }
            if filter.matches(invitation, names) {
                counts.add(invitation.status(filter.now), 1);
            }
        }
        counts
    }

    pub(crate) fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> StorePage<Redemption, EventId> {
        let kept = self.invitations.get(&invitation);
        let kept = kept.filter(|kept| scope.contains(&kept.invitation.division));
        let redemptions = kept.into_iter().flat_map(|kept| kept.redemptions.values());
        let ordered: BTreeMap<_, _> = redemptions.map(|r| ((r.at, r.id), r)).collect();
        let places = ordered.range(older(page)).rev().map(|(place, _)| place);
        turn(places, page.limit, |place| ordered.get(place).map(|&r| r.clone()))
    }

    pub(crate) fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> StorePage<OpenLease, EventId> {
        let kept = self.invitations.values();
        let kept = kept.filter(|kept| scope.contains(&kept.invitation.division));
        let leases = kept.flat_map(|kept| kept.leases.values().map(move |lease| (kept, lease)));
        let ordered: BTreeMap<_, _> = leases.map(|of| ((of.1.since, of.1.id), of)).collect();
        let places = ordered.range(older(page)).rev().map(|(place, _)| place);
        turn(places, page.limit, |place| {
            let (kept, lease) = ordered.get(place)?;
            let Record { id, division, .. } = &kept.invitation;
            Some(OpenLease { invitation: *id, division: division.clone(), lease: (*lease).clone() })
        })
    }
}

/// Returns the range after the previous page: strictly older items, and items of the same
/// time with a smaller id. Because this is exactly the order of the pairs, items inserted
/// meanwhile move nothing.
fn older<I: Copy>(page: &PageRequest<I>) -> impl RangeBounds<(Timestamp, I)> {
    let newest = page.after.map_or(Bound::Unbounded, |p| Bound::Excluded((p.at, p.id)));
    (Bound::Unbounded, newest)
}

/// Returns a page of the `wanted` items at these places, in their order.
fn turn<'a, T, I: Copy + 'a>(
    places: impl Iterator<Item = &'a (Timestamp, I)>,
    limit: u32,
    wanted: impl Fn(&(Timestamp, I)) -> Option<T>,
) -> StorePage<T, I> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut items, mut next) = (Vec::new(), None);
    for (looked_at, place) in places.enumerate() {
        if looked_at == LOOKED_AT {
            return StorePage { items, next };
        }
        if let Some(item) = wanted(place) {
            // One item beyond the limit shows that there is another page.
            if items.len() == limit {
                return StorePage { items, next };
            }
            items.push(item);
        }
        next = Some(Position { at: place.0, id: place.1 });
    }
    StorePage { items, next: None }
}
