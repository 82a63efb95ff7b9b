//! Lists of invitations, with bounded work however much there is.
//!
//! Every way looks at candidates from an index, at most so many, and asks the whole
//! filter of each. A *walk* goes in the list's order and stops at a full page; when its
//! candidates end before that, the page comes back short, and the next one goes on
//! behind them. The walk through *all words* of a search looks only at what has several of its terms.
//! A *few* are all that match some part of the filter, in whatever order: if they are few
//! indeed, they tell the whole answer.
//! Those that have expired, or have not, are merged from those *lasting* equally long, where
//! the database can do that in one statement.

mod all_words;
mod few;
mod lasting;
mod walk;

use invitation_core::{
    BatchId, Division, Filter, Invitation, InvitationId, PageRequest, Position, Role, Scope,
    Search, SearchTerm, Status, StoreError, StorePage, UserId,
};

use crate::{
    dialect::Dialect, error::store_error, names::Names, render, row, statement::Statement,
};

use super::count;

/// How many are still few: entries of an index, sorted before any row is looked at.
const FEW: u32 = 5_000;

/// The same of those that have expired, or have not.
const FEW_VALID: u32 = 2_000;

/// How many that only have a term which begins with a searched one, or the tag of a code,
/// are looked at beside those that have the terms.
const SIDE: u32 = 500;

/// By how many terms of a search candidates are looked for, however many are searched for.
const LEADING: usize = 5;

/// What candidates are looked at.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// All, in the list's order.
    Newest,
    /// Those of a status, in the list's order.
    Of(Status),
    /// Those of a batch, in the list's order.
    Batch(&'a BatchId),
    /// Those by an inviter, in the list's order.
    Inviter(&'a UserId),
    /// Those of a role within a division, in the list's order.
    Role(&'a Role),
    /// Those that have all of some terms, in the list's order.
    AllWords(&'a Division, &'a [SearchTerm]),
    /// The few that meet a term, or have a tag.
    Word(&'a SearchTerm),
    /// The few that have a tag.
    Tag,
    /// The few that have not expired, or that have.
    Valid(Status),
    /// The same however many they are, of each length of validity by itself.
    Lasting(Status),
}

/// The ways, in the order in which they are tried: the first that tells all is enough.
fn ways<'a, DB: Dialect>(
    scope: &Scope,
    filter: &'a Filter,
    searched: &Searched<'a>,
) -> Vec<Way<'a>> {
    let mut ways: Vec<_> = searched.few.iter().copied().map(Way::Word).collect();
    if let Some(search) = &filter.search
        && search.terms().is_empty()
    {
        if search.tags().is_empty() {
            // It finds nothing.
            return ways;
        }
        ways.push(Way::Tag);
    }
    let few = ways.len();
    if let Some(batch) = &filter.batch {
        ways.push(Way::Batch(batch));
    }
    if let Some((division, words)) = searched.as_one {
        ways.push(Way::AllWords(division, words));
    }
    if let Some(status) = filter.status {
        let is_by_expiry = matches!(status, Status::Active | Status::Expired);
        if is_by_expiry && DB::LATERAL && count::is_told_by_states(filter) {
            ways.push(Way::Lasting(status));
        }
        ways.push(Way::Of(status));
        if is_by_expiry {
            ways.push(Way::Valid(status));
        }
    }
    if let Some(inviter) = &filter.inviter {
        ways.push(Way::Inviter(inviter));
    }
    if let (Some(role), Scope::Division(_)) = (&filter.role, scope) {
        ways.push(Way::Role(role));
    }
    if ways.len() == few {
        ways.push(Way::Newest);
    }
    ways
}

pub(crate) async fn list<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    page: &PageRequest<InvitationId>,
) -> Result<StorePage<Invitation, InvitationId>, StoreError> {
    let question = Question { names, scope, filter, page };
    let searched = match &filter.search {
        Some(search) => weigh::<DB>(conn, names, scope, search).await?,
        None => Searched::default(),
    };
    let mut short = None;
    for way in ways::<DB>(scope, filter, &searched) {
        let (items, end) = question.ask::<DB>(conn, way).await?;
        let position = |last: &Invitation| Position { at: last.created_at, id: last.id };
        let full = items.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
        let slice = StorePage::from_one_more(items, page.limit, position);
        if full || end.is_none() {
            return Ok(slice);
        }
        if way.is_walk() && short.is_none() {
            short = Some(StorePage { next: end, ..slice });
        }
    }
    // Where there is any way, there is a walk among them.
    Ok(short.unwrap_or(StorePage { items: Vec::new(), next: None }))
}

/// By what terms of a search to look.
#[derive(Default)]
struct Searched<'a> {
    /// Those that few may have, the rarest first: what few have costs least to look at.
    few: Vec<&'a SearchTerm>,
    /// Or several of them, in a division.
    as_one: Option<(&'a Division, &'a [SearchTerm])>,
}

/// The terms by which candidates are looked for: the first, which are the longest. All terms
/// are checked on each candidate.
pub(super) fn leading(search: &Search) -> &[SearchTerm] {
    let terms = search.terms();
    &terms[..terms.len().min(LEADING)]
}

