//! Queries that are one statement each.

use invitation_core::{
    Event, EventFilter, EventId, Facts, InvitationId, Located, OpenLease, PageRequest, Position,
    Record, Redemption, Scope, StoreError, StorePage, Target, Transition, UserId,
};

use super::Session;
use crate::{
    dialect::Dialect,
    effects::LATEST_USE,
    names::Names,
    render,
    row::{self, Read},
    statement::Statement,
};

pub(crate) async fn get<DB: Dialect>(
    on: &mut Session<'_, DB>,
    target: &Target,
    scope: &Scope,
) -> Result<Option<Record>, StoreError> {
    let mut s = select_invitation(on.names);
    render::target(&mut s, target);
    render::scope(&mut s, scope);
    s.first(on, row::invitation).await
}

/// Returns the invitation of a transition that was not made, and locks it against changes until
/// the transaction ends.
pub(crate) async fn get_held<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
) -> Result<Option<Record>, StoreError> {
    let mut s = select_invitation(on.names);
    render::refused(&mut s, on.names, transition);
    s.sql(DB::FOR_SHARE);
    s.first(on, row::invitation).await
}

/// Begins a query for an invitation, up to its conditions.
pub(crate) fn select_invitation<DB: Dialect>(names: &Names) -> Statement<DB> {
    Statement::new(format!("SELECT {} FROM {} i WHERE ", row::INVITATION, names.invitations))
}

/// Gets an invitation and the facts about a user: one statement, and so one instant.
pub(crate) async fn facts<DB: Dialect>(
    on: &mut Session<'_, DB>,
    target: &Target,
    scope: &Scope,
    user: &UserId,
) -> Result<Option<Facts>, StoreError> {
    let Names { invitations, redemptions, leases, .. } = on.names;
    let mut s = Statement::new("SELECT ");
    s.sql(row::qualified(&row::INVITATION, "i")).sql(", ");
    s.sql(row::qualified(&row::REDEMPTION, "r")).sql(", ");
    s.sql(row::qualified(row::LEASE, "l")).sql(", ");
    s.sql(row::qualified(row::LEASE, "f"));
    // The redemption of a single-use code is in its row, and not in the table.
    s.sql(format_args!(" FROM {invitations} i LEFT JOIN {redemptions} r"));
    s.sql(" ON i.max_uses > 1 AND r.invitation = i.id AND r.user_id = ").text(user.as_str());
    s.sql(format_args!(" LEFT JOIN {leases} l ON l.invitation = i.id AND l.user_id = "));
    s.text(user.as_str());
    s.sql(format_args!(
        " LEFT JOIN {leases} f ON f.invitation = i.id AND f.user_id = (SELECT x.user_id \
         FROM {leases} x WHERE x.invitation = i.id ORDER BY x.held_until, x.id LIMIT 1) WHERE "
    ));
    render::target(&mut s, target);
    render::hide_tombstone(&mut s, on.names, target, None, Some(user));
    render::scope(&mut s, scope);
    s.sql(on.locking_read());
    s.first(on, |c| row::facts(c, user)).await
}

pub(crate) async fn locate<DB: Dialect>(
    on: &mut Session<'_, DB>,
    target: &Target,
) -> Result<Option<Located>, StoreError> {
    let mut s =
        Statement::new(format!("SELECT id, division FROM {} i WHERE ", on.names.invitations));
    render::target(&mut s, target);
    s.first(on, row::located).await
}

pub(crate) async fn redemptions<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    invitation: InvitationId,
    page: &PageRequest<EventId>,
) -> Result<StorePage<Redemption, EventId>, StoreError> {
    let mut s = Statement::new("");
    // The redemption of a single-use code is in the invitation's row.
    let ledger = format!(
        "SELECT {} FROM {} r JOIN {} i ON i.id = r.invitation WHERE r.invitation = ",
        row::qualified(&row::REDEMPTION, "r"),
        on.names.redemptions,
        on.names.invitations
    );
    let row = format!(
        " UNION ALL SELECT {} FROM {} i \
         WHERE i.max_uses = 1 AND i.used_id IS NOT NULL AND i.id = ",
        row::qualified(&LATEST_USE, "i"),
        on.names.invitations
    );
    for (sql, at, id) in [(ledger, "r.at", "r.id"), (row, "i.used_at", "i.used_id")] {
        s.sql(sql).blob(invitation.as_bytes());
        render::scope(&mut s, scope);
        render::after(&mut s, at, id, page.after.as_ref(), EventId::as_bytes);
    }
    s.sql(" ORDER BY 4 DESC, 1 DESC");
    let position = |last: &Redemption| Position { at: last.at, id: last.id };
    read_page(on, s, page.limit, row::redemption, position).await
}

pub(crate) async fn leases<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    page: &PageRequest<EventId>,
) -> Result<StorePage<OpenLease, EventId>, StoreError> {
    let mut s = Statement::new(format!(
        "SELECT {}, invitation, division FROM {} i WHERE 1 = 1",
        row::LEASE,
        on.names.leases
    ));
    render::scope(&mut s, scope);
    render::after(&mut s, "held_since", "id", page.after.as_ref(), EventId::as_bytes);
    s.sql(" ORDER BY held_since DESC, id DESC");
    let position = |last: &OpenLease| Position { at: last.lease.since, id: last.lease.id };
    read_page(on, s, page.limit, row::open_lease, position).await
}

pub(crate) async fn events<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    filter: &EventFilter,
    page: &PageRequest<EventId>,
) -> Result<StorePage<Event, EventId>, StoreError> {
    let mut s = Statement::new(format!("SELECT {} FROM {} e WHERE ", row::EVENT, on.names.events));
    render::event_filter(&mut s, scope, filter);
    render::after(&mut s, "e.at", "e.id", page.after.as_ref(), EventId::as_bytes);
    s.sql(" ORDER BY e.at DESC, e.id DESC");
    let position = |last: &Event| Position { at: last.at, id: last.id };
    read_page(on, s, page.limit, row::event, position).await
}

/// Reads a page of a query whose order is written, and one row more to see whether more follow.
async fn read_page<DB: Dialect, T>(
    on: &mut Session<'_, DB>,
    mut s: Statement<DB>,
    limit: u32,
    read: Read<DB, T>,
    position: impl Fn(&T) -> Position<EventId>,
) -> Result<StorePage<T, EventId>, StoreError> {
    s.sql(" LIMIT ").sql(u64::from(limit) + 1);
    Ok(StorePage::from_one_more(s.all(on, read).await?, limit, position))
}
