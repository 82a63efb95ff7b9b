//! Lists of invitations, with bounded work however much there is.
//!
//! Every way looks at candidates from an index, at most so many, and asks the whole
//! filter of each. A *walk* goes in the list's order and stops at a full page; when its
//! candidates end before that, the page comes back short, and the next one goes on
//! behind them. A *few* are all that match some part of the filter, in whatever order:
//! if they are few indeed, they tell the whole answer.

use invitation_core::{
    Filter, Invitation, InvitationId, Listing, Page, Position, Scope, Slice, Status, StoreError,
};

use crate::{
    dialect::Dialect,
    error::store_error,
    names::Names,
    render::{self, Words},
    row,
    statement::Statement,
};

/// How many candidates a walk looks at.
const WINDOW: u32 = 2_000;

/// The same, where each is asked for its words.
const SEARCHED: u32 = 1_000;

/// How many are still few: entries of an index, sorted before any row is looked at.
const FEW: u32 = 5_000;

/// What candidates are looked at.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// All, in the list's order.
    Newest,
    /// Those of a status, in the list's order.
    Of(Status),
    /// Those of a batch, in the list's order.
    Batch,
    /// Those by an inviter, in the list's order.
    Inviter,
    /// Those of a role within a division, in the list's order.
    Role,
    /// The few that have a word which begins like this, or a tag.
    Word(&'a str),
    /// The few that have a tag.
    Tag,
    /// The few that have not expired, or that have.
    Valid(Status),
}

/// The ways, in the order in which they are tried: the first that tells all is enough.
/// `words` are those of the search that may be few, the rarest first.
fn ways<'a>(scope: &Scope, filter: &'a Filter, words: Vec<&'a str>) -> Vec<Way<'a>> {
    let mut ways: Vec<_> = words.into_iter().map(Way::Word).collect();
    if let Some(search) = &filter.search
        && search.words().is_empty()
    {
        if search.tags().is_empty() {
            // It finds nothing.
            return ways;
        }
        ways.push(Way::Tag);
    }
    let searched = ways.len();
    if filter.batch.is_some() {
        ways.push(Way::Batch);
    }
    if let Some(status) = filter.status {
        ways.push(Way::Of(status));
        if matches!(status, Status::Active | Status::Expired) {
            ways.push(Way::Valid(status));
        }
    }
    if filter.inviter.is_some() {
        ways.push(Way::Inviter);
    }
    if filter.role.is_some() && matches!(scope, Scope::Division(_)) {
        ways.push(Way::Role);
    }
    if ways.len() == searched {
        ways.push(Way::Newest);
    }
    ways
}

pub(crate) async fn list<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    page: &Page<InvitationId>,
) -> Result<Listing, StoreError> {
    let question = Question { names, scope, filter, page };
    let words = match &filter.search {
        Some(search) => rarest_first::<DB>(conn, names, search.words()).await?,
        None => Vec::new(),
    };
    let mut short = None;
    for way in ways(scope, filter, words) {
        let (items, end) = question.ask::<DB>(conn, way).await?;
        let position = |last: &Invitation| Position { at: last.created_at, id: last.id };
        let full = items.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
        let slice = Slice::from_one_more(items, page.limit, position);
        if full || end.is_none() {
            return Ok(slice);
        }
        if way.is_walk() && short.is_none() {
            short = Some(Slice { next: end, ..slice });
        }
    }
    // Where there is any way, there is a walk among them.
    Ok(short.unwrap_or(Slice { items: Vec::new(), next: None }))
}

/// Those of several words that few have, the rarest first: what few have costs least to
/// look at. One word alone is tried without being counted.
async fn rarest_first<'a, DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    words: &'a [String],
) -> Result<Vec<&'a str>, StoreError> {
    if let [] | [_] = words {
        return Ok(words.iter().map(String::as_str).collect());
    }
    let mut s = Statement::<DB>::new("SELECT ");
    for (n, word) in words.iter().enumerate() {
        s.sql(if n == 0 { "" } else { ", " });
        s.sql(format_args!("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM {} w WHERE ", names.words));
        render::begins_with(&mut s, "w.word", word);
        s.sql(" ORDER BY w.word LIMIT ").sql(FEW + 1).sql(format_args!(") AS n{n})"));
    }
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("list", error))?;
    let counts = found.as_ref().map(|row| row::counts::<DB>(row, words.len())).transpose()?;
    let counted = counts.unwrap_or_default().into_iter().zip(words);
    let mut few: Vec<_> = counted.filter(|(count, _)| *count <= i64::from(FEW)).collect();
    few.sort_by_key(|(count, _)| *count);
    Ok(few.into_iter().map(|(_, word)| word.as_str()).collect())
}

impl Way<'_> {
    fn is_walk(self) -> bool {
        !matches!(self, Self::Word(_) | Self::Tag | Self::Valid(_))
    }
}

