//! The queries for the candidates of a plan.

use invitation_core::{Filter, InvitationId, PageRequest, Scope};

use super::{
    Index,
    plan::Plan,
    sort::{Fixed, Sort},
};
use crate::{dialect::Dialect, names::Names, render, statement::Statement, values::Value};

/// A list that is asked for.
#[derive(Debug)]
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct ListQuery<'a> {
    pub(crate) names: &'a Names,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Filter,
    pub(crate) page: &'a PageRequest<InvitationId>,
}

impl ListQuery<'_> {
    /// Begins a statement with the table `z`: the candidate after the first `max`, if there is
    /// one. It is where the candidates of a scan end. A set with such a candidate is not small.
    pub(super) fn end<DB: Dialect>(&self, s: &mut Statement<DB>, plan: &Plan<'_, DB>, max: u32) {
        if let Plan::ByValidityLength(begin, status) = plan {
            begin(s, self, *status);
            return;
        }
        if let Plan::AllTerms(division, terms) = plan {
            self.end_of_all_terms(s, division, terms, max);
            return;
        }
        s.sql("WITH z AS (SELECT at, which FROM (");
        self.candidates(s, plan, max, Candidates::All);
        s.sql(") m");
        if plan.is_scan() {
            s.sql(" ORDER BY ").sql(self.order(plan));
        }
        s.sql(" LIMIT 1 OFFSET ").sql(max).sql(") ");
    }

    /// Writes the query for the candidates, up to one more than `max`: the time of creation as
    /// `at`, and the id as `which`.
    pub(super) fn candidates<DB: Dialect>(
        &self,
        s: &mut Statement<DB>,
        plan: &Plan<'_, DB>,
        max: u32,
        which: Candidates,
    ) {
        let most = max.saturating_add(1);
        match plan {
            Plan::Scan(index, fixed) => {
                self.scan(s, *index, fixed);
                render::at_most(s, most);
            }
            Plan::AllTerms(division, terms) => self.with_all_terms(s, division, terms, max),
            Plan::ByValidityLength(..) => {
                s.sql("SELECT at, which, NULL AS division FROM f");
            }
            Plan::Validity(status) => {
                s.sql("SELECT i.created_at AS at, i.id AS which, i.division FROM ");
                render::by_index(s, self.names, valid(self.scope));
                s.sql(" WHERE i.state ").sql(DB::is_open());
                render::scope(s, self.scope);
                render::validity(s, "i.expires_at", *status, self.filter);
                s.sql(" ORDER BY i.expires_at");
                render::at_most(s, most);
            }
            Plan::Batch(batch) => {
                s.sql("SELECT i.created_at AS at, i.id AS which, i.division FROM ");
                render::by_index(s, self.names, Index::CodesBatch);
                s.sql(" WHERE i.batch = ").blob(batch.as_bytes()).sql(" ORDER BY i.created_at");
                render::at_most(s, most);
            }
            Plan::Found(term, search) => {
                if let Some(term) = term {
                    s.sql("SELECT v.at, v.which, v.division FROM (SELECT i.created_at AS at, ");
                    s.sql("i.invitation AS which, i.division, i.part FROM ");
                    render::search_terms(s, self.names, ">=", term);
                    // The order makes the planner use the index of terms, even if most rows
                    // match the term.
                    s.sql(" ORDER BY i.term");
                    render::at_most(s, most);
                    s.sql(") v");
                    // Only the terms of the same address or name are read: an invitation may have
                    // 100,000 redeemers.
                    if let (Candidates::Checked, [_, _, ..]) = (which, search.terms()) {
                        s.sql(format_args!(
                            " WHERE EXISTS (SELECT 1 FROM {} w WHERE w.invitation = v.which \
                             AND w.part = v.part",
                            self.names.search_terms
                        ));
                        render::meets_all(s, search.terms());
                        s.sql(")");
                    }
                    if search.tags().is_empty() {
                        return;
                    }
                    s.sql(" UNION ALL ");
                }
                s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.division FROM ");
                render::tagged(s, self.names, search);
                s.sql(" LIMIT ").sql(most).sql(") t");
            }
        }
    }

    /// Returns the order of the list.
    pub(super) fn sort(&self) -> Sort<'_> {
        Sort::of(self.filter, self.page)
    }

    /// Returns the order of the candidates. Candidates of a range begin with the first column of
    /// the index, so that PostgreSQL need not sort them.
    pub(super) fn order<DB: Dialect>(&self, plan: &Plan<'_, DB>) -> String {
        let direction = self.sort().direction;
        let is_headed = match plan {
            Plan::Scan(_, fixed) => fixed.len() == 1 && self.is_range::<DB>(fixed),
            _ => false,
        };
        let head = if is_headed { format!("head{direction}, ") } else { String::new() };
        format!("{head}at{direction}, which{direction}")
    }

    /// Whether a scan in the order of creation is written as a range over the whole key of its
    /// index.
    fn is_range<DB: Dialect>(&self, fixed: &[Value<'_>]) -> bool {
        DB::scans_whole_key(fixed.len()) && self.sort().can_be_range()
    }

    /// Writes the candidates of an index in the list's order, without a limit.
    pub(super) fn scan<DB: Dialect>(
        &self,
        s: &mut Statement<DB>,
        index: Index,
        fixed: &[Value<'_>],
    ) {
        let id = if index == Index::TermsKey { "i.invitation" } else { "i.id" };
        let is_range = self.is_range::<DB>(fixed);
        let fixed: Vec<Fixed<'_>> =
            index.key().iter().copied().zip(fixed.iter().cloned()).collect();
        let (head, sort) = (fixed.iter().filter(|_| is_range), self.sort());
        let Sort { at, direction, .. } = sort;
        s.sql(format_args!("SELECT i.{at} AS at, {id} AS which"));
        for (column, _) in head.clone() {
            s.sql(format_args!(", i.{column} AS head"));
        }
        s.sql(if index.has_expiry() { ", i.expires_at AS ends_at" } else { "" }).sql(" FROM ");
        render::by_index(s, self.names, index);
        if index.is_by_expiry() {
            s.sql(" WHERE i.state ").sql(DB::is_open());
        } else {
            // The index contains only rows with a batch. The planner does not derive that from the
            // row comparison.
            let is_partial = index == Index::CodesBatch;
            s.sql(if is_partial { " WHERE i.batch IS NOT NULL" } else { " WHERE 1 = 1" });
        }
        if is_range {
            sort.between(s, &fixed);
        } else {
            for (column, value) in &fixed {
                s.sql(format_args!(" AND i.{column} = ")).value(value.clone());
            }
            sort.restrict(s, &format!("i.{at}"), id);
        }
        s.sql(" ORDER BY ");
        for (column, _) in head {
            s.sql(format_args!("i.{column}{direction}, "));
        }
        s.sql(format_args!("i.{at}{direction}, {id}{direction}"));
    }

    pub(crate) fn page_and_one(&self) -> u64 {
        u64::from(self.page.limit) + 1
    }

    /// Joins the candidates `c` with their invitations and checks the whole filter.
    pub(super) fn join_and_filter<DB: Dialect>(&self, s: &mut Statement<DB>, plan: &Plan<'_, DB>) {
        let key = DB::use_index(&self.names.index(Index::CodesKey));
        s.sql(DB::each_by_key(&self.names.invitations, &key)).sql(" WHERE 1 = 1");
        if let (Plan::Scan(index, _), Some(status)) = (plan, self.filter.status)
            && index.has_expiry()
        {
            // The index entry holds the expiry, so this check needs no look at the wide row.
            render::validity(s, "c.ends_at", status, self.filter);
        }
        // `COALESCE` hides the filter from the planner. The planner would count conditions again
        // that the candidates already meet, expect too few rows, and choose another index.
        s.sql(" AND COALESCE(1 = 1");
        render::scope(s, self.scope);
        match plan {
            // The candidates have been checked against the search.
            Plan::Found(..) => {
                let others = Filter { search: None, ..self.filter.clone() };
                render::filter(s, &others, self.names);
            }
            _ => render::filter(s, self.filter, self.names),
        }
        s.sql(", 1 = 0)");
    }
}

/// Which of the candidates of a search a query writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Candidates {
    /// Those with the term by which the plan looks for them.
    All,
    /// Those with all terms.
    Checked,
}

/// Returns the index of invitations by their expiry.
pub(super) fn valid(scope: &Scope) -> Index {
    match scope {
        Scope::All => Index::StatesValidAnywhere,
        Scope::Division(_) => Index::StatesValid,
    }
}
