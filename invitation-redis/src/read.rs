//! Lists and counts, read from the index in chunks of bounded size.

use std::collections::HashSet;

use invitation_core::{
    Event, EventFilter, EventId, Filter, InvitationId, Invitee, Limits, ListOrder, OpenLease,
    PageRequest, Position, Record, Redemption, Scope, Status, StatusCounts, StoreError, StorePage,
    Timestamp,
};
use redis::Value;

use crate::{
    calls::{Calls, array},
    names,
    plan::{self, AsId, MAX_UNORDERED, Plan, Range},
    record,
    script::{PAGE, SIZES},
};

type Result<T> = std::result::Result<T, StoreError>;

/// The minimum and maximum number of entries of a range that one script reads.
const MIN_PIECE: usize = 64;
const MAX_PIECE: usize = 500;

/// The maximum number of mailboxes that one script looks up.
const MAX_INVITEES: usize = 250;

/// The number of entries that a count of a search examines before its numbers are lower bounds.
const MAX_COUNTED: u32 = Limits::COUNT_CANDIDATES;

/// The number of entries that a list examines before it returns a short page.
const MAX_LOOKED_AT: usize = 4_000;

/// The order of most lists.
const NEWEST: ListOrder = ListOrder::NewestFirst;

/// A record that is listed by a time and an id.
trait Listed: Sized + Send {
    type Id: AsId + Copy + Ord + Send + Sync;
    const WHAT: &'static str;

    /// Reads a record and the place at the end of its index entry.
    fn read(place: &[u8], record: &[u8]) -> Result<Self>;

    /// Returns the position in a list of this order. Only invitations have another order than
    /// the newest first.
    fn position(&self, order: ListOrder) -> Position<Self::Id>;
}

impl Listed for Record {
    type Id = InvitationId;
    const WHAT: &'static str = "invitations";

    fn read(place: &[u8], record: &[u8]) -> Result<Self> {
        record::invitation(InvitationId::from_bytes(last_id(place)?), record)
    }

    fn position(&self, order: ListOrder) -> Position<InvitationId> {
        order.position(self)
    }
}

impl Listed for Event {
    type Id = EventId;
    const WHAT: &'static str = "events";

    fn read(place: &[u8], record: &[u8]) -> Result<Self> {
        record::event(EventId::from_bytes(last_id(place)?), record)
    }

    fn position(&self, _: ListOrder) -> Position<EventId> {
        Position { at: self.at, id: self.id }
    }
}

impl Listed for Redemption {
    type Id = EventId;
    const WHAT: &'static str = "redemptions";

    fn read(_: &[u8], record: &[u8]) -> Result<Self> {
        record::redemption(record)
    }

    fn position(&self, _: ListOrder) -> Position<EventId> {
        Position { at: self.at, id: self.id }
    }
}

impl Listed for OpenLease {
    type Id = EventId;
    const WHAT: &'static str = "leases";

    fn read(place: &[u8], record: &[u8]) -> Result<Self> {
        let invitation = place.get(24..40).and_then(|id| id.try_into().ok());
        let invitation = invitation.ok_or_else(|| record::corrupt_entry("lease"))?;
        record::open_lease(InvitationId::from_bytes(invitation), record)
    }

    fn position(&self, _: ListOrder) -> Position<EventId> {
        Position { at: self.lease.since, id: self.lease.id }
    }
}

fn last_id(place: &[u8]) -> Result<[u8; 16]> {
    place.last_chunk().copied().ok_or_else(|| record::corrupt_entry("id"))
}

/// The records of some ranges in the order of the list, up to the point where all ranges were
/// read.
struct Piece<T: Listed> {
    items: Vec<T>,
    /// The position at which the next chunk begins; `None` at the end.
    next: Option<Position<T::Id>>,
}

