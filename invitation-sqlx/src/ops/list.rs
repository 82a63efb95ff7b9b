//! Lists of invitations, with bounded work however much there is.
//!
//! Every plan looks at candidates from an index, at most so many, and asks the whole
//! filter of each. A *walk* goes in the list's order and stops at a full page; when its
//! candidates end before that, the page comes back short, and the next one goes on
//! behind them. The walk through *all words* of a search looks only at what has several of its terms.
//! A *few* are all that match some part of the filter, in whatever order: if they are few
//! indeed, they tell the whole answer.
//! Those that have expired, or have not, are merged from those *lasting* equally long, where
//! the database can do that in one statement.

mod all_terms;
mod by_validity_length;
mod keyset_scan;
mod small_set;

use invitation_core::{
    BatchId, Division, Filter, Invitation, InvitationId, PageRequest, Position, Role, Scope,
    Search, SearchTerm, Status, StoreError, StorePage, UserId,
};

use crate::{
    dialect::Dialect, error::store_error, names::Names, render, row, statement::Statement,
};

use super::count;

/// How many are still few: entries of an index, sorted before any row is looked at.
const SMALL_SET: u32 = 5_000;

/// The same of those that have expired, or have not.
const SMALL_VALIDITY_SET: u32 = 2_000;

/// How many that only have a term which begins with a searched one, or the tag of a code,
/// are looked at beside those that have the terms.
const RARE: u32 = 500;

/// By how many terms of a search candidates are looked for, however many are searched for.
const MAX_LEADING_TERMS: usize = 5;

/// What candidates are looked at.
#[derive(Clone, Copy)]
enum Plan<'a> {
    /// All, in the list's order.
    Newest,
    /// Those of a status, in the list's order.
    Status(Status),
    /// Those of a batch, in the list's order.
    Batch(&'a BatchId),
    /// Those by an inviter, in the list's order.
    Inviter(&'a UserId),
    /// Those of a role within a division, in the list's order.
    Role(&'a Role),
    /// Those that have all of some terms, in the list's order.
    AllTerms(&'a Division, &'a [SearchTerm]),
    /// The few that meet a term, or have a tag.
    Term(&'a SearchTerm),
    /// The few that have a tag.
    Tag,
    /// The few that have not expired, or that have.
    Validity(Status),
    /// The same however many they are, of each length of validity by itself.
    ByValidityLength(Status),
}

/// The plans, in the order in which they are tried: the first that tells all is enough.
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
            // It finds nothing.
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
) -> Result<StorePage<Invitation, InvitationId>, StoreError> {
    let query = ListQuery { names, scope, filter, page };
    let chosen = match &filter.search {
        Some(search) => choose_terms::<DB>(conn, names, scope, search).await?,
        None => ChosenTerms::default(),
    };
    let mut short = None;
    for plan in plans::<DB>(scope, filter, &chosen) {
        let (items, end) = query.run::<DB>(conn, plan).await?;
        let position = |last: &Invitation| Position { at: last.created_at, id: last.id };
        let full = items.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
        let slice = StorePage::from_one_more(items, page.limit, position);
        if full || end.is_none() {
            return Ok(slice);
        }
        if plan.is_keyset_scan() && short.is_none() {
            short = Some(StorePage { next: end, ..slice });
        }
    }
    // Where there is any plan, there is a walk among them.
    Ok(short.unwrap_or(StorePage { items: Vec::new(), next: None }))
}

/// By what terms of a search to look.
#[derive(Default)]
struct ChosenTerms<'a> {
    /// Those that few may have, the rarest first: what few have costs least to look at.
    rare: Vec<&'a SearchTerm>,
    /// Or several of them, in a division.
    common: Option<(&'a Division, &'a [SearchTerm])>,
}

/// The terms by which candidates are looked for: the first, which are the longest. All terms
/// are checked on each candidate.
pub(super) fn leading(search: &Search) -> &[SearchTerm] {
    let terms = search.terms();
    &terms[..terms.len().min(MAX_LEADING_TERMS)]
}

/// One term alone is tried without being counted. Of several, so many of each are counted
/// as tells a rare one, and more of them only where none is rare and they cannot be looked
/// for as one.
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

/// Those terms of which there are no more than so many, the rarest first.
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
    /// What one plan finds, one more than the page holds if there is so much; and where
    /// its candidates ended, if it did not see all of them.
    async fn run<DB: Dialect>(
        &self,
        conn: &mut DB::Connection,
        plan: Plan<'_>,
    ) -> Result<(Vec<Invitation>, Option<Position<InvitationId>>), StoreError> {
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

    /// Asks the whole filter of the candidates `c`, which come in this order and then by id.
    /// Those of a status tell how long they are valid.
    fn join_and_filter<DB: Dialect>(&self, s: &mut Statement<DB>, of: Option<Status>, order: &str) {
        render::each_by_key(s, self.names);
        s.sql(" WHERE ");
        // What the narrow row tells needs no look at the wide one.
        let now = self.filter.now.as_micros();
        match of {
            Some(Status::Active) => s.sql("c.valid_until > ").int(now).sql(" AND "),
            Some(Status::Expired) => s.sql("c.valid_until <= ").int(now).sql(" AND "),
            Some(Status::Used | Status::Revoked) | None => s,
        };
        // A planner that understood this would take it for news, while the candidates have
        // most of it in prefix, and would look for the few rows that it expects elsewhere.
        s.sql("COALESCE(1 = 1");
        render::scope(s, self.scope);
        render::filter(s, self.filter, self.names);
        s.sql(format_args!(", 1 = 0) ORDER BY {order}c.which DESC LIMIT "))
            .sql(self.page_and_one());
    }

    /// What bounds the range of the list.
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

/// Begins the query for where the candidates ended, in the form of a row.
fn end_of<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql("SELECT ");
    for _ in row::INVITATION.split(',') {
        s.sql("NULL, ");
    }
    s.sql("z.at, z.which FROM ");
}
