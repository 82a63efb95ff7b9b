//! The statement of a batch. It has the same effects as the single statement, with a row for each
//! entry.

use invitation_core::Transition;
use sqlx::Postgres;

use crate::{
    dialect::Dialect,
    names::Names,
    ops::redeem::{BatchEntry, ENTRY},
    postgres::single_statement,
    render::{self, ValueSource},
    row,
    statement::Statement,
    values::{ColumnArrays, PushColumn, ValueList},
};

/// The time that the statement waits for a locked row. After that, the caller of the locked code
/// waits alone and does not delay the others.
const LOCK_TIMEOUT: &str = "100ms";

/// Returns the SQL expression of an event's column. `u` is the invitation after its use, and `p`
/// is the entry. Other columns have the same value for all entries.
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

/// Writes the statement. With `once_each`, it redeems single-use codes with one entry each;
/// otherwise it redeems any codes.
pub(super) fn write(
    names: &Names,
    entries: &[BatchEntry<'_>],
    once_each: bool,
) -> Option<Statement<Postgres>> {
    let (push, first) = (Postgres::PUSH_COLUMN?, entries.first()?.transition);
    let mut s = Statement::<Postgres>::new("WITH ");
    if once_each {
        redeem_single_use(&mut s, names, first, |s| rows(s, push, entries));
    } else {
        s.sql("p AS MATERIALIZED ");
        rows(&mut s, push, entries);
        s.sql(", ");
        redeem_any(&mut s, names, first);
    }
    // With `once_each`, `u` also contains the columns of the entry.
    let both = if once_each { "u AS p" } else { "u JOIN p ON p.digest = u.digest" };
    let u = if once_each { "p" } else { "u" };
    s.sql(format_args!(", e AS (INSERT INTO {} ({}) SELECT ", names.events, row::EVENT));
    let known = |column: &str| of_event(column, u);
    row::write_event(
        &mut ValueList::with_replaced(&mut s, row::EVENT, &known),
        first.event(),
        |values| {
            values.skip(2);
        },
    );
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
    s.sql(format_args!(" SELECT {}, p.ordinal FROM {both}", row::qualified(row::INVITATION, u)));
    Some(s)
}

/// Writes the entries, one row each. The rows depend on the lock timeout, so that it is set
/// before the statement looks for any invitation.
fn rows(s: &mut Statement<Postgres>, push: PushColumn<Postgres>, entries: &[BatchEntry<'_>]) {
    s.sql(format_args!(
        "(SELECT p.* FROM (SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', TRUE) AS is_set) AS c, \
         UNNEST"
    ));
    s.list(ColumnArrays::of(entries), |s, column| s.column(push, column));
    s.sql(format_args!(" AS p ({ENTRY}) WHERE c.is_set IS NOT NULL)"));
}

/// Writes the update of single-use codes, each by its only entry.
fn redeem_single_use(
    s: &mut Statement<Postgres>,
    names: &Names,
    first: &Transition,
    rows: impl FnOnce(&mut Statement<Postgres>),
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
        row::qualified(row::INVITATION, "i")
    ));
}

/// Writes the update of any codes. One update changes each row once, for all of its entries, with
/// the values of the last one.
fn redeem_any(s: &mut Statement<Postgres>, names: &Names, first: &Transition) {
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
    s.sql(format_args!(", FALSE))) RETURNING {})", row::qualified(row::INVITATION, "i")));
}

fn assign(s: &mut Statement<Postgres>) {
    s.sql("used_id = p.used_id, used_by = p.used_by, used_name = p.used_name, ");
    s.sql("used_at = p.used_at, used_role = i.role, used_lease = NULL ");
}
