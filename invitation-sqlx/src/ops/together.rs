//! Redemptions of many callers as one statement: its costs, the round trip and the wait
//! for the disk are shared. For each caller it is as if the callers had come one after
//! the other.
//!
//! A caller for whom it does nothing is told none, and goes the general way, which does it
//! or finds out why not. That so happens to all who want the same code when one of them
//! may not have it, or when it has not enough uses left for all of them.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
};

use invitation_core::{
    Change, CodeDigest, Condition, EmailKey, Facts, StoreError, StoreErrorKind, Target, Transition,
};

use super::{at_once, words};
use crate::{
    dialect::Dialect,
    error::{is_taken, lone_statement_error},
    names::Names,
    render::{self, Given},
    row,
    statement::Statement,
    values::{Column, Columns, Record, Values},
};

/// How many callers share a statement at most: what bounds its memory, and for how long it
/// holds the rows that it has changed.
pub(crate) const TOGETHER: NonZeroUsize = NonZeroUsize::new(128).expect("it is not 0");

/// How long the statement waits for a row that somebody else has locked. Whoever wants
/// that row then waits alone, instead of making the others wait.
const PATIENCE: &str = "100ms";

/// Whether a transition may share a statement with others.
pub(crate) fn may_share<DB: Dialect>(transition: &Transition) -> bool {
    DB::CHANGES_AS_ONE
        && DB::PUSH_COLUMN.is_some()
        && transition.quotas().is_empty()
        && matches!(transition.target(), Target::Code(digests) if !digests.is_empty())
        && matches!(transition.change(), Change::Redeem { in_place_of: None, .. })
}

/// Redeems for all of them that it can, each with its evidence, in one round trip; the
/// facts after each, in the order of the transitions, and none where nothing was done.
pub(crate) async fn redeem_together<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
    let riders = seated(transitions);
    let Some(first) = transitions.first() else { return Ok(facts) };
    let Some(s) = statement::<DB>(names, first, &riders) else { return Ok(facts) };
    let found = match s.all(conn).await {
        Ok(found) => found,
        Err(error) => {
            // Somebody was in the way of one of them, and nothing was done.
            let is_taken = is_taken(&error);
            let error = lone_statement_error::<DB>("apply", error);
            let in_the_way = is_taken || error.kind() == StoreErrorKind::Conflict;
            return if in_the_way { Ok(facts) } else { Err(error) };
        }
    };
    for row in &found {
        // An error from here on comes too late to undo anything.
        let unknown =
            |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
        let (invitation, seat) = row::seated::<DB>(row).map_err(unknown)?;
        let rider = usize::try_from(seat).ok().and_then(|seat| riders.get(seat));
        let Some((rider, place)) = rider.and_then(|r| Some((r, facts.get_mut(r.caller)?))) else {
            return Err(unknown(StoreError::new(StoreErrorKind::Corrupt, "apply")));
        };
        // As it was when this one's turn had come. It was without leases.
        let mut turn = Facts::of(invitation);
        turn.invitation.uses -= rider.together - (rider.nth - 1);
        rider.transition.change().apply_to(&mut turn);
        *place = Some(turn);
    }
    Ok(facts)
}

/// A caller and one of the digests that its code may have.
struct Rider<'a> {
    /// Its place among the rows of the statement.
    seat: i64,
    /// Whose place among the transitions it is.
    caller: usize,
    transition: &'a Transition,
    digest: &'a CodeDigest,
    /// The how-manieth of those who want the same it is, from 1 on.
    nth: u32,
    /// How many those are.
    together: u32,
}

/// Whoever can share the first one's statement, by the digests that they want: then all
/// statements change rows in the same order, and none waits for one that waits for it.
fn seated<'a>(transitions: &[&'a Transition]) -> Vec<Rider<'a>> {
    let Some(first) = transitions.first() else { return Vec::new() };
    let mut seen = HashSet::new();
    let mut riders = Vec::with_capacity(transitions.len());
    for (caller, transition) in transitions.iter().enumerate() {
        let Target::Code(digests) = transition.target() else { continue };
        // A second try by the same person is for the general way.
        let is_first = seen.insert((digests, transition.redeemer()));
        if is_first && is_alike(first, transition) {
            riders.extend(digests.iter().map(|digest| Rider {
                seat: 0,
                caller,
                transition,
                digest,
                nth: 0,
                together: 0,
            }));
        }
    }
    riders.sort_by_key(|rider| rider.digest.as_bytes());
    let mut number: HashMap<&CodeDigest, u32> = HashMap::new();
    for (seat, rider) in (0..).zip(&mut riders) {
        let number = number.entry(rider.digest).or_default();
        *number += 1;
        (rider.seat, rider.nth) = (seat, *number);
    }
    for rider in &mut riders {
        rider.together = number.get(rider.digest).copied().unwrap_or_default();
    }
    riders
}

/// Whether the same statement serves both, but for the values in their rows.
fn is_alike(a: &Transition, b: &Transition) -> bool {
    let (asked, also) = (a.guard().conditions(), b.guard().conditions());
    a.scope() == b.scope()
        && asked.len() == also.len()
        && asked.iter().zip(also).all(|pair| match pair {
            (Condition::FirstUseBy(_), Condition::FirstUseBy(_))
            | (Condition::FirstHoldBy(_), Condition::FirstHoldBy(_))
            | (Condition::NotExpired { .. }, Condition::NotExpired { .. })
            | (Condition::AddressProved(_), Condition::AddressProved(_)) => true,
            (a, b) => a == b,
        })
}