async fn piece<T: Listed>(
    calls: &Calls,
    ranges: &[Range],
    order: ListOrder,
    limit: usize,
) -> Result<Piece<T>> {
    let direction = match order {
        ListOrder::NewestFirst => "backwards",
        ListOrder::SoonestExpiryFirst => "forwards",
    };
    let mut arguments = vec![T::WHAT.into(), limit.to_string().into_bytes(), direction.into()];
    for range in ranges {
        arguments.extend([range.min.clone(), range.max.clone()]);
        arguments.push(range.skip.to_string().into_bytes());
    }
    let answer = calls.read("list", &PAGE, &arguments).await?;
    let (mut items, mut frontier) = (Vec::new(), None::<Position<T::Id>>);
    let is_behind = |position: &Position<T::Id>, frontier: &Option<Position<T::Id>>| {
        frontier.as_ref().is_some_and(|frontier| order.is_after(position, frontier))
    };
    for page in array("list", answer)? {
        let page = array("list", page)?;
        let is_full = page.len() >= 2 * limit;
        let mut last = None;
        for entry in page.chunks_exact(2) {
            // A script removes an entry together with its record, so both are there or
            // neither.
            let [Value::BulkString(place), Value::BulkString(record)] = entry else {
                return Err(record::corrupt_entry(T::WHAT));
            };
            let item = T::read(place, record)?;
            last = Some(item.position(order));
            items.push(item);
        }
        if is_full && last.is_some_and(|last| !is_behind(&last, &frontier)) {
            frontier = last;
        }
    }
    items.sort_by_key(|item| item.position(order));
    if order == NEWEST {
        items.reverse();
    }
    // Drops items behind the frontier: a range that was not read to its end may have entries
    // between them.
    items.retain(|item| !is_behind(&item.position(order), &frontier));
    Ok(Piece { items, next: frontier })
}

/// Returns the parts of ranges that come after a position.
fn behind<I: AsId>(ranges: &[Range], order: ListOrder, after: Option<&Position<I>>) -> Vec<Range> {
    ranges.iter().map(|range| range.clone().behind(order, after)).collect()
}

/// Selects the records that a list wants.
trait Wanted<T>: Sync {
    fn select(&self, calls: &Calls, items: Vec<T>) -> impl Future<Output = Result<Vec<T>>> + Send;
}

/// A selection of all records.
struct Everything;

impl<T: Send> Wanted<T> for Everything {
    async fn select(&self, _: &Calls, items: Vec<T>) -> Result<Vec<T>> {
        Ok(items)
    }
}

/// The invitations within a scope that match a filter.
struct Meant<'a>(&'a Scope, &'a Filter);

impl Wanted<Record> for Meant<'_> {
    async fn select(&self, calls: &Calls, mut items: Vec<Record>) -> Result<Vec<Record>> {
        let Self(scope, filter) = self;
        items.retain(|one| scope.contains(&one.division));
        let Some(search) = &filter.search else {
            items.retain(|one| filter.matches(one, []));
            return Ok(items);
        };
        let others = Filter { search: None, ..(*filter).clone() };
        items.retain(|one| others.matches(one, []));
        // A record has the latest redeemer's name only.
        let (known, open): (Vec<_>, Vec<_>) =
            items.iter().partition(|one| one.uses <= 1 || search.matches(one, []));
        let mut found: HashSet<_> =
            known.into_iter().filter(|one| search.matches(one, [])).map(|one| one.id).collect();
        found.extend(names::found(calls, search, open.into_iter().map(|one| one.id)).await?);
        items.retain(|one| found.contains(&one.id));
        Ok(items)
    }
}

impl Meant<'_> {
    /// Counts the invitations that match.
    async fn count(
        &self,
        calls: &Calls,
        items: Vec<Record>,
        counts: &mut StatusCounts,
    ) -> Result<()> {
        let Self(_, filter) = self;
        for one in self.select(calls, items).await? {
            counts.add(one.status(filter.now), 1);
        }
        Ok(())
    }
}

/// The events within a scope that match a filter.
struct MeantEvents<'a>(&'a Scope, &'a EventFilter);

impl Wanted<Event> for MeantEvents<'_> {
    async fn select(&self, _: &Calls, mut items: Vec<Event>) -> Result<Vec<Event>> {
        let Self(scope, filter) = self;
        items.retain(|event| match scope {
            Scope::All => filter.matches(event),
            Scope::Division(own) => event.division.as_ref() == Some(own) && filter.matches(event),
        });
        Ok(items)
    }
}