/// One term alone is tried without being counted. Of several, so many of each are counted
/// as tells a rare one, and more of them only where none is rare and they cannot be looked
/// for as one.
async fn weigh<'a, DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &'a Scope,
    search: &'a Search,
) -> Result<Searched<'a>, StoreError> {
    let terms = leading(search);
    if let [] | [_] = terms {
        return Ok(Searched { few: terms.iter().collect(), as_one: None });
    }
    let begin_with = |s: &mut Statement<DB>, is: &str, term: &SearchTerm| {
        render::words(s, names, is, term);
        s.sql(" ORDER BY w.word");
    };
    let caps = vec![SIDE; 2 * terms.len() + 1];
    let counts = count::up_to::<DB>(conn, "list", &caps, |s, n| {
        match (terms.get(n), n.checked_sub(terms.len()).and_then(|n| terms.get(n))) {
            (Some(term), _) => begin_with(s, ">=", term),
            (None, Some(term)) => begin_with(s, ">", term),
            (None, None) => render::tagged(s, names, search),
        }
    });
    let counts = counts.await?;
    let (all, beside) = counts.split_at(terms.len().min(counts.len()));
    let rare = rarest(terms, all, SIDE);
    if !rare.is_empty() {
        return Ok(Searched { few: rare, as_one: None });
    }
    if let Scope::Division(division) = scope
        && beside.iter().all(|n| *n <= i64::from(SIDE))
    {
        return Ok(Searched { few: Vec::new(), as_one: Some((division, terms)) });
    }
    let caps = vec![FEW; terms.len()];
    let counts = count::up_to::<DB>(conn, "list", &caps, |s, n| {
        if let Some(term) = terms.get(n) {
            begin_with(s, ">=", term);
        }
    });
    Ok(Searched { few: rarest(terms, &counts.await?, FEW), as_one: None })
}

/// Those terms of which there are no more than so many, the rarest first.
fn rarest<'a>(terms: &'a [SearchTerm], counts: &[i64], cap: u32) -> Vec<&'a SearchTerm> {
    let mut few: Vec<_> = counts.iter().zip(terms).filter(|(n, _)| **n <= i64::from(cap)).collect();
    few.sort_by_key(|(count, _)| **count);
    few.into_iter().map(|(_, term)| term).collect()
}

impl Way<'_> {
    fn is_walk(self) -> bool {
        !matches!(self, Self::Word(_) | Self::Tag | Self::Valid(_) | Self::Lasting(_))
    }
}

struct Question<'a> {
    names: &'a Names,
    scope: &'a Scope,
    filter: &'a Filter,
    page: &'a PageRequest<InvitationId>,
}

impl Question<'_> {
    /// What one way finds, one more than the page holds if there is so much; and where
    /// its candidates ended, if it did not see all of them.
    async fn ask<DB: Dialect>(
        &self,
        conn: &mut DB::Connection,
        way: Way<'_>,
    ) -> Result<(Vec<Invitation>, Option<Position<InvitationId>>), StoreError> {
        let mut s = Statement::<DB>::new("");
        match way {
            Way::AllWords(division, words) => self.all_words(&mut s, division, words),
            Way::Lasting(status) => self.lasting(&mut s, status),
            way if way.is_walk() => self.walk(&mut s, way),
            way => self.few(&mut s, way),
        }
        let found = s.all(conn).await.map_err(|error| store_error::<DB>("list", error))?;
        let (mut items, mut end) = (Vec::with_capacity(found.len()), None);
        for row in &found {
            match row::listed::<DB>(row)? {
                row::Listed::Invitation(invitation) => items.push(*invitation),
                row::Listed::End(position) => end = Some(position),
            }
        }
        Ok((items, end))
    }

    /// Asks the whole filter of the candidates `c`, which come in this order and then by id.
    /// Those of a status tell how long they are valid.
    fn join<DB: Dialect>(&self, s: &mut Statement<DB>, of: Option<Status>, order: &str) {
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
        // most of it in common, and would look for the few rows that it expects elsewhere.
        s.sql("COALESCE(1 = 1");
        render::scope(s, self.scope);
        render::filter(s, self.filter, self.names);
        s.sql(format_args!(", 1 = 0) ORDER BY {order}c.which DESC LIMIT "))
            .sql(self.page_and_one());
    }

    /// What bounds the stretch of the list.
    fn narrow<DB: Dialect>(&self, s: &mut Statement<DB>, at: &str, id: &str) {
        render::span(s, at, &self.filter.created);
        render::after(s, at, id, self.page.after.as_ref(), InvitationId::as_bytes);
    }

    fn page_and_one(&self) -> u64 {
        u64::from(self.page.limit) + 1
    }
}

/// Begins the question for a page, from candidates `c` with a time and an id.
fn page_of<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql(format_args!("SELECT {}, c.at AS end_at, c.which AS end_id FROM ", row::INVITATION));
}

/// Begins the question for where the candidates ended, in the form of a row.
fn end_of<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql("SELECT ");
    for _ in row::INVITATION.split(',') {
        s.sql("NULL, ");
    }
    s.sql("z.at, z.which FROM ");
}