/// The columns of a rider, in the order in which it is written; those of its event follow.
const RIDER: &str = "seat, digest, nth, together, used_id, used_by, used_name, used_at, now, \
     email_key, email_domain";

/// The columns of an event that its invitation tells.
const TOLD: [&str; 2] = ["invitation", "division"];

impl Record for Rider<'_> {
    fn write(&self, v: &mut impl Values) {
        let Change::Redeem { id, user, username, at, .. } = self.transition.change() else {
            return;
        };
        v.int(self.seat);
        v.blob(self.digest.as_bytes().as_slice());
        v.int(i64::from(self.nth));
        v.int(i64::from(self.together));
        v.blob(id.as_bytes().as_slice());
        v.text(user.as_str());
        v.text(username.as_str());
        v.int(at.as_micros());
        let guard = self.transition.guard().conditions();
        v.int(guard.iter().find_map(|word| match word {
            Condition::NotExpired { now } => Some(now.as_micros()),
            _ => None,
        }));
        let address = guard.iter().find_map(|word| match word {
            Condition::AddressProved(address) => address.as_ref(),
            _ => None,
        });
        v.text(address.map(EmailKey::as_str));
        v.text(address.map(EmailKey::domain));
        row::write_event(v, self.transition.event(), |_| {});
    }
}

/// The seats of those who are the last for their code, and the words of their names.
fn words_of(riders: &[Rider<'_>]) -> [Column; 2] {
    let (mut seats, mut texts) = (Vec::new(), Vec::new());
    for rider in riders.iter().filter(|rider| rider.nth == rider.together) {
        if let Change::Redeem { username, .. } = rider.transition.change() {
            for word in words::each_once(username.as_str()) {
                seats.push(Some(rider.seat));
                texts.push(Some(word));
            }
        }
    }
    [Column::Ints(seats), Column::Texts(texts)]
}

/// The columns of an invitation, of this table.
fn qualified(table: &str) -> String {
    let columns = row::INVITATION.split(", ").map(|column| format!("{table}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

/// The same as the redemption at once, with a row `p` for each rider.
fn statement<DB: Dialect>(
    names: &Names,
    first: &Transition,
    riders: &[Rider<'_>],
) -> Option<Statement<DB>> {
    let push = DB::PUSH_COLUMN?;
    let event = || row::EVENT.split(", ").filter(|column| !TOLD.contains(column));
    // The patience is part of what `p` is made of, so that it is set before any row is
    // looked for.
    let mut s = Statement::<DB>::new(format!(
        "WITH p AS MATERIALIZED (SELECT p.* FROM \
         (SELECT set_config('lock_timeout', '{PATIENCE}', TRUE) AS is_set) AS c, UNNEST"
    ));
    s.list(Columns::of(riders), |s, column| s.column(push, column));
    s.sql(format_args!(" AS p ({RIDER}"));
    for column in event() {
        s.sql(", ").sql(column);
    }
    s.sql(") WHERE c.is_set IS NOT NULL), ");

    // One row is changed once, by the last of those who want it, for all of them.
    s.sql(format_args!("u AS (UPDATE {} AS i SET uses = i.uses + p.together, ", names.invitations));
    s.sql("used_id = p.used_id, used_by = p.used_by, used_name = p.used_name, ");
    s.sql("used_at = p.used_at, used_role = i.role, used_lease = NULL ");
    s.sql("FROM p WHERE p.nth = p.together AND i.digest = p.digest");
    render::scope(&mut s, first.scope());
    s.sql(" AND i.uses + p.together <= i.max_uses");
    render::guard_without_leases(&mut s, first.guard(), Given::In("p"), names);
    s.sql(" AND (p.together = 1 OR NOT EXISTS (SELECT 1 FROM p AS q WHERE q.digest = p.digest ");
    s.sql("AND NOT COALESCE(1 = 1");
    render::guard_without_leases(&mut s, first.guard(), Given::In("q"), names);
    s.sql(format_args!(", FALSE))) RETURNING {}), ", qualified("i")));

    s.sql(format_args!("e AS (INSERT INTO {} ({}) SELECT ", names.events, row::EVENT));
    for (n, column) in row::EVENT.split(", ").enumerate() {
        s.sql(if n == 0 { "" } else { ", " });
        match column {
            "invitation" => s.sql("u.id"),
            "division" => s.sql("u.division"),
            own => s.sql("p.").sql(own),
        };
    }
    s.sql(" FROM u JOIN p ON p.digest = u.digest), ");
    s.sql(format_args!(
        "r AS (INSERT INTO {} (invitation, id, user_id, username, at, role, lease) \
         SELECT u.id, p.used_id, p.used_by, p.used_name, p.used_at, u.role, NULL \
         FROM u JOIN p ON p.digest = u.digest WHERE u.max_uses > 1), ",
        names.redemptions
    ));
    at_once::follow(&mut s, names);
    s.sql(format_args!(
        ", w AS (INSERT INTO {} (word, division, created_at, invitation, part) \
         SELECT x.word, u.division, u.created_at, u.id, u.uses \
         FROM u JOIN p ON p.digest = u.digest JOIN UNNEST",
        names.words
    ));
    s.list(words_of(riders), |s, column| s.column(push, column));
    s.sql(" AS x (seat, word) ON x.seat = p.seat)");
    s.sql(format_args!(" SELECT {}, p.seat FROM u JOIN p ON p.digest = u.digest", qualified("u")));
    Some(s)
}