/// Scans from a position on. Stops when the page is full, or after examining
/// [`MAX_LOOKED_AT`] entries.
async fn walk<T: Listed>(
    calls: &Calls,
    ranges: &[Range],
    order: ListOrder,
    page: &PageRequest<T::Id>,
    wanted: &impl Wanted<T>,
) -> Result<StorePage<T, T::Id>> {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let size = limit.saturating_add(1).clamp(MIN_PIECE, MAX_PIECE);
    let (mut found, mut after, mut looked_at) = (Vec::new(), page.after, 0);
    loop {
        let Piece { items, next } =
            piece::<T>(calls, &behind(ranges, order, after.as_ref()), order, size).await?;
        looked_at += items.len();
        found.extend(wanted.select(calls, items).await?);
        if found.len() > limit || next.is_none() {
            return Ok(StorePage::from_one_more(found, page.limit, |last| last.position(order)));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok(StorePage { items: found, next });
        }
        after = next;
    }
}

/// Returns all records of some unordered ranges, each once, or `None` if there are too
/// many.
async fn collect(calls: &Calls, ranges: &[Range], order: ListOrder) -> Result<Option<Vec<Record>>> {
    let Piece { mut items, next } = piece::<Record>(calls, ranges, order, MAX_UNORDERED).await?;
    // The same invitation may be in several ranges.
    items.dedup_by_key(|invitation| invitation.id);
    Ok(next.is_none().then_some(items))
}

/// Returns the plan with the fewest candidates.
async fn best(calls: &Calls, scope: &Scope, filter: &Filter) -> Result<Plan> {
    let mut plans = plan::plans(scope, filter);
    if plans.len() == 1 {
        return Ok(plans.remove(0));
    }
    let ranges: Vec<&Range> = plans.iter().flat_map(Plan::ranges).collect();
    let mut sizes = sizes(calls, &ranges).await?.into_iter();
    let candidates = plans.into_iter().map(|plan| {
        let number: u64 = sizes.by_ref().take(plan.ranges().len()).sum();
        (number, plan)
    });
    let fits = |number: u64| usize::try_from(number).is_ok_and(|number| number < MAX_UNORDERED);
    let usable =
        candidates.filter(|(number, plan)| matches!(plan, Plan::Ordered(_)) || fits(*number));
    let best = usable.min_by_key(|(number, _)| *number);
    // The first plan is always an ordered one.
    best.map(|(_, plan)| plan).ok_or_else(|| record::corrupt_entry("plan"))
}

async fn sizes(calls: &Calls, ranges: &[&Range]) -> Result<Vec<u64>> {
    let bounds = ranges.iter().flat_map(|range| [range.min.clone(), range.max.clone()]);
    let answer = calls.read("count", &SIZES, &bounds.collect::<Vec<_>>()).await?;
    let number = |value| match value {
        Value::Int(number) => u64::try_from(number).ok(),
        _ => None,
    };
    let numbers: Option<Vec<_>> = array("count", answer)?.into_iter().map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len() == ranges.len());
    numbers.ok_or_else(|| record::corrupt_entry("size"))
}

pub(crate) async fn are_invited(
    calls: &Calls,
    invitees: &[Invitee],
    now: Timestamp,
) -> Result<Vec<bool>> {
    let mut invited = Vec::with_capacity(invitees.len());
    for chunk in invitees.chunks(MAX_INVITEES) {
        let ranges: Vec<_> = chunk.iter().map(|one| plan::invitee(one, now)).collect();
        let sizes = sizes(calls, &ranges.iter().collect::<Vec<_>>()).await?;
        invited.extend(sizes.into_iter().map(|size| size > 0));
    }
    Ok(invited)
}

pub(crate) async fn list(
    calls: &Calls,
    scope: &Scope,
    filter: &Filter,
    page: &PageRequest<InvitationId>,
) -> Result<StorePage<Record, InvitationId>> {
    let (order, plan) = (filter.order, best(calls, scope, filter).await?);
    let meant = Meant(scope, filter);
    if let Plan::Unordered(ranges) = &plan
        && let Some(mut found) = collect(calls, ranges, order).await?
    {
        let is_after = |one: &Record, after| order.is_after(&order.position(one), after);
        found.retain(|one| page.after.as_ref().is_none_or(|after| is_after(one, after)));
        let found = meant.select(calls, found).await?;
        return Ok(StorePage::from_one_more(found, page.limit, |last| order.position(last)));
    }
    let ranges = ordered(plan, scope, filter);
    walk(calls, &ranges, order, page, &meant).await
}

/// Returns the ranges to scan: those of the plan, or of the first plan if the number of
/// candidates has meanwhile become too large for an unordered one.
fn ordered(plan: Plan, scope: &Scope, filter: &Filter) -> Vec<Range> {
    match plan {
        Plan::Ordered(ranges) => ranges,
        Plan::Unordered(_) => plan::plans(scope, filter).swap_remove(0).ranges().to_vec(),
    }
}

