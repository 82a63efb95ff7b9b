//! The core's types as SQL that every database understands.
//!
//! Each function here has a counterpart in the core that defines its meaning: `Condition::holds`,
//! `Change::apply_to`, `Filter::matches`, `Record::status`, `Quota::counts`, `Purge::takes`.
//! The alias of the table of invitations is always `i`.

mod change;
mod guard;

use invitation_core::{
    EventFilter, EventId, Filter, Position, Purge, Quota, QuotaOf, Scope, Search, SearchTerm,
    State, Status, Target, TimeRange, Transition, UserId,
};

pub(crate) use self::{
    change::change,
    guard::{ValueSource, guard, guard_of_all, guard_of_plain},
};
use crate::{dialect::Dialect, list::Index, names::Names, statement::Statement};

/// Returns the number of a state in the table of states.
pub(crate) const fn state(state: State) -> i64 {
    match state {
        State::Open => 0,
        State::Revoked => 1,
        State::UsedUp => 2,
    }
}

/// A character greater than each character of a term. Terms consist of letters, digits and marks,
/// and this is none of them.
const END_OF_PREFIX: char = char::MAX;

/// Writes the table of an index with the alias `i`, to be read by that index.
pub(crate) fn by_index<DB: Dialect>(s: &mut Statement<DB>, names: &Names, index: Index) {
    let (prefix, table) = (names.prefix(), index.table());
    s.sql(format_args!("{prefix}{table} i")).sql(DB::use_index(&names.index(index)));
}

/// Limits the number of rows. PostgreSQL's planner cannot see the number. It then expects few of
/// all rows and uses an index that has them in order.
pub(crate) fn at_most<DB: Dialect>(s: &mut Statement<DB>, rows: u32) {
    s.sql(" LIMIT ");
    DB::hide_from_planner(s, |s| {
        s.sql(rows);
    });
}

/// Writes the state as a part of the primary key of the table of states.
///
/// PostgreSQL's planner cannot see the value. It would take a partial index for this state, with
/// only a part of the key, for as good as the primary key. It would then read a whole division
/// for each row.
pub(crate) fn is_in_state<DB: Dialect>(s: &mut Statement<DB>, column: &str, value: State) {
    s.sql(column).sql(" = ");
    DB::hide_from_planner(s, |s| {
        s.int(state(value));
    });
}

pub(crate) fn target<DB: Dialect>(s: &mut Statement<DB>, target: &Target) {
    match target {
        Target::Id(id) => {
            s.sql("i.id = ").blob(id.as_bytes());
        }
        Target::Code(digests) if digests.is_empty() => {
            s.sql("1 = 0");
        }
        Target::Code(digests) => {
            s.sql("i.digest IN ").list(digests, |s, digest| {
                s.blob(digest.as_bytes());
            });
        }
    }
}

/// Writes the conditions by which the invitation of a transition is found that was not made.
pub(crate) fn refused<DB: Dialect>(s: &mut Statement<DB>, names: &Names, transition: &Transition) {
    let event = (!transition.change().shares_event()).then_some(&transition.event().id);
    target(s, transition.target());
    hide_tombstone(s, names, transition.target(), event, transition.redeemer());
    scope(s, transition.scope());
}

/// Hides a tombstone that the target does not find for this user ([`Target::finds`]), unless this
/// event is on record for it: then the transition was applied before the deletion.
pub(crate) fn hide_tombstone<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    target: &Target,
    event: Option<&EventId>,
    user: Option<&UserId>,
) {
    match target {
        Target::Id(_) => return,
        Target::Code(_) => s.sql(" AND (i.deleted_at IS NULL"),
    };
    if let Some(event) = event {
        s.sql(format_args!(" OR EXISTS (SELECT 1 FROM {} e WHERE e.id = ", names.events));
        s.blob(event.as_bytes()).sql(" AND e.invitation = i.id)");
    }
    if let Some(user) = user {
        // The redemption of a single-use code is in its row, and not in the table.
        s.sql(" OR i.used_by = ").text(user.as_str());
        s.sql(format_args!(" OR EXISTS (SELECT 1 FROM {} m WHERE m.user_id = ", names.redemptions));
        s.text(user.as_str()).sql(" AND m.invitation = i.id)");
    }
    s.sql(")");
}

pub(crate) fn scope<DB: Dialect>(s: &mut Statement<DB>, scope: &Scope) {
    scope_of(s, "i", scope);
}

