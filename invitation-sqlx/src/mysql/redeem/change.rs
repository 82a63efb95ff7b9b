//! The statements of a redemption. The first one is guarded. The others find the row only if the
//! first one has changed it.

use invitation_core::{State, Transition};

use sqlx::MySql;

use super::SameCodeBatch;
use crate::{
    message::Message,
    render, row,
    statement::Statement,
    values::{ValueList, Values},
};

/// Adds the statements with the same effects as `apply::attempt`, and a query for the row after
/// them. A taken key ends the message.
pub(super) fn write_change(message: &mut Message, batch: &SameCodeBatch<'_>) {
    message.add(update_invitation(batch));
    message.add(insert_events(batch));
    message.add(update_state(batch));
    message.add(insert_redemptions(batch));
    message.add(delete_old_terms(batch));
    if let Some(s) = insert_terms(batch) {
        message.add(s);
    }
    let SameCodeBatch { names, transition, .. } = batch;
    let row = format!("SELECT {} FROM {} AS i WHERE ", row::INVITATION, names.invitations);
    message.add(just_used(Statement::new(row), transition));
}

/// Writes the guarded update, which counts all uses of the batch or none.
fn update_invitation(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, transitions, .. } = *batch;
    let mut s = Statement::new(format!("UPDATE {} AS i SET ", names.invitations));
    s.sql(format_args!("uses = uses + {}, ", transitions.len()));
    let plain = batch.plain;
    render::latest_use(&mut s, &plain.id, plain.user, plain.username, plain.at, None);
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    s.sql(format_args!(" AND i.uses + {} <= i.max_uses", transitions.len()));
    render::guard_of_all(&mut s, transitions, names);
    s
}

/// Writes an event for each redemption.
fn insert_events(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, transitions, .. } = *batch;
    let mut s = Statement::new(format!("INSERT INTO {} ({}) SELECT ", names.events, row::EVENT));
    let column = |column: &str| match column {
        "invitation" => "i.id".to_owned(),
        "division" => "i.division".to_owned(),
        own => format!("p.{own}"),
    };
    s.sql(row::EVENT.split(", ").map(column).collect::<Vec<_>>().join(", "));
    s.sql(format_args!(" FROM {} AS i STRAIGHT_JOIN ", names.invitations));
    let evidence = transitions.iter().map(|one| one.event());
    rows(&mut s, row::EVENT, evidence, |s, event| {
        row::write_event(&mut ValueList::new(s), event, |values| values.expression("NULL, NULL"));
    });
    s.sql(" WHERE ");
    just_used(s, transition)
}

/// Writes the update of the state of a code that is used up.
fn update_state(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, .. } = *batch;
    let s = Statement::new(format!(
        "UPDATE {} AS i STRAIGHT_JOIN {} AS s ON s.division = i.division \
         AND s.state = {} AND s.created_at = i.created_at AND s.id = i.id \
         SET s.state = {} WHERE i.uses = i.max_uses AND ",
        names.invitations,
        names.states,
        render::state(State::Open),
        render::state(State::UsedUp),
    ));
    just_used(s, transition)
}

/// Writes a row of the ledger for each redemption. The redemption of a single-use code is in the
/// invitation's row.
fn insert_redemptions(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, transitions, .. } = *batch;
    let mut s = Statement::new(format!(
        "INSERT INTO {} (invitation, id, user_id, username, at, role, lease) \
         SELECT i.id, p.id, p.user_id, p.username, p.at, i.used_role, i.used_lease \
         FROM {} AS i STRAIGHT_JOIN ",
        names.redemptions, names.invitations
    ));
    let redemptions = transitions.iter().filter_map(|one| one.as_plain_redemption());
    rows(&mut s, "id, user_id, username, at", redemptions, |s, plain| {
        let mut values = ValueList::new(s);
        values.blob(plain.id.as_bytes().as_slice());
        values.text(plain.user.as_str());
        values.text(plain.username.as_str());
        values.int(plain.at.as_micros());
    });
    s.sql(" WHERE i.max_uses > 1 AND ");
    just_used(s, transition)
}

/// Deletes the search terms of earlier uses.
fn delete_old_terms(batch: &SameCodeBatch<'_>) -> Statement<MySql> {
    let SameCodeBatch { names, transition, .. } = *batch;
    let s = Statement::new(format!(
        "DELETE w FROM {} AS i STRAIGHT_JOIN {} AS w ON w.invitation = i.id \
         WHERE i.uses > 1 AND w.part <> 0 AND w.part < i.uses AND ",
        names.invitations, names.search_terms
    ));
    just_used(s, transition)
}

/// Writes the search terms of the latest redeemer's name, if it has any.
fn insert_terms(batch: &SameCodeBatch<'_>) -> Option<Statement<MySql>> {
    let SameCodeBatch { names, transition, plain, .. } = *batch;
    let mut s = Statement::new(format!(
        "INSERT INTO {} (term, division, created_at, invitation, part)",
        names.search_terms
    ));
    let mut has_terms = false;
    // Each term is selected from the invitation's row itself. A join with a list of terms would
    // create a temporary table.
    for term in plain.username.search_terms() {
        s.sql(if has_terms { " UNION ALL SELECT " } else { " SELECT " }).text(term);
        s.sql(format_args!(
            ", i.division, i.created_at, i.id, i.uses FROM {} AS i WHERE ",
            names.invitations
        ));
        s = just_used(s, transition);
        has_terms = true;
    }
    has_terms.then_some(s)
}

/// Writes a derived table `p` of these rows.
fn rows<T>(
    s: &mut Statement<MySql>,
    columns: &str,
    rows: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Statement<MySql>, T),
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

/// Restricts the statement to the row that the update has changed. No other redemption has the
/// same id.
fn just_used(mut s: Statement<MySql>, transition: &Transition) -> Statement<MySql> {
    render::target(&mut s, transition.target());
    s.sql(" AND i.used_id = ").blob(transition.event().id.as_bytes());
    s
}
