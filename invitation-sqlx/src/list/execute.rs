//! Lists of invitations, with bounded work for any number of rows.
//!
//! Each plan takes a bounded number of candidates from an index and checks the whole filter on
//! each candidate. The kinds of plans are:
//!
//! - A *keyset scan* reads the candidates in the list's order and stops at a full page. If the
//!   candidates end before that, the page comes back short, and the next page continues after
//!   them.
//! - The scan for *all terms* of a search reads only candidates with several of the terms.
//! - A *small set* is all candidates that match one part of the filter, in any order. If there
//!   are few of them, they are the whole answer.
//! - The plan *by validity length* merges expired or active invitations from groups with the same
//!   length of validity. It needs a database that can do that in one statement.

mod all_terms;
mod by_validity_length;
mod keyset_scan;
mod small_set;

use invitation_core::{
    BatchId, Division, Filter, InvitationId, PageRequest, Position, Record, Role, Scope, Search,
    SearchTerm, Status, StoreError, StorePage, UserId,
};

use crate::{
    dialect::Dialect, error::store_error, names::Names, render, row, statement::Statement,
};

use super::count;

/// The maximum size of a small set: entries of an index, sorted before any row is read.
const SMALL_SET: u32 = 5_000;

/// The maximum size of a small set of expired or of active invitations.
const SMALL_VALIDITY_SET: u32 = 2_000;

/// The maximum number of matches of a rare term. The same limit holds for additional candidates
/// of a common search: matches of a longer term, and codes with a matching tag.
const RARE: u32 = 500;

/// The number of search terms by which candidates are found. All terms are checked on each
/// candidate.
const MAX_LEADING_TERMS: usize = 5;

/// The candidates that a list reads.
#[derive(Clone, Copy)]
enum Plan<'a> {
    /// All invitations, in the list's order.
    Newest,
    /// Invitations with a status, in the list's order.
    Status(Status),
    /// Invitations of a batch, in the list's order.
    Batch(&'a BatchId),
    /// Invitations by an inviter, in the list's order.
    Inviter(&'a UserId),
    /// Invitations with a role within a division, in the list's order.
    Role(&'a Role),
    /// Invitations with all of these terms, in the list's order.
    AllTerms(&'a Division, &'a [SearchTerm]),
    /// A small set: invitations that match a term or a tag.
    Term(&'a SearchTerm),
    /// A small set: invitations that match a tag.
    Tag,
    /// A small set: invitations that have expired, or that have not.
    Validity(Status),
    /// Expired or active invitations in any number, in groups with the same length of validity.
    ByValidityLength(Status),
}

/// Returns the plans in the order in which they are tried. The first one with a complete answer
/// is enough.
fn plans<'a, DB: Dialect>(
    scope: &Scope,
    filter: &'a Filter,
    chosen: &ChosenTerms<'a>,
) -> Vec<Plan<'a>> {
    let mut plans: Vec<_> = chosen.rare.iter().copied().map(Plan::Term).collect();
    if let Some(search) = &filter.search
        && search.terms().is_empty()
    {
        if search.tags().is_empty() {
            // A search without terms and tags matches nothing.
            return plans;
        }
        plans.push(Plan::Tag);
    }
    let sets = plans.len();
    if let Some(batch) = &filter.batch {
        plans.push(Plan::Batch(batch));
    }
    if let Some((division, terms)) = chosen.common {
        plans.push(Plan::AllTerms(division, terms));
    }
    if let Some(status) = filter.status {
        let is_by_expiry = matches!(status, Status::Active | Status::Expired);
        if is_by_expiry && DB::LATERAL_JOINS && count::is_told_by_states(filter) {
            plans.push(Plan::ByValidityLength(status));
        }
        plans.push(Plan::Status(status));
        if is_by_expiry {
            plans.push(Plan::Validity(status));
        }
    }
    if let Some(inviter) = &filter.inviter {
        plans.push(Plan::Inviter(inviter));
    }
    if let (Some(role), Scope::Division(_)) = (&filter.role, scope) {
        plans.push(Plan::Role(role));
    }
    if plans.len() == sets {
        plans.push(Plan::Newest);
    }
    plans
}

pub(crate) async fn list<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    page: &PageRequest<InvitationId>,
) -> Result<StorePage<Record, InvitationId>, StoreError> {
    let query = ListQuery { names, scope, filter, page };
    let chosen = match &filter.search {
        Some(search) => choose_terms::<DB>(conn, names, scope, search).await?,
        None => ChosenTerms::default(),
    };
    let mut short = None;
    for plan in plans::<DB>(scope, filter, &chosen) {
        let (items, end) = query.run::<DB>(conn, plan).await?;
        let position = |last: &Record| Position { at: last.created_at, id: last.id };
        let full = items.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
        let slice = StorePage::from_one_more(items, page.limit, position);
        if full || end.is_none() {
            return Ok(slice);
        }
        if plan.is_keyset_scan() && short.is_none() {
            short = Some(StorePage { next: end, ..slice });
        }
    }
    // The list of plans is empty or contains a keyset scan.
    Ok(short.unwrap_or(StorePage { items: Vec::new(), next: None }))
}

