//! A redemption as one message, where an update gives nothing back and no two changes are
//! one statement, but the server takes several statements at a time.

use std::slice;

use invitation_core::{
    Change, Facts, Invitation, Outcome, StoreError, StoreErrorKind, Transition, UserId, Username,
};

use super::{Begin, Step, plainly, words};
use crate::{
    dialect::Dialect,
    error::store_error,
    message::{Answers, Broken, Message},
    names::Names,
    render, row,
    statement::Statement,
    values::{Listed, Values},
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
    let wanted = Wanted { names, transition, user, username, all: slice::from_ref(&transition) };
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
    /// All that are to be made at once, of the same code: this one is the last of them.
    all: &'a [&'a Transition],
}

/// Redeems one code for all of them, each with its evidence, in one round trip, or for
/// none; the row after it, if it was done.
pub(super) async fn redeem_for_all<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Option<Invitation>, StoreError> {
    let Some(transition) = transitions.last() else { return Ok(None) };
    let Change::Redeem { user, username, .. } = transition.change() else { return Ok(None) };
    let wanted = Wanted { names, transition, user, username, all: transitions };
    let mut message = Message::beginning::<DB>();
    change::<DB>(&mut message, &wanted);
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => used::<DB>(&answers),
        Err(broken) => {
            let is_taken = broken.is_taken();
            let error = broken.told::<DB>("apply");
            if !is_taken && error.kind() != StoreErrorKind::Conflict {
                return Err(error);
            }
            // Somebody was in the way of one of them.
            plainly::<DB>(conn, DB::ROLLBACK)
                .await
                .map_err(|error| store_error::<DB>("apply", error))?;
            Ok(None)
        }
    }
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
    let Wanted { names, transition, username, all, .. } = *wanted;
    let Names { invitations, events, redemptions, standings, words, .. } = names;

    let mut s = Statement::<DB>::new(format!("UPDATE {invitations} AS i SET "));
    s.sql(format_args!("uses = uses + {}, ", all.len()));
    render::latest_use(&mut s, transition.change());
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    s.sql(format_args!(" AND i.uses + {} <= i.max_uses", all.len()));
    let guards: Vec<_> = all.iter().map(|one| one.guard()).collect();
    render::guard_of_all(&mut s, &guards, names);
    message.add(s);

    let mut s = Statement::<DB>::new(format!("INSERT INTO {events} ({}) SELECT ", row::EVENT));
    let column = |column: &str| match column {
        "invitation" => "i.id".to_owned(),
        "division" => "i.division".to_owned(),
        own => format!("p.{own}"),
    };
    s.sql(row::EVENT.split(", ").map(column).collect::<Vec<_>>().join(", "));
    s.sql(format_args!(" FROM {invitations} AS i STRAIGHT_JOIN "));
    let evidence = all.iter().map(|one| one.event());
    rows(&mut s, row::EVENT, evidence, |s, event| {
        row::write_event(&mut Listed::new(s), event, |values| values.expression("NULL, NULL"));
    });
    s.sql(" WHERE ");
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
         SELECT i.id, p.id, p.user_id, p.username, p.at, i.used_role, i.used_lease \
         FROM {invitations} AS i STRAIGHT_JOIN "
    ));
    rows(&mut s, "id, user_id, username, at", all.iter(), |s, transition| {
        let Change::Redeem { id, user, username, at, .. } = transition.change() else { return };
        let mut values = Listed::new(s);
        values.blob(id.as_bytes().as_slice());
        values.text(user.as_str());
        values.text(username.as_str());
        values.int(at.as_micros());
    });
    s.sql(" WHERE i.max_uses > 1 AND ");
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

/// A table `p` of these rows, which the statement itself brings along.
fn rows<DB: Dialect, T>(
    s: &mut Statement<DB>,
    columns: &str,
    rows: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Statement<DB>, T),
) {
    let header = columns.split(", ").map(|column| format!("NULL AS {column}"));
    let header = header.collect::<Vec<_>>().join(", ");
    s.sql(format_args!("(SELECT {header} FROM DUAL WHERE 1 = 0"));
    for row in rows {
        s.sql(" UNION ALL SELECT ");
        write(s, row);
    }
    s.sql(") AS p");
}

/// Only the row that the update before has changed: no other redemption has its id.
fn just_used<DB: Dialect>(mut s: Statement<DB>, transition: &Transition) -> Statement<DB> {
    render::target(&mut s, transition.target());
    s.sql(" AND i.used_id = ").blob(transition.event().id.as_bytes());
    s
}

/// The row after the change, if it was made: its last question is the only one.
fn used<DB: Dialect>(answers: &Answers<DB>) -> Result<Option<Invitation>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // An error here comes too late to undo anything.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    row::invitation::<DB>(found).map(Some).map_err(unknown)
}

/// What came of the change, if it was made.
fn made<DB: Dialect>(answers: &Answers<DB>) -> Result<Option<Outcome>, StoreError> {
    // It was without leases, and a redemption begins none.
    let facts = used::<DB>(answers)?
        .map(|invitation| Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) });
    Ok(facts.map(Box::new).map(Outcome::Applied))
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
