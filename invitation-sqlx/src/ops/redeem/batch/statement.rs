//! The statement of those who share one: the same as the redemption at once, with a row
//! for each of them.

use invitation_core::Transition;

use super::entries::{BatchEntry, ENTRY};
use crate::{
    dialect::Dialect,
    names::Names,
    ops::redeem::single_statement,
    render::{self, ValueSource},
    row,
    statement::Statement,
    values::{ColumnArrays, PushColumn, ValueList},
};

/// How long the statement waits for a row that somebody else has locked. Whoever wants
/// that row then waits alone, instead of making the others wait.
const LOCK_TIMEOUT: &str = "100ms";

/// Where a column of an event is to be found: in `u`, which is the invitation after its
/// use, or in `p`, the entry. The others are those of the first entry's event.
fn of_event(column: &str, u: &str) -> Option<String> {
    Some(match column {
        "id" => "p.used_id".to_owned(),
        "at" => "p.used_at".to_owned(),
        "actor" => "p.used_by".to_owned(),
        "redeemer" => "p.used_name".to_owned(),
        "invitation" => format!("{u}.id"),
        "division" => format!("{u}.division"),
        "correlation" | "source" => format!("p.{column}"),
        _ => return None,
    })
}

/// The columns of an invitation, of this table.
fn qualified(table: &str) -> String {
    let columns = row::INVITATION.split(", ").map(|column| format!("{table}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

/// For codes of one use that one entry wants each, or for any.
pub(super) fn write<DB: Dialect>(
    names: &Names,
    entries: &[BatchEntry<'_>],
    once_each: bool,
) -> Option<Statement<DB>> {
    let (push, first) = (DB::PUSH_COLUMN?, entries.first()?.transition);
    let mut s = Statement::<DB>::new("WITH ");
    if once_each {
        redeem_single_use(&mut s, names, first, |s| rows(s, push, entries));
    } else {
        s.sql("p AS MATERIALIZED ");
        rows(&mut s, push, entries);
        s.sql(", ");
        redeem_any(&mut s, names, first);
    }
    // What an entry brings along is in `u` too, where there is one for each.
    let both = if once_each { "u AS p" } else { "u JOIN p ON p.digest = u.digest" };
    let u = if once_each { "p" } else { "u" };
    s.sql(format_args!(", e AS (INSERT INTO {} ({}) SELECT ", names.events, row::EVENT));
    let known = |column: &str| of_event(column, u);
    row::write_event(&mut ValueList::but(&mut s, row::EVENT, &known), first.event(), |values| {
        values.elsewhere(2);
    });
    s.sql(format_args!(" FROM {both})"));
    if !once_each {
        s.sql(format_args!(
            ", r AS (INSERT INTO {} (invitation, id, user_id, username, at, role, lease) \
             SELECT u.id, p.used_id, p.used_by, p.used_name, p.used_at, u.role, NULL \
             FROM {both} WHERE u.max_uses > 1)",
            names.redemptions
        ));
        single_statement::delete_old_terms(&mut s, names);
    }
    single_statement::update_state(&mut s, names);
    s.sql(format_args!(
        ", w AS (INSERT INTO {} (term, division, created_at, invitation, part) \
         SELECT x.term, {u}.division, {u}.created_at, {u}.id, {u}.uses FROM {both}, \
         UNNEST(STRING_TO_ARRAY(p.terms, ' ')) AS x (term))",
        names.search_terms
    ));
    s.sql(format_args!(" SELECT {}, p.ordinal FROM {both}", qualified(u)));
    Some(s)
}

/// The entries, a row for each. The patience is part of what they are made of, so that it is
/// set before any row is looked for.
fn rows<DB: Dialect>(s: &mut Statement<DB>, push: PushColumn<DB>, entries: &[BatchEntry<'_>]) {
    s.sql(format_args!(
        "(SELECT p.* FROM (SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', TRUE) AS is_set) AS c, \
         UNNEST"
    ));
    s.list(ColumnArrays::of(entries), |s, column| s.column(push, column));
    s.sql(format_args!(" AS p ({ENTRY}) WHERE c.is_set IS NOT NULL)"));
}

/// Codes of one use: each is used by the entry who wants it.
fn redeem_single_use<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    first: &Transition,
    rows: impl FnOnce(&mut Statement<DB>),
) {
    s.sql(format_args!("u AS (UPDATE {} AS i SET uses = 1, ", names.invitations));
    assign(s);
    s.sql("FROM ");
    rows(s);
    s.sql(" AS p WHERE i.digest = p.digest AND i.max_uses = 1 AND i.uses = 0");
    render::scope(s, first.scope());
    render::guard_of_unused(s, first.guard(), ValueSource::Row("p"), names);
    s.sql(format_args!(
        " RETURNING {}, p.ordinal, p.terms, p.correlation, p.source)",
        qualified("i")
    ));
}

/// One row is changed once, by the last of those who want it, for all of them.
fn redeem_any<DB: Dialect>(s: &mut Statement<DB>, names: &Names, first: &Transition) {
    s.sql(format_args!(
        "u AS (UPDATE {} AS i SET uses = i.uses + p.group_size, ",
        names.invitations
    ));
    assign(s);
    s.sql("FROM p WHERE p.position = p.group_size AND i.digest = p.digest");
    render::scope(s, first.scope());
    s.sql(" AND i.uses + p.group_size <= i.max_uses");
    render::guard_without_leases(s, first.guard(), ValueSource::Row("p"), names);
    s.sql(" AND (p.group_size = 1 OR NOT EXISTS (SELECT 1 FROM p AS q WHERE q.digest = p.digest ");
    s.sql("AND NOT COALESCE(1 = 1");
    render::guard_without_leases(s, first.guard(), ValueSource::Row("q"), names);
    s.sql(format_args!(", FALSE))) RETURNING {})", qualified("i")));
}

fn assign<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql("used_id = p.used_id, used_by = p.used_by, used_name = p.used_name, ");
    s.sql("used_at = p.used_at, used_role = i.role, used_lease = NULL ");
}