/// The terms of a search by which candidates are found.
#[derive(Default)]
struct ChosenTerms<'a> {
    /// Terms with few matches, the rarest first: reading few matches costs least.
    rare: Vec<&'a SearchTerm>,
    /// Otherwise several common terms, within a division.
    common: Option<(&'a Division, &'a [SearchTerm])>,
}

/// Returns the terms by which candidates are found: the first ones, which are the longest. All
/// terms are checked on each candidate.
pub(super) fn leading(search: &Search) -> &[SearchTerm] {
    let terms = search.terms();
    &terms[..terms.len().min(MAX_LEADING_TERMS)]
}

/// Chooses the terms by which candidates are found.
///
/// A single term is used without being counted. Of several terms, a small number of matches is
/// counted first, which is enough to find a rare one. More matches are counted only if no term is
/// rare and the search cannot use all terms together.
async fn choose_terms<'a, DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &'a Scope,
    search: &'a Search,
) -> Result<ChosenTerms<'a>, StoreError> {
    let terms = leading(search);
    if let [] | [_] = terms {
        return Ok(ChosenTerms { rare: terms.iter().collect(), common: None });
    }
    let begin_with = |s: &mut Statement<DB>, is: &str, term: &SearchTerm| {
        render::search_terms(s, names, is, term);
        s.sql(" ORDER BY w.term");
    };
    let caps = vec![RARE; 2 * terms.len() + 1];
    let counts = count::up_to::<DB>(conn, "list", &caps, |s, n| {
        match (terms.get(n), n.checked_sub(terms.len()).and_then(|n| terms.get(n))) {
            (Some(term), _) => begin_with(s, ">=", term),
            (None, Some(term)) => begin_with(s, ">", term),
            (None, None) => render::tagged(s, names, search),
        }
    });
    let counts = counts.await?;
    let (all, beside) = counts.split_at(terms.len().min(counts.len()));
    let rare = rarest(terms, all, RARE);
    if !rare.is_empty() {
        return Ok(ChosenTerms { rare, common: None });
    }
    if let Scope::Division(division) = scope
        && beside.iter().all(|n| *n <= i64::from(RARE))
    {
        return Ok(ChosenTerms { rare: Vec::new(), common: Some((division, terms)) });
    }
    let caps = vec![SMALL_SET; terms.len()];
    let counts = count::up_to::<DB>(conn, "list", &caps, |s, n| {
        if let Some(term) = terms.get(n) {
            begin_with(s, ">=", term);
        }
    });
    Ok(ChosenTerms { rare: rarest(terms, &counts.await?, SMALL_SET), common: None })
}