pub(crate) async fn count(
    calls: &Calls,
    scope: &Scope,
    filter: &Filter,
    cap: u32,
) -> Result<StatusCounts> {
    // The number of matches depends on no order.
    let filter = &Filter { order: NEWEST, ..filter.clone() };
    let statuses = filter.statuses();
    let mut counts = StatusCounts::up_to(cap);
    if let Some(ranges) = plan::counted(scope, filter, statuses) {
        let sizes = sizes(calls, &ranges.iter().collect::<Vec<_>>()).await?;
        for (status, size) in statuses.iter().zip(sizes) {
            counts.add(*status, u32::try_from(size).unwrap_or(u32::MAX));
        }
        return Ok(counts);
    }
    let meant = Meant(scope, filter);
    let plan = best(calls, scope, filter).await?;
    if let Plan::Unordered(ranges) = &plan
        && let Some(found) = collect(calls, ranges, NEWEST).await?
    {
        meant.count(calls, found, &mut counts).await?;
        return Ok(counts);
    }
    let walked = ordered(plan, scope, filter);
    if filter.search.is_some() {
        // Few of the entries may match, so their number is bounded.
        let (mut after, mut examined) = (None, 0);
        while examined <= MAX_COUNTED {
            let rest = behind(&walked, NEWEST, after.as_ref());
            let piece = piece::<Record>(calls, &rest, NEWEST, MAX_PIECE).await?;
            examined += u32::try_from(piece.items.len()).unwrap_or(u32::MAX);
            meant.count(calls, piece.items, &mut counts).await?;
            if piece.next.is_none() {
                return Ok(counts);
            }
            after = piece.next;
        }
        counts.mark_lower_bounds(filter);
        return Ok(counts);
    }
    for range in &walked {
        let may_hold = |status: &&Status| plan::may_hold(range, **status);
        let here: Vec<Status> = statuses.iter().filter(may_hold).copied().collect();
        let mut rest = range.clone();
        // A status that is already beyond the cap needs no further counting.
        while here.iter().any(|status| counts.is_exact(*status)) {
            let ranges = std::slice::from_ref(&rest);
            let Piece { items, next } = piece::<Record>(calls, ranges, NEWEST, MAX_PIECE).await?;
            meant.count(calls, items, &mut counts).await?;
            if next.is_none() {
                break;
            }
            rest = range.clone().behind(NEWEST, next.as_ref());
        }
    }
    Ok(counts)
}

pub(crate) async fn redemptions(
    calls: &Calls,
    invitation: &Record,
    page: &PageRequest<EventId>,
) -> Result<StorePage<Redemption, EventId>> {
    if invitation.max_uses.get() == 1 {
        let only = invitation.last_use.iter().cloned();
        let only = only.filter(|one| page.after.is_none_or(|after| one.position(NEWEST) < after));
        let position = |last: &Redemption| last.position(NEWEST);
        return Ok(StorePage::from_one_more(only.collect(), page.limit, position));
    }
    let range = Range::of(&[b"u".as_slice(), invitation.id.as_bytes()].concat());
    walk(calls, &[range], NEWEST, page, &Everything).await
}

pub(crate) async fn leases(
    calls: &Calls,
    scope: &Scope,
    page: &PageRequest<EventId>,
) -> Result<StorePage<OpenLease, EventId>> {
    let range = Range::of(&plan::scoped(scope, b'l', b'm', b""));
    walk(calls, &[range], NEWEST, page, &Everything).await
}

pub(crate) async fn events(
    calls: &Calls,
    scope: &Scope,
    filter: &EventFilter,
    page: &PageRequest<EventId>,
) -> Result<StorePage<Event, EventId>> {
    // A request has few events, an invitation more, and a user the most.
    let prefix = match (&filter.correlation, &filter.invitation, &filter.user) {
        (Some(correlation), _, _) => plan::named(b"c", correlation.as_str()),
        (None, Some(id), _) => [b"i".as_slice(), id.as_bytes()].concat(),
        (None, None, Some(user)) => plan::named(b"u", user.as_str()),
        (None, None, None) => plan::scoped(scope, b'a', b'd', b""),
    };
    let range = Range::of(&prefix).within(&filter.at);
    walk(calls, &[range], NEWEST, page, &MeantEvents(scope, filter)).await
}
