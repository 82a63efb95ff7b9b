//! A redemption as one message, where an update gives nothing back and no two changes are
//! one statement, but the server takes several statements at a time.

use invitation_core::{
    Change, Facts, Outcome, StoreError, StoreErrorKind, Transition, UserId, Username,
};

use super::{Begin, Step, words};
use crate::{
    dialect::Dialect,
    error::store_error,
    message::{Answers, Broken, Message},
    names::Names,
    render::{self, Given},
    row,
    statement::Statement,
    values::Listed,
};

/// Redeems in one round trip, with its transaction around it, or between the two of a
/// savepoint; one more tells why not. None when this is not the way, or when the general
/// way has to find out.
pub(super) async fn redeem<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    transition: &Transition,
) -> Result<Option<Outcome>, StoreError> {
    if !DB::TAKES_MESSAGES || !transition.quotas().is_empty() {
        return Ok(None);
    }
    let Change::Redeem { user, username, in_place_of: None, .. } = transition.change() else {
        return Ok(None);
    };
    let wanted = Wanted { names, transition, user, username };
    match begin {
        Begin::Own => alone::<DB>(conn, &wanted).await,
        Begin::Nested => inside::<DB>(conn, &wanted).await,
    }
}

/// The redemption that is wanted.
struct Wanted<'a> {
    names: &'a Names,
    transition: &'a Transition,
    user: &'a UserId,
    username: &'a Username,
}

async fn alone<DB: Dialect>(
    conn: &mut DB::Connection,
    wanted: &Wanted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut message = Message::beginning::<DB>();
    change::<DB>(&mut message, wanted);
    // When nothing was done, nothing is committed.
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => {
            if let Some(outcome) = made::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        // The next message begins with the way back.
        Err(broken) if broken.is_taken() => {}
        Err(broken) => return Err(broken.told::<DB>("apply")),
    }
    let mut message = Message::beginning::<DB>();
    let first = message.len();
    explanation::<DB>(&mut message, wanted, "");
    message.add_plain(DB::ROLLBACK);
    let answers = message.send::<DB>(conn).await.map_err(|broken| broken.told::<DB>("apply"))?;
    explain::<DB>(answers.get(first..).unwrap_or_default(), wanted)
}

