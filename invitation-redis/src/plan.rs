//! Plans: the ranges of the index that contain the matches of a filter.
//!
//! An index entry is a letter, a name, and a place; `entries` in `lua/shared.lua` creates
//! them. A plan only narrows the candidates. `Filter::matches` always decides which of them
//! match.

use invitation_core::{
    BatchId, CodeTag, Filter, InvitationId, Invitee, ListOrder, Position, Scope, Search,
    SearchTerm, State, Status, TimeRange, Timestamp,
};

use crate::wire::{after, time};

/// The maximum number of unordered candidates that are collected and sorted. If there are
/// more, matches are frequent, and a scan from the newest soon finds them.
pub(crate) const MAX_UNORDERED: usize = 2_000;

/// The maximum number of search terms for which candidates are looked up. A search may have
/// more.
const MAX_TERMS: usize = 5;

/// The byte that ends a range, greater than the first byte of every place. A place has at
/// most 24 bytes, followed by a user id of at most 128.
const END: u8 = 0xff;

/// The entries between two bounds, in the notation of ZRANGEBYLEX.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub(crate) min: Vec<u8>,
    pub(crate) max: Vec<u8>,
    /// The number of bytes of an entry before its place.
    pub(crate) skip: usize,
}

impl Range {
    /// Returns the range of all entries that begin with `prefix`, followed by a time.
    pub(crate) fn of(prefix: &[u8]) -> Self {
        Self {
            min: [b"[", prefix].concat(),
            max: [b"(", prefix, &[END]].concat(),
            skip: prefix.len(),
        }
    }

    /// Returns the range of all entries that begin with `prefix`, whatever follows.
    fn of_any(prefix: &[u8], longest: usize) -> Self {
        let end = vec![END; longest + 1];
        Self { max: [b"(", prefix, &end].concat(), ..Self::of(prefix) }
    }

    /// Restricts the range to entries at `from` or later.
    pub(crate) fn from(mut self, from: Option<[u8; 8]>) -> Self {
        if let Some(from) = from {
            self.min.extend(from);
        }
        self
    }

    /// Restricts the range to entries before a place.
    pub(crate) fn before(mut self, place: Option<&[u8]>) -> Self {
        if let Some(place) = place {
            let mut max = self.max[..=self.skip].to_vec();
            max.extend(place);
            // Both bounds exclude their end.
            self.max = max.min(self.max);
        }
        self
    }

    /// Restricts the range to entries after a position.
    fn beyond<I: AsId>(mut self, position: &Position<I>) -> Self {
        let mut min = self.min[..=self.skip].to_vec();
        min.extend(place(position));
        // The cursor counts only if it lies within the range.
        if min[1..] >= self.min[1..] {
            min[0] = b'(';
            self.min = min;
        }
        self
    }

    /// Restricts the range to entries that a list of this order has after a position.
    pub(crate) fn behind<I: AsId>(self, order: ListOrder, position: Option<&Position<I>>) -> Self {
        match (order, position) {
            (_, None) => self,
            (ListOrder::NewestFirst, Some(position)) => self.before(Some(&place(position))),
            (ListOrder::SoonestExpiryFirst, Some(position)) => self.beyond(position),
        }
    }

    /// Restricts the range to entries within the time range.
    pub(crate) fn within(self, span: &TimeRange) -> Self {
        let until = span.until.map(time);
        self.from(span.from.map(time)).before(until.as_ref().map(<[u8; 8]>::as_slice))
    }
}

/// An id that can be written as its bytes.
pub(crate) trait AsId {
    fn bytes(&self) -> &[u8; 16];
}

impl AsId for InvitationId {
    fn bytes(&self) -> &[u8; 16] {
        self.as_bytes()
    }
}

impl AsId for invitation_core::EventId {
    fn bytes(&self) -> &[u8; 16] {
        self.as_bytes()
    }
}

/// Returns a position as the end of an entry.
fn place<I: AsId>(position: &Position<I>) -> Vec<u8> {
    [time(position.at).as_slice(), position.id.bytes()].concat()
}

/// Returns a letter and a name with its length, so that the name cannot run into the
/// following bytes.
pub(crate) fn named(letter: &[u8], name: &str) -> Vec<u8> {
    // No name is longer than 128 bytes, and no address than 254.
    let len = u8::try_from(name.len()).unwrap_or(u8::MAX);
    [letter, &[len], name.as_bytes()].concat()
}