/// Writes the scope for another table with a division.
pub(crate) fn scope_of<DB: Dialect>(s: &mut Statement<DB>, table: &str, scope: &Scope) {
    match scope {
        Scope::All => {}
        Scope::Division(division) => {
            s.sql(format_args!(" AND {table}.division = ")).text(division.as_str());
        }
    }
}

pub(crate) fn filter<DB: Dialect>(s: &mut Statement<DB>, filter: &Filter, names: &Names) {
    let Filter {
        now: _,
        status: of,
        role,
        inviter,
        batch,
        created,
        expires,
        search: text,
        order: _,
    } = filter;
    s.sql(" AND i.deleted_at IS NULL");
    if let Some(of) = of {
        status(s, *of, filter);
    }
    if let Some(role) = role {
        s.sql(" AND i.role = ").text(role.as_str());
    }
    if let Some(inviter) = inviter {
        s.sql(" AND i.inviter = ").text(inviter.as_str());
    }
    if let Some(batch) = batch {
        s.sql(" AND i.batch = ").blob(batch.as_bytes());
    }
    span(s, "i.created_at", created);
    span(s, "i.expires_at", expires);
    if let Some(text) = text {
        search(s, text, names);
    }
}

/// Writes the conditions of a status at the filter's time.
pub(crate) fn status<DB: Dialect>(s: &mut Statement<DB>, status: Status, filter: &Filter) {
    s.sql(match status {
        Status::Used => " AND i.uses >= i.max_uses",
        Status::Revoked => " AND i.uses < i.max_uses AND i.revoked_at IS NOT NULL",
        Status::Expired | Status::Active => " AND i.uses < i.max_uses AND i.revoked_at IS NULL",
    });
    validity(s, "i.expires_at", status, filter);
}

/// Writes the condition of a status on the column of the expiry.
pub(crate) fn validity<DB: Dialect>(
    s: &mut Statement<DB>,
    column: &str,
    status: Status,
    filter: &Filter,
) {
    let is = match status {
        Status::Used | Status::Revoked => return,
        Status::Expired => "<=",
        Status::Active => ">",
    };
    s.sql(format_args!(" AND {column} {is} ")).int(filter.now.as_micros());
}

pub(crate) fn span<DB: Dialect>(s: &mut Statement<DB>, column: &str, span: &TimeRange) {
    if let Some(from) = span.from {
        s.sql(format_args!(" AND {column} >= ")).int(from.as_micros());
    }
    if let Some(until) = span.until {
        s.sql(format_args!(" AND {column} < ")).int(until.as_micros());
    }
}

/// Writes that the address or the name of one redeemer matches all terms. The subquery reads the
/// terms of an invitation once for all searched terms, in the order of its index.
fn search<DB: Dialect>(s: &mut Statement<DB>, search: &Search, names: &Names) {
    s.keep_secret();
    s.sql(" AND (1 = 0");
    if !search.tags().is_empty() {
        s.sql(" OR i.tag IN ").list(search.tags(), |s, tag| {
            s.blob(tag.as_bytes());
        });
    }
    let terms = search.terms();
    if !terms.is_empty() {
        s.sql(format_args!(
            " OR EXISTS (SELECT 1 FROM {} w WHERE w.invitation = i.id",
            names.search_terms
        ));
        meets_all(s, terms);
        s.sql(")");
    }
    s.sql(")");
}

/// Writes the end of a query for the terms `w` of an invitation: one part of them meets all terms.
pub(crate) fn meets_all<DB: Dialect>(s: &mut Statement<DB>, terms: &[SearchTerm]) {
    s.keep_secret();
    s.sql(" GROUP BY w.part HAVING ");
    for (n, term) in terms.iter().enumerate() {
        s.sql(if n == 0 { "MAX(CASE WHEN w.term >= " } else { " + MAX(CASE WHEN w.term >= " });
        let (below, end) = end_of(term);
        s.text(term.as_str()).sql(format_args!(" AND w.term {below} ")).text(end.as_str());
        s.sql(" THEN 1 ELSE 0 END)");
    }
    s.sql(format_args!(" = {}", terms.len()));
}

/// Writes the range of terms that match a searched term, from their index. With `>=` the range
/// includes the term itself, with `>` only longer ones.
pub(crate) fn search_terms<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    is: &str,
    term: &SearchTerm,
) {
    s.keep_secret();
    let (below, end) = end_of(term);
    by_index(s, names, Index::TermsKey);
    s.sql(format_args!(" WHERE i.term {is} "));
    DB::hide_from_planner(s, |s| {
        s.text(term.as_str());
    });
    s.sql(format_args!(" AND i.term {below} "));
    DB::hide_from_planner(s, |s| {
        s.text(end.as_str());
    });
}

