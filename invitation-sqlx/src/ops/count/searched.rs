//! Counts of search results, in one pass over all matches of the search terms.
//!
//! Each matching invitation is read once, by its key. So the work grows with the number of
//! matches and not with the size of the table. A part with all terms counts if it is part 0 (the
//! address) or the invitation's greatest part (the latest redeemer).

use invitation_core::{Filter, Scope, Search, Status};

use super::super::list::leading;
use crate::{dialect::Dialect, names::Names, render, statement::Statement};

/// The part number of matches by the tag of a code.
const TAGGED: i64 = -1;

/// Writes the query for the numbers of all statuses, in their order.
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
    let terms = leading(search);
    s.sql(" FROM (SELECT which, MIN(part) AS earliest, MAX(part) AS latest FROM (");
    // With a single term every part matches, so grouping by part is not needed.
    let several = terms.len() > 1;
    s.sql(if several { "SELECT at, which, part FROM (" } else { "" });
    s.sql(format_args!(
        "SELECT i.created_at AS at, i.id AS which, {TAGGED} AS part, {TAGGED} AS n FROM "
    ));
    render::tagged(s, names, search);
    for (n, term) in terms.iter().enumerate() {
        s.sql(format_args!(" UNION ALL SELECT w.created_at, w.invitation, w.part, {n} FROM "));
        render::search_terms(s, names, ">=", term);
        // The row of the term holds the division and the time, so this check needs no wide row.
        render::scope_of(s, "w", scope);
        render::span(s, "w.created_at", &filter.created);
    }
    if several {
        s.sql(format_args!(") t GROUP BY at, which, part HAVING MIN(n) = {TAGGED} OR ("));
        for n in 0..terms.len() {
            s.sql(if n == 0 { "" } else { " AND " });
            s.sql(format_args!("MAX(CASE n WHEN {n} THEN 1 ELSE 0 END) = 1"));
        }
        s.sql(")");
    }
    // Candidates are read in the order of their creation, on databases that keep this order.
    // Their rows are then close to each other.
    s.sql(") f GROUP BY at, which ORDER BY at) c");
    render::each_by_key(s, names);
    s.sql(" WHERE 1 = 1");
    render::scope(s, scope);
    let is_decided = terms.len() == search.terms().len();
    let rest = if is_decided { None } else { filter.search.clone() };
    render::filter(s, &Filter { search: rest, ..filter.clone() }, names);
    s.sql(" AND (c.earliest <= 0 OR c.latest = i.uses)");
}