/// Returns the prefix for a scope: the letter `all`, or the letter `one` and the name of a
/// division.
pub(crate) fn scoped(scope: &Scope, all: u8, one: u8, state: &[u8]) -> Vec<u8> {
    match scope {
        Scope::All => [&[all], state].concat(),
        Scope::Division(division) => named(&[&[one], state].concat(), division.as_str()),
    }
}

/// Returns the letter of a state in the index. A status that depends on the clock has no
/// letter of its own.
fn letter(state: State) -> &'static [u8] {
    match state {
        State::Open => b"o",
        State::UsedUp => b"u",
        State::Revoked => b"r",
    }
}

/// The candidates for a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Ranges that are each sorted in the order of the list.
    Ordered(Vec<Range>),
    /// Ranges in no order.
    Unordered(Vec<Range>),
}

impl Plan {
    pub(crate) fn ranges(&self) -> &[Range] {
        match self {
            Self::Ordered(ranges) | Self::Unordered(ranges) => ranges,
        }
    }
}

/// Returns all plans that serve a filter. The first one always works, and is used if there
/// is no better one.
pub(crate) fn plans(scope: &Scope, filter: &Filter) -> Vec<Plan> {
    match filter.order {
        ListOrder::NewestFirst => newest_first(scope, filter),
        ListOrder::SoonestExpiryFirst => soonest_expiry_first(scope, filter),
    }
}

/// Returns the plans of active invitations. An ordered range is sorted by expiry and id.
fn soonest_expiry_first(scope: &Scope, filter: &Filter) -> Vec<Plan> {
    let Filter { now, status: _, role, inviter, batch, created, expires, search, order: _ } =
        filter;
    let active = TimeRange { from: expires.from.max(Some(*now)), ..*expires };
    let by_expiry = |prefix: &[u8]| Plan::Ordered(vec![Range::of(prefix).within(&active)]);
    let by_creation = |prefix: &[u8]| Plan::Unordered(vec![Range::of(prefix).within(created)]);
    let mut plans = vec![by_expiry(&scoped(scope, b'x', b'y', b"o"))];
    plans.extend(inviter.as_ref().map(|user| by_expiry(&named(b"q", user.as_str()))));
    plans.extend(role.as_ref().map(|role| by_creation(&named(b"r", role.as_str()))));
    plans.extend(batch.as_ref().map(|batch| by_creation(&of_batch(batch))));
    plans.extend(search.as_ref().map(by_search).into_iter().flatten());
    plans
}

fn newest_first(scope: &Scope, filter: &Filter) -> Vec<Plan> {
    let Filter { now: _, status, role, inviter, batch, created, expires, search, order: _ } =
        filter;
    let ordered = |prefix: &[u8]| Plan::Ordered(vec![Range::of(prefix).within(created)]);
    let mut plans = vec![Plan::Ordered(by_state(scope, *status, created))];
    if let Some(role) = role {
        plans.push(ordered(&named(b"r", role.as_str())));
    }
    if let Some(inviter) = inviter {
        plans.push(ordered(&named(b"i", inviter.as_str())));
    }
    if let Some(batch) = batch {
        plans.push(ordered(&of_batch(batch)));
    }
    if let Some(search) = search {
        plans.extend(by_search(search));
    }
    let is_open = status.is_some_and(|status| status.state() == State::Open);
    if is_open && *expires != TimeRange::default() {
        let range = Range::of(&scoped(scope, b'x', b'y', b"o"));
        plans.push(Plan::Unordered(vec![range.within(expires)]));
    }
    plans
}

fn of_batch(batch: &BatchId) -> Vec<u8> {
    [b"b".as_slice(), batch.as_bytes()].concat()
}

fn by_state(scope: &Scope, status: Option<Status>, created: &TimeRange) -> Vec<Range> {
    let letters: &[&[u8]] = match status {
        Some(status) => &[letter(status.state())],
        None => &[b"o", b"u", b"r"],
    };
    let range = |letter: &&[u8]| Range::of(&scoped(scope, b's', b't', letter)).within(created);
    letters.iter().map(range).collect()
}

/// Returns the range of active invitations of a mailbox to a division.
pub(crate) fn invitee(invitee: &Invitee, now: Timestamp) -> Range {
    let prefix = named(&named(b"e", invitee.address.as_str()), invitee.division.as_str());
    Range::of(&prefix).from(Some(after(now)))
}