struct Question<'a> {
    names: &'a Names,
    scope: &'a Scope,
    filter: &'a Filter,
    page: &'a Page<InvitationId>,
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
        if way.is_walk() {
            self.walk(&mut s, way);
        } else {
            self.few(&mut s, way);
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

    fn walk<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        s.sql("SELECT * FROM (");
        page_of(s);
        s.sql("(");
        self.window(s, way);
        s.sql(") c");
        self.join(s, way);
        // The database reads the second part only when the first leaves room for it.
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("(SELECT n.at, n.which FROM (");
        self.window(s, way);
        s.sql(") n ORDER BY n.at, n.which LIMIT 1) z WHERE (SELECT COUNT(*) FROM (");
        self.window(s, way);
        s.sql(") m) = ").sql(self.reach()).sql(" LIMIT ").sql(u64::from(self.page.limit) + 1);
    }

    fn reach(&self) -> u32 {
        if self.filter.search.is_some() { SEARCHED } else { WINDOW }
    }

    fn few<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        s.sql("WITH f AS (");
        self.set(s, way);
        s.sql(") SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT DISTINCT at, which FROM f WHERE (SELECT COUNT(*) FROM f) <= ").sql(FEW);
        if let Scope::Division(division) = self.scope {
            s.sql(" AND f.division = ").text(division.as_str());
        }
        self.narrow(s, "f.at", "f.which");
        s.sql(" ORDER BY at DESC, which DESC) c");
        self.join(s, way);
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("(SELECT at, which FROM f LIMIT 1) z WHERE (SELECT COUNT(*) FROM f) > ").sql(FEW);
    }

    fn join<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        s.sql(format_args!(" JOIN {} i ON i.id = c.which WHERE ", self.names.invitations));
        if let Way::Of(status) = way {
            // What the narrow row tells needs no look at the wide one.
            let now = self.filter.now.as_micros();
            match status {
                Status::Active => s.sql("c.valid_until > ").int(now).sql(" AND "),
                Status::Expired => s.sql("c.valid_until <= ").int(now).sql(" AND "),
                Status::Used | Status::Revoked => s,
            };
        }
        // A planner that understood this would take it for news, while the candidates have
        // most of it in common, and would look for the few rows that it expects elsewhere.
        s.sql("COALESCE(1 = 1");
        render::scope(s, self.scope);
        render::filter(s, self.filter, self.names, Words::OfEach);
        s.sql(", 1 = 0)");
        s.sql(" ORDER BY c.at DESC, c.which DESC LIMIT ").sql(u64::from(self.page.limit) + 1);
    }

    /// The candidates of a walk.
    fn window<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        let Names { invitations, standings, .. } = self.names;
        let is_of_one = matches!(self.scope, Scope::Division(_));
        if let Way::Of(status) = way {
            s.sql("SELECT i.created_at AS at, i.id AS which, i.expires_at AS valid_until ");
            s.sql(format_args!("FROM {standings} i"));
            render::go_by(s, self.names, if is_of_one { "PRIMARY" } else { "standings_anywhere" });
            s.sql(" WHERE i.standing = ");
            s.sql(row::standing_of(status));
        } else {
            s.sql("SELECT i.created_at AS at, i.id AS which ");
            s.sql(format_args!("FROM {invitations} i"));
            let index = match way {
                Way::Batch => "codes_batch",
                Way::Inviter => "codes_inviter",
                Way::Role => "codes_role",
                _ if is_of_one => "codes_newest",
                _ => "codes_newest_anywhere",
            };
            render::go_by(s, self.names, index);
            s.sql(" WHERE 1 = 1");
        }
        render::scope(s, self.scope);
        match (way, &self.filter.batch, &self.filter.inviter, &self.filter.role) {
            (Way::Batch, Some(batch), ..) => {
                s.sql(" AND i.batch = ").blob(batch.as_bytes());
            }
            (Way::Inviter, _, Some(inviter), _) => {
                s.sql(" AND i.inviter = ").text(inviter.as_str());
            }
            (Way::Role, .., Some(role)) => {
                s.sql(" AND i.role = ").text(role.as_str());
            }
            _ => {}
        }
        self.narrow(s, "i.created_at", "i.id");
        s.sql(" ORDER BY i.created_at DESC, i.id DESC LIMIT ").sql(self.reach());
    }

    /// The candidates that may be few, up to one too many.
    fn set<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        let Names { invitations, standings, words, .. } = self.names;
        if let Way::Valid(status) = way {
            s.sql("SELECT i.created_at AS at, i.id AS which, i.division ");
            s.sql(format_args!("FROM {standings} i"));
            let is_of_one = matches!(self.scope, Scope::Division(_));
            render::go_by(
                s,
                self.names,
                if is_of_one { "standings_valid" } else { "standings_valid_anywhere" },
            );
            s.sql(" WHERE i.standing = ").sql(row::standing_of(status));
            render::scope(s, self.scope);
            render::validity(s, status, self.filter);
            s.sql(" ORDER BY i.expires_at LIMIT ").sql(FEW + 1);
            return;
        }
        if let Way::Word(word) = way {
            s.sql("SELECT * FROM (SELECT w.created_at AS at, w.invitation AS which, w.division ");
            s.sql(format_args!("FROM {words} w WHERE "));
            render::begins_with(s, "w.word", word);
            // By its index, even where so many begin like this that any rows would do.
            s.sql(" ORDER BY w.word LIMIT ").sql(FEW + 1).sql(") v");
        }
        let tags = self.filter.search.as_ref().map_or(&[][..], |search| search.tags());
        if !tags.is_empty() {
            s.sql(if matches!(way, Way::Word(_)) { " UNION ALL " } else { "" });
            s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.division ");
            s.sql(format_args!("FROM {invitations} i WHERE i.tag IN "));
            s.list(tags, |s, tag| {
                s.blob(tag.as_bytes());
            });
            s.sql(" LIMIT ").sql(FEW + 1).sql(") t");
        }
    }

    /// What bounds the stretch of the list.
    fn narrow<DB: Dialect>(&self, s: &mut Statement<DB>, at: &str, id: &str) {
        render::span(s, at, &self.filter.created);
        render::after(s, at, id, self.page.after.as_ref(), InvitationId::as_bytes);
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
