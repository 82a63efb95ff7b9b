//! Counts of what a search finds: in one pass over all that have its words.
//!
//! Each is looked at once, by its key, so that the work grows as what has the words does,
//! and not as that times the table. The parts of a word tell whether it counts: part 0
//! always, and that of the latest redeemer, which is the greatest there can be.

use invitation_core::{Filter, Scope, Search, Status};

use crate::{dialect::Dialect, names::Names, render, statement::Statement};

/// Numbers of the statuses, in their order.
pub(super) fn write<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    search: &Search,
) {
    s.sql("SELECT ");
    for (n, status) in Status::ALL.iter().enumerate() {
        s.sql(if n == 0 { "" } else { ", " }).sql("COUNT(CASE WHEN 1 = 1");
        render::status(s, *status, filter);
        s.sql(" THEN 1 END)");
    }
    let words = search.words();
    s.sql(" FROM (SELECT which, MAX(CASE n WHEN -1 THEN 1 ELSE 0 END) AS tagged");
    for n in 0..words.len() {
        s.sql(format_args!(
            ", MIN(CASE n WHEN {n} THEN part END) AS first{n}, \
             MAX(CASE n WHEN {n} THEN part END) AS last{n}"
        ));
    }
    s.sql(" FROM (SELECT i.created_at AS at, i.id AS which, 0 AS part, -1 AS n FROM ");
    render::tagged(s, names, search);
    for (n, word) in words.iter().enumerate() {
        s.sql(format_args!(" UNION ALL SELECT w.created_at, w.invitation, w.part, {n} FROM "));
        render::words(s, names, ">=", word);
        // What the word's row tells needs no look at the wide one.
        render::scope_of(s, "w", scope);
        render::span(s, "w.created_at", &filter.created);
    }
    // In the order in which they were made, where the database keeps to it: their rows are
    // beside one another then.
    s.sql(") f GROUP BY at, which ORDER BY at) c");
    render::each_by_key(s, names);
    s.sql(" WHERE 1 = 1");
    render::scope(s, scope);
    render::filter(s, &Filter { search: None, ..filter.clone() }, names);
    s.sql(" AND (c.tagged = 1");
    for n in 0..words.len() {
        s.sql(if n == 0 { " OR (" } else { " AND " });
        s.sql(format_args!("(c.first{n} = 0 OR c.last{n} = i.uses)"));
    }
    s.sql(if words.is_empty() { ")" } else { "))" });
}
