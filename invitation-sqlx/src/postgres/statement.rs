//! The statement of one or of several redemptions. A taken key undoes all its changes.

use invitation_core::{State, Transition};
use sqlx::Postgres;

use super::{
    arrays,
    entries::{BatchEntry, ENTRY},
};
use crate::{
    effects,
    names::Names,
    render::{self, ValueSource},
    row,
    statement::Statement,
    values::InputRow,
};

/// Writes the statement, if there is an entry. `lock_timeout` limits its wait for a locked row.
pub(super) fn write(
    names: &Names,
    entries: &[BatchEntry<'_>],
    lock_timeout: Option<&str>,
) -> Option<Statement<Postgres>> {
    let first = entries.first()?.transition;
    let Names { states, search_terms, .. } = names;
    let mut s = Statement::new("WITH ");
    // The invitations `i` after their redemptions, and a row `p` for each redemption.
    let (both, use_number) = if entries.iter().all(|entry| entry.group_size == 1) {
        redeem_once_each(&mut s, names, entries, first, lock_timeout);
        // The columns of `p` are columns of `u` then. The planner needs no join for that.
        let own = row::qualified(&effects::ROW, "i");
        (format!("u AS i CROSS JOIN LATERAL (SELECT {own}, i.terms, i.ordinal) AS p"), "i.uses")
    } else {
        s.sql("p AS MATERIALIZED ");
        rows(&mut s, entries, lock_timeout);
        s.sql(", ");
        redeem_several_times(&mut s, names, first);
        let both = "u AS i JOIN p ON p.digest = i.digest".to_owned();
        (both, "i.uses - p.group_size + p.position")
    };
    s.sql(", e AS (");
    effects::insert_events(&mut s, names, first.event());
    s.sql(format_args!(" FROM {both}), r AS ("));
    effects::insert_redemptions(&mut s, names);
    s.sql(format_args!(" FROM {both} WHERE {})", effects::IN_LEDGER));
    s.sql(format_args!(", t AS (UPDATE {states} AS x SET state = "));
    s.sql(render::state(State::UsedUp)).sql(" FROM u AS i WHERE ");
    effects::is_used_up(&mut s);
    s.sql(format_args!(
        "), w AS (INSERT INTO {search_terms} ({}) SELECT x.term, {}, {use_number} FROM {both}, \
         UNNEST(STRING_TO_ARRAY(p.terms, ' ')) AS x (term))",
        effects::TERM,
        effects::TERM_OF_USE
    ));
    s.sql(format_args!(" SELECT {}, p.ordinal FROM {both}", row::qualified(&row::INVITATION, "i")));
    Some(s)
}

/// Writes the entries, one row each. The rows depend on the lock timeout, so that it is set
/// before the statement looks for any invitation.
///
/// PostgreSQL keeps a plan for all values only if it costs no more than the plans for certain
/// values. Otherwise it plans each call, which takes longer than the redemption. An array of
/// unknown length counts as ten rows. So one entry is written without arrays, and a limit of
/// unknown value makes the planner expect one row.
fn rows(s: &mut Statement<Postgres>, entries: &[BatchEntry<'_>], lock_timeout: Option<&str>) {
    s.sql("(SELECT ");
    if let [only] = entries {
        for (n, (value, name)) in only.values().into_iter().zip(ENTRY.split(", ")).enumerate() {
            s.sql(if n == 0 { "" } else { ", " }).value(value).sql(format_args!(" AS {name}"));
        }
    } else {
        s.sql("p.*");
    }
    if let Some(time) = lock_timeout {
        s.sql(format_args!(
            " FROM (SELECT set_config('lock_timeout', '{time}', TRUE) AS is_set) AS c"
        ));
    }
    if entries.len() > 1 {
        s.sql(if lock_timeout.is_some() { ", " } else { " FROM " }).sql("UNNEST");
        let columns = arrays::of(entries.iter().map(InputRow::values).collect());
        s.list(columns, |s, column| column.bind(s)).sql(format_args!(" AS p ({ENTRY})"));
    }
    if lock_timeout.is_some() {
        s.sql(" WHERE c.is_set IS NOT NULL");
    }
    if let (2.., Ok(limit)) = (entries.len(), i64::try_from(entries.len())) {
        s.sql(" LIMIT ").int(limit);
    }
    s.sql(")");
}

/// Writes the update of codes with one entry each.
fn redeem_once_each(
    s: &mut Statement<Postgres>,
    names: &Names,
    entries: &[BatchEntry<'_>],
    first: &Transition,
    lock_timeout: Option<&str>,
) {
    s.sql(format_args!("u AS (UPDATE {} AS i SET uses = i.uses + 1, ", names.invitations));
    effects::set_latest_use(s, names, None);
    s.sql(" FROM ");
    rows(s, entries, lock_timeout);
    s.sql(" AS p WHERE i.digest = ");
    match entries {
        // A plan that PostgreSQL made for an empty table, and keeps, then still finds the row by
        // its key. For a join, it would read the whole table.
        [only] => s.blob(only.digest.as_bytes()),
        _ => s.sql("p.digest"),
    };
    render::scope(s, first.scope());
    render::guard_of_plain(s, first.guard(), ValueSource::Row("p"), names);
    s.sql(format_args!(
        " RETURNING {}, p.correlation, p.source, p.terms, p.ordinal)",
        row::qualified(&row::INVITATION, "i")
    ));
}

/// Writes the update of codes with any number of entries. One update changes each row once, for
/// all of its entries, with the values of the last one.
fn redeem_several_times(s: &mut Statement<Postgres>, names: &Names, first: &Transition) {
    s.sql(format_args!(
        "u AS (UPDATE {} AS i SET uses = i.uses + p.group_size, ",
        names.invitations
    ));
    effects::set_latest_use(s, names, None);
    s.sql(" FROM p WHERE p.position = p.group_size AND i.digest = p.digest");
    render::scope(s, first.scope());
    s.sql(" AND i.uses + p.group_size <= i.max_uses");
    render::guard_of_plain(s, first.guard(), ValueSource::Row("p"), names);
    s.sql(" AND (p.group_size = 1 OR NOT EXISTS (SELECT 1 FROM p AS q WHERE q.digest = p.digest ");
    s.sql("AND NOT COALESCE(1 = 1");
    render::guard_of_plain(s, first.guard(), ValueSource::Row("q"), names);
    s.sql(format_args!(", FALSE))) RETURNING {})", row::qualified(&row::INVITATION, "i")));
}
