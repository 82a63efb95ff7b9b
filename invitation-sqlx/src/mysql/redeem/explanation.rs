//! The explanation of a redemption that was not made.

use invitation_core::{Facts, Outcome, StoreError, StoreErrorKind};

use sqlx::{MySql, mysql::MySqlRow};

use super::SameCodeBatch;
use crate::{
    dialect::Syntax,
    mysql::message::Message,
    names::Names,
    ops::select_invitation,
    render,
    row::{self, ColumnReader},
    statement::Statement,
};

/// Adds the queries of `apply::explain`, except those for leases.
pub(super) fn ask_why(message: &mut Message, batch: &SameCodeBatch<'_>, locking_read: &str) {
    let SameCodeBatch { names, transition, plain, .. } = *batch;
    let Names { invitations, events, redemptions, .. } = names;
    let mut s = select_invitation(names);
    render::refused(&mut s, names, transition);
    s.sql(MySql::FOR_SHARE);
    message.add(s);

    let its_id = |s: &mut Statement<MySql>| {
        s.sql(format_args!("(SELECT i.id FROM {invitations} AS i WHERE "));
        render::target(s, transition.target());
        s.sql(locking_read).sql(")");
    };
    s = Statement::new(format!("SELECT {} FROM {redemptions} WHERE ", row::REDEMPTION));
    s.sql("user_id = ").text(plain.user.as_str()).sql(" AND invitation IN ");
    its_id(&mut s);
    s.sql(locking_read);
    message.add(s);

    // A missing event is not locked. The lock would cover the place of all new events.
    s = Statement::new(format!("SELECT 1 FROM {events} AS e WHERE e.id = "));
    s.blob(transition.event().id.as_bytes()).sql(" AND e.invitation IN ");
    its_id(&mut s);
    message.add(s);
}

/// Evaluates the results of the queries. Returns `None` if the invitation has leases, because
/// their rows must be read while the invitation's row is locked. Returns `None` too if the
/// redemption has a mailbox, because the general path makes such a redemption.
pub(super) fn explain(
    answers: &[Vec<MySqlRow>],
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let [invitations, redemptions, events] = answers_to_each(answers)?;
    let Some(found) = invitations.first() else { return Ok(Some(Outcome::Missing)) };
    let invitation = row::invitation(&mut ColumnReader::<MySql>::new(found))?;
    if invitation.held > 0 || batch.transition.mailbox_on(&invitation).is_some() {
        return Ok(None);
    }
    let mine = if invitation.max_uses.get() == 1 {
        invitation.last_use.clone().filter(|last| last.user == *batch.plain.user)
    } else {
        let found = redemptions.first();
        found.map(|row| row::redemption(&mut ColumnReader::<MySql>::new(row))).transpose()?
    };
    let on_record = !events.is_empty();
    let facts = Facts { mine, ..Facts::of(invitation) };
    Ok(Some(batch.transition.not_made(facts, on_record, None)))
}

/// Returns the rows of the three queries. A missing result is an error. Read as a result without
/// rows, it would mean that the invitation does not exist.
fn answers_to_each<R>(answers: &[Vec<R>]) -> Result<[&[R]; 3], StoreError> {
    match answers {
        [invitations, redemptions, events, ..] => Ok([invitations, redemptions, events]),
        _ => Err(StoreError::new(StoreErrorKind::Corrupt, "apply")
            .because("the server returned too few results for a message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_result_differs_from_a_result_without_rows() {
        assert!(answers_to_each(&[vec![], vec![1], vec![2], vec![]]).is_ok());
        for answers in [vec![], vec![vec![1]], vec![vec![], vec![]]] {
            let error = answers_to_each(&answers).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{answers:?}");
        }
    }
}
