//! The statements of a redemption. The first one is guarded. The others find the row only if the
//! first one has changed it.

use invitation_core::{State, Transition};
use sqlx::MySql;

use super::SameCodeBatch;
use crate::{
    effects::{self, Use},
    mysql::message::Message,
    ops::select_invitation,
    render,
    statement::Statement,
};

/// Adds the statements with the effects of all redemptions, and a query for the row after them.
/// A taken key ends the message.
pub(super) fn write_change(message: &mut Message, batch: &SameCodeBatch<'_>) {
    let SameCodeBatch { names, transition, .. } = *batch;
    let invitations = &names.invitations;
    message.add(update_invitation(batch));

    let mut s = Statement::new("");
    effects::insert_events(&mut s, names, transition.event());
    join_redemptions(&mut s, batch);
    just_used(&mut s, transition);
    message.add(s);

    let mut s = Statement::new(format!(
        "UPDATE {invitations} AS i STRAIGHT_JOIN {} AS x ON ",
        names.states
    ));
    effects::is_used_up(&mut s);
    s.sql(format_args!(" SET x.state = {} WHERE ", render::state(State::UsedUp)));
    just_used(&mut s, transition);
    message.add(s);

    let mut s = Statement::new("");
    effects::insert_redemptions(&mut s, names);
    join_redemptions(&mut s, batch);
    s.sql(effects::IN_LEDGER).sql(" AND ");
    just_used(&mut s, transition);
    message.add(s);

    // Each term is selected from the invitation's row itself. A join with a list of terms would
    // create a temporary table.
    let mut s = Statement::new(format!("INSERT INTO {} ({})", names.search_terms, effects::TERM));
    let mut has_terms = false;
    for (later, plain) in batch.plain_redemptions().rev().enumerate() {
        for term in plain.username.search_terms() {
            s.sql(if has_terms { " UNION ALL SELECT " } else { " SELECT " }).text(term.as_str());
            s.sql(format_args!(", {}, i.uses - {later}", effects::TERM_OF_USE));
            s.sql(format_args!(" FROM {invitations} AS i WHERE "));
            just_used(&mut s, transition);
            has_terms = true;
        }
    }
    if has_terms {
        message.add(s);
    }
    let mut s = select_invitation(names);
    just_used(&mut s, transition);
    message.add(s);
}

/// Writes the guarded update, which counts all uses of the batch or none.
fn update_invitation(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, transitions, plain } = batch;
    let mut s = Statement::new(format!("UPDATE {} AS i SET ", names.invitations));
    s.sql(format_args!("uses = uses + {}, ", transitions.len()));
    effects::set_latest_use(&mut s, names, Some(&Use::plain(plain)));
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    s.sql(format_args!(" AND i.uses + {} <= i.max_uses", transitions.len()));
    render::guard_of_all(&mut s, transitions, names);
    s
}

/// Writes the invitation `i` and a row `p` for each redemption.
fn join_redemptions(s: &mut Statement<MySql>, batch: &SameCodeBatch<'_>) {
    let header = effects::ROW.split(", ").map(|column| format!("NULL AS {column}"));
    let header = header.collect::<Vec<_>>().join(", ");
    s.sql(format_args!(
        " FROM {} AS i STRAIGHT_JOIN (SELECT {header} FROM DUAL WHERE 1 = 0",
        batch.names.invitations
    ));
    for plain in batch.plain_redemptions() {
        s.sql(" UNION ALL SELECT ").values(Use::plain(&plain).row(plain.context));
    }
    s.sql(") AS p WHERE ");
}

/// Restricts the statement to the row that the update has changed. No other redemption has the
/// same id.
fn just_used(s: &mut Statement<MySql>, transition: &Transition) {
    render::target(s, transition.target());
    s.sql(" AND i.used_id = ").blob(transition.event().id.as_bytes());
}
