//! One redemption as one statement.

use invitation_core::{Facts, Outcome, State, StoreError, StoreErrorKind, Transition};
use sqlx::{PgConnection, Postgres};

use crate::{
    error::{is_taken, lone_statement_error, store_error},
    names::Names,
    ops::{Begin, Step},
    render::{self, ValueSource},
    row,
    statement::Statement,
    values::ValueList,
};

/// The SQL standard's code of a serialization failure. It occurs if the server's default
/// isolation level does not let a statement see rows committed after it began.
const SERIALIZATION_FAILURE: &str = "40001";

/// Redeems with one statement, which writes the use, the event, the ledger, the state and the
/// search terms. It takes one round trip, or three with a savepoint.
///
/// Returns `None` for a transition that this statement does not support, and if the statement
/// changed nothing. The general path then applies the transition or explains the refusal.
pub(super) async fn redeem(
    conn: &mut PgConnection,
    begin: Begin,
    names: &Names,
    transition: &Transition,
) -> Result<Option<Outcome>, StoreError> {
    let Some(plain) = transition.as_plain_redemption() else { return Ok(None) };
    let s = statement(names, transition, plain.username.search_terms());
    let found = match begin {
        // The statement is its own transaction, so its result is the result of the commit.
        Begin::Own => match s.first(conn).await {
            Ok(found) => found,
            Err(error) if is_taken(&error) || is_serialization_failure(&error) => None,
            Err(error) => return Err(lone_statement_error::<Postgres>("apply", error)),
        },
        Begin::Nested => {
            let failed = |error| store_error::<Postgres>("apply", error);
            let mut step = Step::<Postgres>::begin(conn, begin).await.map_err(failed)?;
            match s.first(step.conn()).await {
                Ok(found) => {
                    step.commit().await.map_err(failed)?;
                    found
                }
                Err(error) if is_taken(&error) => {
                    step.rollback().await.map_err(failed)?;
                    None
                }
                Err(error) => return Err(failed(error)),
            }
        }
    };
    let Some(found) = found else { return Ok(None) };
    // The change is committed, so an error from here on leaves the outcome unknown.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    let invitation = row::invitation::<Postgres>(&found).map_err(unknown)?;
    // The statement requires a row without leases, and a redemption begins none.
    let facts = Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) };
    Ok(Some(Outcome::Applied(Box::new(facts))))
}

/// Writes the statement, which has the same effects as `apply::attempt`. A taken key undoes all
/// of them.
fn statement(names: &Names, transition: &Transition, terms: Vec<String>) -> Statement<Postgres> {
    let mut s =
        Statement::<Postgres>::new(format!("WITH u AS (UPDATE {} AS i SET ", names.invitations));
    render::change(&mut s, transition.change());
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    render::guard_without_leases(&mut s, transition.guard(), ValueSource::Statement, names);
    s.sql(format_args!(" RETURNING {}), ", row::INVITATION));

    s.sql(format_args!("e AS (INSERT INTO {} ({}) SELECT ", names.events, row::EVENT));
    row::write_event(&mut ValueList::new(&mut s), transition.event(), |values| {
        values.expression("u.id, u.division");
    });
    s.sql(" FROM u), ");
    // The redemption of a single-use code is in the invitation's row.
    s.sql(format_args!(
        "r AS (INSERT INTO {} (invitation, id, user_id, username, at, role, lease) \
         SELECT id, used_id, used_by, used_name, used_at, used_role, used_lease FROM u \
         WHERE max_uses > 1)",
        names.redemptions
    ));
    update_state(&mut s, names);
    delete_old_terms(&mut s, names);
    if !terms.is_empty() {
        s.sql(format_args!(
            ", w AS (INSERT INTO {} (term, division, created_at, invitation, part) \
             SELECT x.term, u.division, u.created_at, u.id, u.uses FROM u, (VALUES ",
            names.search_terms
        ));
        for (n, term) in terms.into_iter().enumerate() {
            s.sql(if n == 0 { "(" } else { ", (" }).text(term).sql(")");
        }
        s.sql(") AS x(term))");
    }
    s.sql(format_args!(" SELECT {} FROM u", row::INVITATION));
    s
}

/// Updates the state of a code that is used up.
pub(super) fn update_state(s: &mut Statement<Postgres>, names: &Names) {
    s.sql(format_args!(", t AS (UPDATE {} AS s SET state = ", names.states));
    s.sql(render::state(State::UsedUp)).sql(" FROM u WHERE s.division = u.division AND ");
    render::is_in_state(s, "s.state", State::Open);
    s.sql(" AND s.created_at = u.created_at AND s.id = u.id AND u.uses = u.max_uses)");
}

/// Deletes the search terms of earlier uses.
pub(super) fn delete_old_terms(s: &mut Statement<Postgres>, names: &Names) {
    // Terms of a concurrent use that this statement cannot see yet stay. No search counts them,
    // and the next use deletes them.
    s.sql(format_args!(
        ", f AS (DELETE FROM {} AS w USING u WHERE u.uses > 1 AND w.invitation = u.id \
         AND w.part <> 0 AND w.part < u.uses)",
        names.search_terms
    ));
}

fn is_serialization_failure(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == SERIALIZATION_FAILURE)
}
