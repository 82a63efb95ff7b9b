//! Leases of one invitation. A transaction that touches them has updated the invitation's own row
//! before, and that row is the lock for them.

use invitation_core::{
    ConsumedLease, EmailKey, Facts, InvitationId, Lease, Record, StoreError, Transition, UserId,
};

use super::{Session, ledger};
use crate::{dialect::Dialect, names::Names, row, statement::Statement, values::InputRow};

/// The effect of a change on the leases.
pub(super) enum Leases {
    /// The leases are as the change requires. The change consumed this lease, if any.
    Kept(Option<Lease>),
    /// The leases differ from what the guarded update saw, so the whole change has to be undone.
    Moved,
}

/// Changes the leases as `transition` requires, after the row was changed to `invitation`.
pub(super) async fn change<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    invitation: &Record,
) -> Result<Leases, StoreError> {
    let change = transition.change();
    if change.ends_all_leases() {
        let mut s = Statement::new(format!("DELETE FROM {}", on.names.leases));
        s.sql(" WHERE invitation = ").blob(invitation.id.as_bytes());
        s.run(on).await?;
        return Ok(Leases::Kept(None));
    }
    let new = change.new_lease(invitation);
    if new.is_none() && change.taken_over_from().is_none() && invitation.held == 0 {
        // Most redemptions end here: the invitation has no leases, and none begins.
        return Ok(Leases::Kept(None));
    }
    // The guarded update may have waited for the row, and may have seen older leases. From here
    // on the row is locked, so the leases cannot change.
    let mut facts = Facts::of(invitation.clone());
    // The ledger's unique keys prevent a second redemption, but no key prevents a lease of a user
    // who has redeemed, or with a mailbox that was used.
    if new.is_some() {
        facts.mine = ledger::mine(on, transition, invitation).await?;
        facts.mailbox_use = ledger::with_mailbox(on, transition, invitation).await?;
    }
    // The number of held uses may include the lease that begins here.
    let begun = u32::from(new.is_some() && change.taken_over_from().is_none());
    if change.taken_over_from().is_some() || invitation.held > begun {
        load(on, transition, &mut facts).await?;
    }
    let mut beyond =
        transition.guard().conditions().iter().filter(|condition| condition.looks_beyond());
    if !beyond.all(|condition| condition.holds(&facts)) {
        return Ok(Leases::Moved);
    }
    let taken = match change.taken_over_from() {
        Some(ConsumedLease::Own { .. }) => facts.lease,
        Some(ConsumedLease::Expired { .. }) => facts.first_lease,
        Some(ConsumedLease::Mailbox { .. }) => facts.mailbox_lease,
        None => None,
    };
    if let Some(taken) = &taken
        && !end(on, invitation.id, taken).await?
    {
        return Ok(Leases::Moved);
    }
    if let Some(lease) = new
        && !begin(on, invitation, &lease).await?
    {
        return Ok(Leases::Moved);
    }
    Ok(Leases::Kept(taken))
}

/// Adds to the facts the first lease of all, and the leases of the transition's redeemer and of
/// its mailbox. Sends no query if the invitation has no leases.
pub(super) async fn add_leases<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if facts.invitation.held == 0 {
        return Ok(());
    }
    load(on, transition, facts).await
}

async fn load<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let id = facts.invitation.id;
    if let Some(user) = transition.redeemer() {
        facts.lease = own(on, id, user).await?;
    }
    facts.first_lease = first(on, id).await?;
    if let Some(mailbox) = transition.mailbox_on(&facts.invitation) {
        facts.mailbox_lease = with_mailbox(on, id, mailbox).await?;
    }
    Ok(())
}

async fn own<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: InvitationId,
    user: &UserId,
) -> Result<Option<Lease>, StoreError> {
    let mut s = leases_of(on.names, invitation);
    s.sql(" AND user_id = ").text(user.as_str()).sql(on.locking_read());
    s.first(on, row::lease).await
}

async fn with_mailbox<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: InvitationId,
    mailbox: &EmailKey,
) -> Result<Option<Lease>, StoreError> {
    let mut s = leases_of(on.names, invitation);
    s.keep_secret();
    s.sql(" AND mailbox = ").text(mailbox.as_str()).sql(on.locking_read());
    s.first(on, row::lease).await
}

async fn first<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: InvitationId,
) -> Result<Option<Lease>, StoreError> {
    let mut s = leases_of(on.names, invitation);
    s.sql(" ORDER BY held_until, id LIMIT 1").sql(on.locking_read());
    s.first(on, row::lease).await
}

fn leases_of<DB: Dialect>(names: &Names, invitation: InvitationId) -> Statement<DB> {
    let mut s = Statement::new(format!("SELECT {} FROM {}", row::LEASE, names.leases));
    s.sql(" WHERE invitation = ").blob(invitation.as_bytes());
    s
}

/// Ends a lease. Returns `false` if it has ended already.
async fn end<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: InvitationId,
    lease: &Lease,
) -> Result<bool, StoreError> {
    let mut s = Statement::new(format!("DELETE FROM {}", on.names.leases));
    s.sql(" WHERE invitation = ").blob(invitation.as_bytes());
    s.sql(" AND user_id = ").text(lease.user.as_str());
    s.sql(" AND id = ").blob(lease.id.as_bytes());
    Ok(s.run(on).await? == 1)
}

/// Begins a lease. Returns `false` if the user or the mailbox has one already: the unique keys
/// decide.
async fn begin<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: &Record,
    lease: &Lease,
) -> Result<bool, StoreError> {
    let mut s = Statement::new(format!(
        "INSERT INTO {} ({}, invitation, division) VALUES (",
        on.names.leases,
        row::LEASE
    ));
    if lease.mailbox.is_some() {
        s.keep_secret();
    }
    s.values(lease.values()).sql(", ").blob(invitation.id.as_bytes());
    s.sql(", ").text(invitation.division.as_str());
    s.sql(")");
    s.run_unless_taken(on, None).await
}
