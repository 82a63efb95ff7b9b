//! Why a redemption was not made.

use invitation_core::{Facts, Outcome, StoreError};

use super::Wanted;
use crate::{dialect::Dialect, message::Message, names::Names, render, row, statement::Statement};

/// Asks for what `apply::explain` does, but for leases.
pub(super) fn explanation<DB: Dialect>(message: &mut Message, wanted: &Wanted<'_>, fresh: &str) {
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
pub(super) fn explain<DB: Dialect>(
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