/// Returns the plans for a search. An invitation must match all terms, so looking up a
/// single term is enough; a tag is as selective as all of them.
fn by_search(search: &Search) -> Vec<Plan> {
    let tagged = |tag: &CodeTag| Range::of_any(&[b"g".as_slice(), tag.as_bytes()].concat(), 16);
    let tags: Vec<Range> = search.tags().iter().map(tagged).collect();
    if search.terms().is_empty() {
        return vec![Plan::Unordered(tags)];
    }
    let either = |term: &SearchTerm| {
        let beginning = [b"w", term.as_str().as_bytes()].concat();
        let range = if term.is_whole() {
            // A NUL ends the term in an index entry, and the id follows.
            Range::of_any(&[beginning.as_slice(), b"\0"].concat(), 16)
        } else {
            Range::of(&beginning)
        };
        Plan::Unordered(tags.iter().cloned().chain([range]).collect())
    };
    // The longest terms come first.
    search.terms().iter().take(MAX_TERMS).map(either).collect()
}

/// Returns the ranges whose sizes are the counts of these statuses. Only the scope and the
/// status may filter, because the index alone must give the counts.
pub(crate) fn counted(scope: &Scope, filter: &Filter, statuses: &[Status]) -> Option<Vec<Range>> {
    if *filter != (Filter { status: filter.status, ..Filter::all(filter.now) }) {
        return None;
    }
    let end: [u8; 8] = after(filter.now);
    let range = |status: &Status| {
        let by_expiry = || Range::of(&scoped(scope, b'x', b'y', b"o"));
        match status {
            Status::Active => by_expiry().from(Some(end)),
            Status::Expired => by_expiry().before(Some(&end)),
            Status::Used | Status::Revoked => {
                Range::of(&scoped(scope, b's', b't', letter(status.state())))
            }
        }
    };
    Some(statuses.iter().map(range).collect())
}

/// Returns whether a range can contain invitations of a status.
pub(crate) fn may_hold(range: &Range, status: Status) -> bool {
    match range.min.get(1..3) {
        Some([b's' | b't', state]) => [*state] == *letter(status.state()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use invitation_core::Division;

    use super::*;

    fn key(prefix: &[u8], at: Timestamp) -> Vec<u8> {
        [prefix, &time(at), &[0; 16]].concat()
    }

    fn holds(range: &Range, entry: &[u8]) -> bool {
        let above = match range.min[0] {
            b'[' => *entry >= range.min[1..],
            _ => *entry > range.min[1..],
        };
        above && *entry < range.max[1..]
    }

    #[test]
    fn a_name_that_begins_another_has_its_own_range() {
        let scope = |name: &str| Scope::Division(Division::new(name).expect("a division"));
        let prefix = |name: &str| scoped(&scope(name), b's', b't', b"o");
        let range = Range::of(&prefix("sales"));
        for other in ["sale", "sales2", "sales}", "Sales", "{sales}:index"] {
            assert!(!holds(&range, &key(&prefix(other), Timestamp::MIN)), "{other}");
        }
        assert!(holds(&range, &key(&prefix("sales"), Timestamp::MIN)));
        assert!(holds(&range, &key(&prefix("sales"), Timestamp::MAX)));
    }

    #[test]
    fn spans_and_positions_are_exact() {
        let at = |micros| Timestamp::from_micros(micros).expect("a time");
        let span = TimeRange { from: Some(at(10)), until: Some(at(20)) };
        let range = Range::of(b"so").within(&span);
        let within = [9, 10, 19, 20].map(|micros| holds(&range, &key(b"so", at(micros))));
        assert_eq!(within, [false, true, true, false]);
        let position = Position { at: at(15), id: InvitationId::from_bytes([0; 16]) };
        let older = range.clone().behind(ListOrder::NewestFirst, Some(&position));
        let later = range.behind(ListOrder::SoonestExpiryFirst, Some(&position));
        let all = [9, 10, 14, 15, 16, 19, 20];
        let within = |range: &Range| all.map(|micros| holds(range, &key(b"so", at(micros))));
        assert_eq!(within(&older), [false, true, true, false, false, false, false]);
        assert_eq!(within(&later), [false, false, false, false, true, true, false]);
        let before = Position { at: at(3), id: InvitationId::from_bytes([0xff; 16]) };
        let later = later.behind(ListOrder::SoonestExpiryFirst, Some(&before));
        assert_eq!(within(&later), [false, false, false, false, true, true, false]);
    }
}
