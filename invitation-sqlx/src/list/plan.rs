//! Plans: which candidates a list reads, chosen by the filter.

use invitation_core::{
    BatchId, Division, Filter, ListOrder, Scope, Search, SearchTerm, State, Status, StoreError,
};

use super::{Index, all_terms::ChosenTerms, count};
use crate::{
    dialect::{ByValidityLength, Dialect},
    ops::Session,
    render,
    statement::Statement,
    values::Value,
};

/// The number of search terms by which candidates are found. All terms are checked on each
/// candidate.
const MAX_LEADING_TERMS: usize = 5;

/// The maximum number of candidates that a search term or a tag finds, if they are to be the whole
/// answer: entries of an index, sorted before any invitation is read.
pub(super) const MAX_FOUND: u32 = 5_000;

/// The candidates that a list reads.
pub(super) enum Plan<'a, DB: Dialect> {
    /// A *keyset scan*: candidates in the list's order, from an index whose first columns have
    /// these values. The time of creation and the id are its next columns. If the candidates end
    /// before the page is full, the page is short, and the next page continues after them.
    Scan(Index, Vec<Value<'a>>),
    /// Invitations with all of these terms, in the list's order.
    AllTerms(&'a Division, &'a [SearchTerm]),
    /// A *small set*: all invitations that a search term or a tag finds, in any order. If there
    /// are few of them, they are the whole answer.
    Found(Option<&'a SearchTerm>, &'a Search),
    /// A small set: all invitations of a batch.
    Batch(&'a BatchId),
    /// A small set: all invitations that have expired, or that have not.
    Validity(Status),
    /// Expired or active invitations in any number, in groups with the same length of validity.
    ByValidityLength(ByValidityLength<DB>, Status),
}

/// Returns the plans of a filter, in the order in which they are tried. The first one with a
/// complete answer is enough.
pub(super) fn plans<'a, DB: Dialect>(
    scope: &'a Scope,
    filter: &'a Filter,
    chosen: ChosenTerms<'a>,
) -> Vec<Plan<'a, DB>> {
    match filter.order {
        ListOrder::NewestFirst => newest_first(scope, filter, chosen),
        ListOrder::SoonestExpiryFirst => soonest_expiry_first(scope, filter, chosen),
    }
}

/// Returns the plans that find candidates by a search.
fn found<'a, DB: Dialect>(filter: &'a Filter, rare: Vec<&'a SearchTerm>) -> Vec<Plan<'a, DB>> {
    match &filter.search {
        Some(search) if search.terms().is_empty() => vec![Plan::Found(None, search)],
        Some(search) => rare.into_iter().map(|term| Plan::Found(Some(term), search)).collect(),
        None => Vec::new(),
    }
}

/// Returns the plans of active invitations in the order of expiry: small sets, which are sorted,
/// and then a scan.
fn soonest_expiry_first<'a, DB: Dialect>(
    scope: &'a Scope,
    filter: &'a Filter,
    chosen: ChosenTerms<'a>,
) -> Vec<Plan<'a, DB>> {
    let mut plans = found(filter, chosen.rare);
    plans.extend(filter.batch.as_ref().map(Plan::Batch));
    plans.push(match (&filter.inviter, scope) {
        (Some(user), _) => Plan::Scan(Index::StatesValidBy, vec![Value::text(user.as_str())]),
        (None, Scope::Division(division)) => {
            Plan::Scan(Index::StatesValid, vec![Value::text(division.as_str())])
        }
        (None, Scope::All) => Plan::Scan(Index::StatesValidAnywhere, Vec::new()),
    });
    plans
}