/// Returns the terms with at most `cap` matches, the rarest first.
fn rarest<'a>(terms: &'a [SearchTerm], counts: &[i64], cap: u32) -> Vec<&'a SearchTerm> {
    let mut rare: Vec<_> =
        counts.iter().zip(terms).filter(|(n, _)| **n <= i64::from(cap)).collect();
    rare.sort_by_key(|(count, _)| **count);
    rare.into_iter().map(|(_, term)| term).collect()
}

impl Plan<'_> {
    fn is_keyset_scan(self) -> bool {
        !matches!(self, Self::Term(_) | Self::Tag | Self::Validity(_) | Self::ByValidityLength(_))
    }
}

struct ListQuery<'a> {
    names: &'a Names,
    scope: &'a Scope,
    filter: &'a Filter,
    page: &'a PageRequest<InvitationId>,
}

impl ListQuery<'_> {
    /// Runs one plan. Returns the matches, up to one more than the page holds. Also returns the
    /// position where the candidates ended, unless the plan saw all of them.
    async fn run<DB: Dialect>(
        &self,
        conn: &mut DB::Connection,
        plan: Plan<'_>,
    ) -> Result<(Vec<Record>, Option<Position<InvitationId>>), StoreError> {
        let mut s = Statement::<DB>::new("");
        match plan {
            Plan::AllTerms(division, terms) => self.all_terms(&mut s, division, terms),
            Plan::ByValidityLength(status) => self.by_validity_length(&mut s, status),
            plan if plan.is_keyset_scan() => self.keyset_scan(&mut s, plan),
            plan => self.small_set(&mut s, plan),
        }
        let found = s.all(conn).await.map_err(|error| store_error::<DB>("list", error))?;
        let (mut items, mut end) = (Vec::with_capacity(found.len()), None);
        for row in &found {
            match row::listed::<DB>(row)? {
                row::ListedRow::Invitation(invitation) => items.push(*invitation),
                row::ListedRow::End(position) => end = Some(position),
            }
        }
        Ok((items, end))
    }

    /// Joins the candidates `c` with their invitations and checks the whole filter. The result is
    /// ordered by `order` and then by id. Candidates of a status carry their expiry.
    fn join_and_filter<DB: Dialect>(&self, s: &mut Statement<DB>, of: Option<Status>, order: &str) {
        render::each_by_key(s, self.names);
        s.sql(" WHERE ");
        // The row of the candidate holds the expiry, so this check needs no look at the wide row.
        let now = self.filter.now.as_micros();
        match of {
            Some(Status::Active) => s.sql("c.valid_until > ").int(now).sql(" AND "),
            Some(Status::Expired) => s.sql("c.valid_until <= ").int(now).sql(" AND "),
            Some(Status::Used | Status::Revoked) | None => s,
        };
        // `COALESCE` hides the filter from the planner. The planner would count conditions again
        // that the candidates already meet, expect too few rows, and choose another index.
        s.sql("COALESCE(1 = 1");
        render::scope(s, self.scope);
        render::filter(s, self.filter, self.names);
        s.sql(format_args!(", 1 = 0) ORDER BY {order}c.which DESC LIMIT "))
            .sql(self.page_and_one());
    }

    /// Restricts the candidates to the requested range of the list.
    fn restrict_range<DB: Dialect>(&self, s: &mut Statement<DB>, at: &str, id: &str) {
        render::span(s, at, &self.filter.created);
        render::after(s, at, id, self.page.after.as_ref(), InvitationId::as_bytes);
    }

    fn page_and_one(&self) -> u64 {
        u64::from(self.page.limit) + 1
    }
}

/// Begins the query for a page, from candidates `c` with a time and an id.
fn page_of<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql(format_args!("SELECT {}, c.at AS end_at, c.which AS end_id FROM ", row::INVITATION));
}

/// Begins the query for the position where the candidates ended, with the columns of a row.
fn end_of<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql("SELECT ");
    for _ in row::INVITATION.split(',') {
        s.sql("NULL, ");
    }
    s.sql("z.at, z.which FROM ");
}