async fn inside<DB: Dialect>(
    conn: &mut DB::Connection,
    wanted: &Wanted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    let mut step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
    let mut message = Message::default();
    change::<DB>(&mut message, wanted);
    // When nothing was done, nothing is kept. Dropped before the answer, the way back keeps
    // all of it or nothing.
    if let Some(keeps) = step.keeps() {
        message.add_plain(&keeps);
    }
    match message.send::<DB>(step.conn()).await {
        Ok(answers) => {
            if let Some(outcome) = made::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        Err(broken) if broken.is_taken() => {
            step.rollback().await.map_err(failed)?;
            step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
        }
        Err(broken) => return Err(broken.told::<DB>("apply")),
    }
    let told = |broken: Broken| broken.told::<DB>("apply");
    let fresh = DB::fresh(step.conn());
    let mut message = Message::default();
    explanation::<DB>(&mut message, wanted, fresh);
    let answers = message.send::<DB>(step.conn()).await.map_err(told)?;
    let outcome = explain::<DB>(&answers, wanted)?;
    step.rollback().await.map_err(failed)?;
    Ok(outcome)
}

/// The same as `apply::attempt` does, each statement for itself: the first is guarded, and
/// the others find the row only if that one has made this use of it. A key that is taken
/// ends the message.
fn change<DB: Dialect>(message: &mut Message, wanted: &Wanted<'_>) {
    let Wanted { names, transition, username, .. } = *wanted;
    let Names { invitations, events, redemptions, standings, words, .. } = names;

    let mut s = Statement::<DB>::new(format!("UPDATE {invitations} AS i SET "));
    render::change(&mut s, transition.change());
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    render::guard_without_leases(&mut s, transition.guard(), Given::Here, names);
    message.add(s);

    let mut s = Statement::<DB>::new(format!("INSERT INTO {events} ({}) SELECT ", row::EVENT));
    row::write_event(&mut Listed::new(&mut s), transition.event(), |values| {
        values.expression("i.id, i.division");
    });
    s.sql(format_args!(" FROM {invitations} AS i WHERE "));
    message.add(just_used(s, transition));

    let mut s = Statement::<DB>::new(format!(
        "UPDATE {invitations} AS i STRAIGHT_JOIN {standings} AS s ON s.division = i.division \
         AND s.standing = {} AND s.created_at = i.created_at AND s.id = i.id \
         SET s.standing = {} WHERE i.uses = i.max_uses AND ",
        render::OPEN,
        render::USED,
    ));
    message.add(just_used(s, transition));

    // That of a single-use code is in its row.
    s = Statement::<DB>::new(format!(
        "INSERT INTO {redemptions} (invitation, id, user_id, username, at, role, lease) \
         SELECT i.id, i.used_id, i.used_by, i.used_name, i.used_at, i.used_role, i.used_lease \
         FROM {invitations} AS i WHERE i.max_uses > 1 AND "
    ));
    message.add(just_used(s, transition));

    s = Statement::<DB>::new(format!(
        "DELETE w FROM {invitations} AS i STRAIGHT_JOIN {words} AS w ON w.invitation = i.id \
         WHERE i.uses > 1 AND w.part <> 0 AND w.part < i.uses AND "
    ));
    message.add(just_used(s, transition));

    let words_of_name = words::each_once(username.as_str());
    if !words_of_name.is_empty() {
        s = Statement::<DB>::new(format!(
            "INSERT INTO {words} (word, division, created_at, invitation, part)"
        ));
        // Each from the row itself: a list to join it with would be a table of its own.
        for (n, word) in words_of_name.into_iter().enumerate() {
            s.sql(if n == 0 { " SELECT " } else { " UNION ALL SELECT " }).text(word);
            s.sql(format_args!(
                ", i.division, i.created_at, i.id, i.uses FROM {invitations} AS i WHERE "
            ));
            s = just_used(s, transition);
        }
        message.add(s);
    }

    s = Statement::<DB>::new(format!("SELECT {} FROM {invitations} AS i WHERE ", row::INVITATION));
    message.add(just_used(s, transition));
}

/// Only the row that the update before has changed: no other redemption has its id.
fn just_used<DB: Dialect>(mut s: Statement<DB>, transition: &Transition) -> Statement<DB> {
    render::target(&mut s, transition.target());
    s.sql(" AND i.used_id = ").blob(transition.event().id.as_bytes());
    s
}

/// What came of the change, if it was made: its last question is the only one.
fn made<DB: Dialect>(answers: &Answers<DB>) -> Result<Option<Outcome>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // An error here comes too late to undo anything.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    let invitation = row::invitation::<DB>(found).map_err(unknown)?;
    // It was without leases, and a redemption begins none.
    let facts = Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) };
    Ok(Some(Outcome::Applied(Box::new(facts))))
}

/// Asks for what `apply::explain` does, but for leases.
fn explanation<DB: Dialect>(message: &mut Message, wanted: &Wanted<'_>, fresh: &str) {
    let Wanted { names, transition, user, .. } = *wanted;
    let Names { invitations, events, redemptions, .. } = names;
    let mut s =
        Statement::<DB>::new(format!("SELECT {} FROM {invitations} AS i WHERE ", row::INVITATION));
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    s.sql(DB::FOR_SHARE);
    message.add(s);

    let its_id = |s: &mut Statement<DB>| {
        s.sql(format_args!("(SELECT i.id FROM {invitations} AS i WHERE "));
        render::target(s, transition.target());
        s.sql(fresh).sql(")");
    };
    s = Statement::<DB>::new(format!("SELECT {} FROM {redemptions} WHERE ", row::REDEMPTION));
    s.sql("user_id = ").text(user.as_str()).sql(" AND invitation IN ");
    its_id(&mut s);
    s.sql(fresh);
    message.add(s);

    // Not locked where it is missing: all new events go there.
    s = Statement::<DB>::new(format!("SELECT 1 FROM {events} AS e WHERE e.id = "));
    s.blob(transition.event().id.as_bytes()).sql(" AND e.invitation IN ");
    its_id(&mut s);
    message.add(s);
}

/// What the answers to those questions say. None when there are leases: their rows are read
/// while the invitation's is held.
fn explain<DB: Dialect>(
    answers: &[Vec<DB::Row>],
    wanted: &Wanted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let first = |question: usize| answers.get(question).and_then(|rows| rows.first());
    let Some(found) = first(0) else { return Ok(Some(Outcome::Missing)) };
    let invitation = row::invitation::<DB>(found)?;
    if invitation.held > 0 {
        return Ok(None);
    }
    let mine = match invitation.max_uses.get() {
        1 => invitation.last_use.clone().filter(|last| last.user == *wanted.user),
        _ => first(1).map(row::redemption::<DB>).transpose()?,
    };
    let on_record = first(2).is_some();
    let facts = Facts { mine, ..Facts::of(invitation) };
    Ok(Some(wanted.transition.not_made(facts, on_record, None)))
}
