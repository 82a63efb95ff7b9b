//! Leases of one invitation. Whoever touches them has updated the invitation's own
//! row before, in the same transaction: that row is the lock.

use invitation_core::{
    ConsumedLease, Facts, Invitation, InvitationId, Lease, StoreError, Transition, UserId,
};

use super::ledger;
use crate::{dialect::Dialect, error::store_error, names::Names, row, statement::Statement};

/// What became of the leases when a change was made.
pub(super) enum Leases {
    /// They are as the change says, and it took the use of this one.
    Kept(Option<Lease>),
    /// They are not what the guarded update took them for: all must be undone.
    Moved,
}

/// Changes the leases as `transition` says, after the row was changed to
/// `invitation`.
pub(super) async fn change<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    invitation: &Invitation,
) -> Result<Leases, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    let change = transition.change();
    if change.ends_all_leases() {
        let mut s = Statement::<DB>::new(format!("DELETE FROM {}", names.leases));
        s.sql(" WHERE invitation = ").blob(invitation.id.as_bytes());
        s.run(conn).await.map_err(failed)?;
        return Ok(Leases::Kept(None));
    }
    let new = change.new_lease(invitation);
    if new.is_none() && change.taken_over_from().is_none() && invitation.held == 0 {
        // The way of most redeems: there are no leases, and none begins.
        return Ok(Leases::Kept(None));
    }
    // What the guarded update saw of the leases may be what they were before it had
    // to wait for the row; from here on they cannot change.
    let mut facts = Facts::of(invitation.clone());
    // A redemption has the ledger's key to arbitrate; a lease has not.
    if new.is_some() {
        facts.mine = ledger::mine::<DB>(conn, names, transition, invitation).await?;
    }
    // Of those that are held, one may be the one that begins here.
    let begun = u32::from(new.is_some() && change.taken_over_from().is_none());
    if change.taken_over_from().is_some() || invitation.held > begun {
        load::<DB>(conn, names, transition, &mut facts).await?;
    }
    let mut beyond =
        transition.guard().conditions().iter().filter(|condition| condition.looks_beyond());
    if !beyond.all(|condition| condition.holds(&facts)) {
        return Ok(Leases::Moved);
    }
    let taken = match change.taken_over_from() {
        Some(ConsumedLease::Own { .. }) => facts.lease,
        Some(ConsumedLease::Expired { .. }) => facts.first_lease,
        None => None,
    };
    if let Some(taken) = &taken
        && !end::<DB>(conn, names, invitation.id, taken).await.map_err(failed)?
    {
        return Ok(Leases::Moved);
    }
    if let Some(lease) = new
        && !begin::<DB>(conn, names, invitation, &lease).await.map_err(failed)?
    {
        return Ok(Leases::Moved);
    }
    Ok(Leases::Kept(taken))
}

/// Adds to the facts the lease of the user whom the transition is about, and the
/// first of all. Nothing is asked when there are none.
pub(super) async fn add_leases<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if facts.invitation.held == 0 {
        return Ok(());
    }
    load::<DB>(conn, names, transition, facts).await
}

async fn load<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let id = facts.invitation.id;
    if let Some(user) = transition.redeemer() {
        facts.lease = own::<DB>(conn, names, id, user).await?;
    }
    facts.first_lease = first::<DB>(conn, names, id).await?;
    Ok(())
}

async fn own<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
    user: &UserId,
) -> Result<Option<Lease>, StoreError> {
    let mut s = leases_of::<DB>(names, invitation);
    s.sql(" AND user_id = ").text(user.as_str()).sql(DB::locking_read(conn));
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("apply", error))?;
    found.as_ref().map(row::lease::<DB>).transpose()
}

async fn first<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
) -> Result<Option<Lease>, StoreError> {
    let mut s = leases_of::<DB>(names, invitation);
    s.sql(" ORDER BY held_until, id LIMIT 1").sql(DB::locking_read(conn));
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("apply", error))?;
    found.as_ref().map(row::lease::<DB>).transpose()
}

fn leases_of<DB: Dialect>(names: &Names, invitation: InvitationId) -> Statement<DB> {
    let mut s = Statement::new(format!("SELECT {} FROM {}", row::LEASE, names.leases));
    s.sql(" WHERE invitation = ").blob(invitation.as_bytes());
    s
}

/// False when it has ended already.
async fn end<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
    lease: &Lease,
) -> sqlx::Result<bool> {
    let mut s = Statement::<DB>::new(format!("DELETE FROM {}", names.leases));
    s.sql(" WHERE invitation = ").blob(invitation.as_bytes());
    s.sql(" AND user_id = ").text(lease.user.as_str());
    s.sql(" AND id = ").blob(lease.id.as_bytes());
    Ok(s.run(conn).await? == 1)
}

/// False when the user has one already: the key arbitrates.
async fn begin<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: &Invitation,
    lease: &Lease,
) -> sqlx::Result<bool> {
    let mut s = Statement::<DB>::new(format!(
        "INSERT INTO {} ({}, invitation, division) VALUES (",
        names.leases,
        row::LEASE
    ));
    row::write_lease(&mut s, lease);
    s.sql(", ").blob(invitation.id.as_bytes());
    s.sql(", ").text(invitation.division.as_str());
    s.sql(")");
    s.run_unless_taken(conn, "invitation, user_id").await
}
