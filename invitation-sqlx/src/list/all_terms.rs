//! Candidates with several common search terms, in the list's order.
//!
//! The index of terms returns exact matches of a term in the list's order. The query takes a
//! bounded run of matches of each term, and keeps the candidates that all runs share. The page
//! ends where the shortest run ends, because matches after that are not all known. Longer terms
//! that begin with a search term come in another order. So the query takes all of those, and the
//! plan is chosen only if there are few.

use invitation_core::{Division, Scope, Search, SearchTerm, StoreError};

use super::{
    Index,
    candidates::ListQuery,
    count,
    plan::{self, MAX_FOUND},
};
use crate::{dialect::Dialect, ops::Session, render, statement::Statement, values::Value};

/// The maximum number of matches of a rare term. The same limit holds for additional candidates
/// of a common search: matches of a longer term, and codes with a matching tag.
const RARE: u32 = 500;

/// The terms of a search by which candidates are found.
#[derive(Default)]
pub(super) struct ChosenTerms<'a> {
    /// Terms with few matches, the rarest first: reading few matches costs least.
    pub(super) rare: Vec<&'a SearchTerm>,
    /// Otherwise several common terms, within a division.
    pub(super) common: Option<(&'a Division, &'a [SearchTerm])>,
}

/// Chooses the terms by which candidates are found.
///
/// A single term is used without being counted. Of several terms, a small number of matches is
/// counted first, which is enough to find a rare one. More matches are counted only if no term is
/// rare and the search cannot use all terms together.
pub(super) async fn choose<'a, DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &'a Scope,
    search: &'a Search,
) -> Result<ChosenTerms<'a>, StoreError> {
    let terms = plan::leading(search);
    let mut chosen = ChosenTerms::default();
    if let [] | [_] = terms {
        chosen.rare = terms.iter().collect();
        return Ok(chosen);
    }
    let mut s = Statement::new("SELECT ");
    let most = RARE.saturating_add(1);
    for (is, term) in [">=", ">"].iter().flat_map(|is| terms.iter().map(move |term| (is, term))) {
        count::rows_up_to(&mut s, most, |s| {
            render::search_terms(s, on.names, is, term);
            s.sql(" ORDER BY i.term");
        });
        s.sql(", ");
    }
    count::rows_up_to(&mut s, most, |s| render::tagged(s, on.names, search));
    let numbers = count::numbers(on, s, 2 * terms.len() + 1).await?;
    let (all, beside) = numbers.split_at(terms.len().min(numbers.len()));
    let is_few = |number: &i64| *number <= i64::from(RARE);
    let mut rare: Vec<_> = all.iter().zip(terms).filter(|(number, _)| is_few(number)).collect();
    rare.sort_by_key(|(number, _)| **number);
    chosen.rare = rare.into_iter().map(|(_, term)| term).collect();
    if !chosen.rare.is_empty() {
        return Ok(chosen);
    }
    match scope {
        Scope::Division(division) if beside.iter().all(is_few) => {
            chosen.common = Some((division, terms));
        }
        _ => {
            let counted = plan::leading_terms(on, search, MAX_FOUND).await?;
            let found = counted.into_iter().filter(|(number, _)| *number <= i64::from(MAX_FOUND));
            chosen.rare = found.map(|(_, term)| term).collect();
        }
    }
    Ok(chosen)
}

impl ListQuery<'_> {
    /// Begins a statement with the table `z`: the last candidate of the shortest run.
    pub(super) fn end_of_all_terms<DB: Dialect>(
        &self,
        s: &mut Statement<DB>,
        division: &Division,
        terms: &[SearchTerm],
        max: u32,
    ) {
        s.sql("WITH z AS (SELECT at, which FROM (");
        for (n, term) in terms.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " UNION ALL " });
            s.sql("SELECT * FROM (");
            self.exactly(s, division, term);
            s.sql(format_args!(" LIMIT 1 OFFSET {}) e{n}", max.saturating_sub(1)));
        }
        s.sql(") e ORDER BY at DESC, which DESC LIMIT 1) ");
    }

    /// Writes the query for the candidates with all terms.
    pub(super) fn with_all_terms<DB: Dialect>(
        &self,
        s: &mut Statement<DB>,
        division: &Division,
        terms: &[SearchTerm],
        max: u32,
    ) {
        s.sql("SELECT h.at, h.which FROM (SELECT at, which FROM (");
        for (n, term) in terms.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " UNION ALL " });
            s.sql(format_args!("SELECT at, which, {n} AS n FROM ("));
            self.exactly(s, division, term);
            render::at_most(s, max);
            s.sql(format_args!(") w{n} UNION ALL SELECT i.created_at, i.invitation, {n} FROM "));
            render::search_terms(s, self.names, ">", term);
            s.sql(" AND i.division = ").text(division.as_str());
            self.sort().restrict(s, "i.created_at", "i.invitation");
        }
        s.sql(") a GROUP BY at, which HAVING 1 = 1");
        for n in 0..terms.len() {
            s.sql(format_args!(" AND MAX(CASE n WHEN {n} THEN 1 ELSE 0 END) = 1"));
        }
        if let Some(search) = &self.filter.search {
            s.sql(" UNION SELECT i.created_at, i.id FROM ");
            render::tagged(s, self.names, search);
            self.sort().restrict(s, "i.created_at", "i.id");
        }
        // This is a join and not a subquery, because some releases of MariaDB do not find `h` in
        // a subquery.
        s.sql(") h LEFT JOIN z ON 1 = 1 WHERE z.at IS NULL OR h.at > z.at ");
        s.sql("OR (h.at = z.at AND h.which >= z.which)");
    }

    /// Writes the exact matches of a term in a division, in the list's order.
    fn exactly<DB: Dialect>(&self, s: &mut Statement<DB>, division: &Division, term: &SearchTerm) {
        s.keep_secret();
        let fixed = [Value::text(term.as_str()), Value::text(division.as_str())];
        self.scan(s, Index::TermsKey, &fixed);
    }
}