/// Writes the rows of invitations `i` whose code may begin with the searched text.
pub(crate) fn tagged<DB: Dialect>(s: &mut Statement<DB>, names: &Names, search: &Search) {
    s.keep_secret();
    by_index(s, names, Index::CodesTag);
    s.sql(" WHERE ");
    if search.tags().is_empty() {
        s.sql("1 = 0");
        return;
    }
    s.sql("i.tag IN ").list(search.tags(), |s, tag| {
        s.blob(tag.as_bytes());
    });
}

/// Returns the end of the range of terms that match a searched term, and the operator to compare
/// with it.
fn end_of(term: &SearchTerm) -> (&'static str, String) {
    let text = term.as_str();
    if term.is_whole() { ("<=", text.to_owned()) } else { ("<", format!("{text}{END_OF_PREFIX}")) }
}

/// Writes the condition of the invitations that a quota counts, on the table of states `i`.
pub(crate) fn pending<DB: Dialect>(s: &mut Statement<DB>, quota: &Quota) {
    match &quota.of {
        QuotaOf::Inviter(user) => s.sql("i.inviter = ").text(user.as_str()),
        QuotaOf::Division(division) => s.sql("i.division = ").text(division.as_str()),
    };
    s.sql(" AND i.state ").sql(DB::is_open());
    s.sql(" AND i.expires_at > ").int(quota.now.as_micros());
}

/// Writes the condition of the invitations that a purge removes.
pub(crate) fn purgeable<DB: Dialect>(s: &mut Statement<DB>, purge: &Purge) {
    let before = purge.before.as_micros();
    s.sql("(i.deleted_at < ").int(before);
    s.sql(" OR (i.deleted_at IS NULL AND (");
    s.sql("(i.uses >= i.max_uses AND i.used_at < ").int(before);
    s.sql(") OR (i.uses < i.max_uses AND i.revoked_at < ").int(before);
    s.sql(") OR (i.uses < i.max_uses AND i.revoked_at IS NULL AND i.expires_at < ").int(before);
    s.sql("))))");
    scope(s, &purge.scope);
}

/// Writes that a row comes strictly after a position, newest first.
pub(crate) fn after<DB: Dialect, I>(
    s: &mut Statement<DB>,
    at: &str,
    id: &str,
    after: Option<&Position<I>>,
    bytes: impl FnOnce(&I) -> &[u8; 16],
) {
    beyond(s, "<", at, id, after, bytes);
}

/// Writes that a row lies strictly beyond a position: `<` in a descending order, `>` in an
/// ascending one.
pub(crate) fn beyond<DB: Dialect, I>(
    s: &mut Statement<DB>,
    is: &str,
    at: &str,
    id: &str,
    position: Option<&Position<I>>,
    bytes: impl FnOnce(&I) -> &[u8; 16],
) {
    if let Some(after) = position {
        let time = after.at.as_micros();
        // MySQL and MariaDB find the beginning in an index by the first comparison only.
        s.sql(format_args!(" AND {at} {is}= ")).int(time);
        s.sql(format_args!(" AND ({at}, {id}) {is} (")).int(time);
        s.sql(", ").blob(bytes(&after.id)).sql(")");
    }
}

/// Writes the filter of events. The alias of the table of events is `e`.
pub(crate) fn event_filter<DB: Dialect>(
    s: &mut Statement<DB>,
    scope: &Scope,
    filter: &EventFilter,
) {
    s.sql("1 = 1");
    scope_of(s, "e", scope);
    if let Some(id) = &filter.invitation {
        s.sql(" AND e.invitation = ").blob(id.as_bytes());
    }
    if let Some(user) = &filter.user {
        s.sql(" AND e.actor = ").text(user.as_str());
    }
    if let Some(action) = filter.action {
        s.sql(" AND e.action = ").text(action.as_str());
    }
    if let Some(outcome) = filter.outcome {
        s.sql(" AND e.outcome IN ").list(outcome.outcomes(), |s, outcome| {
            s.text(outcome.as_str());
        });
    }
    if let Some(correlation) = &filter.correlation {
        s.sql(" AND e.correlation = ").text(correlation.as_str());
    }
    span(s, "e.at", &filter.at);
}