fn newest_first<'a, DB: Dialect>(
    scope: &'a Scope,
    filter: &'a Filter,
    chosen: ChosenTerms<'a>,
) -> Vec<Plan<'a, DB>> {
    let Filter {
        now: _,
        status,
        role,
        inviter,
        batch,
        created: _,
        expires: _,
        search: _,
        order: _,
    } = filter;
    let division = match scope {
        Scope::All => None,
        Scope::Division(division) => Some(Value::text(division.as_str())),
    };
    let within = |one, anywhere| if division.is_some() { one } else { anywhere };
    let mut plans = found(filter, chosen.rare);
    let scans = [
        batch.as_ref().map(|batch| {
            Plan::Scan(Index::CodesBatch, vec![Value::blob(batch.as_bytes().as_slice())])
        }),
        chosen.common.map(|(division, terms)| Plan::AllTerms(division, terms)),
        status.map(|status| {
            // The number stands in the text, so that the planner sees it.
            let state = Value::sql(render::state(status.state()).to_string());
            let state = division.clone().into_iter().chain([state]);
            Plan::Scan(within(Index::StatesKey, Index::StatesAnywhere), state.collect())
        }),
        inviter
            .as_ref()
            .map(|user| Plan::Scan(Index::CodesInviter, vec![Value::text(user.as_str())])),
        role.as_ref().zip(division.clone()).map(|(role, division)| {
            Plan::Scan(Index::CodesRole, vec![Value::text(role.as_str()), division])
        }),
    ];
    let mut scans: Vec<_> = scans.into_iter().flatten().collect();
    if scans.is_empty() {
        let newest = within(Index::CodesNewest, Index::CodesNewestAnywhere);
        scans.push(Plan::Scan(newest, division.into_iter().collect()));
    }
    let by_expiry = status.filter(|status| status.state() == State::Open);
    let by_length = by_expiry.zip(DB::by_validity_length());
    let by_length = by_length.filter(|_| count::is_told_by_states(filter));
    plans.extend(by_length.map(|(status, begin)| Plan::ByValidityLength(begin, status)));
    plans.extend(scans);
    plans.extend(by_expiry.map(Plan::Validity));
    plans
}

/// Returns the first terms of a search, which are the longest.
pub(super) fn leading(search: &Search) -> &[SearchTerm] {
    let terms = search.terms();
    &terms[..terms.len().min(MAX_LEADING_TERMS)]
}

/// Returns the terms of a search by which candidates may be found, each with its number of
/// matches up to one more than `cap`. The rarest comes first, because reading few matches costs
/// least. The only term of a search is not counted.
pub(super) async fn leading_terms<'a, DB: Dialect>(
    on: &mut Session<'_, DB>,
    search: &'a Search,
    cap: u32,
) -> Result<Vec<(i64, &'a SearchTerm)>, StoreError> {
    let terms = leading(search);
    if let [] | [_] = terms {
        return Ok(terms.iter().map(|term| (0, term)).collect());
    }
    let mut s = Statement::new("SELECT ");
    for (n, term) in terms.iter().enumerate() {
        s.sql(if n == 0 { "" } else { ", " });
        count::rows_up_to(&mut s, cap.saturating_add(1), |s| {
            render::search_terms(s, on.names, ">=", term);
            s.sql(" ORDER BY i.term");
        });
    }
    let numbers = count::numbers(on, s, terms.len()).await?;
    let mut counted: Vec<_> = numbers.into_iter().zip(terms).collect();
    counted.sort_by_key(|(number, _)| *number);
    Ok(counted)
}

impl<DB: Dialect> Plan<'_, DB> {
    /// Returns the maximum number of candidates, besides the one that shows that more follow.
    pub(super) fn max(&self, filter: &Filter) -> u32 {
        match self {
            // Checking the terms of a candidate costs a look at the table of terms.
            Self::Scan(..) | Self::AllTerms(..) if filter.search.is_some() => 1_000,
            Self::Scan(..)
            | Self::AllTerms(..)
            | Self::Batch(_)
            | Self::Validity(_)
            | Self::ByValidityLength(..) => 2_000,
            Self::Found(..) if filter.order == ListOrder::NewestFirst => MAX_FOUND,
            // The expiry of each candidate costs a look at its row, before the sort.
            Self::Found(..) => 1_000,
        }
    }

    /// Whether the candidates come in the list's order, so that a short page can be continued.
    pub(super) fn is_scan(&self) -> bool {
        matches!(self, Self::Scan(..) | Self::AllTerms(..))
    }
}
