//! Erasure of a person.

use std::collections::HashMap;

use invitation_core::{
    Facts, InvitationId, Lease, PageRequest, Position, Record, Redemption, StoreError, StorePage,
    erasure::{ERASED, ErasedEvent, ErasedInvitations, ErasedParts, EventErasure, PersonErasure},
};

use super::{Session, apply, read, search_terms};
use crate::{
    dialect::Dialect, list::Index, names::Names, render, row, statement::Statement, values::Value,
};

type Result<T> = std::result::Result<T, StoreError>;

/// The columns of an invitation's row that belong to a part: whether the part was changed, the
/// columns that become NULL, and the columns that get the text in place of an erased value.
type Columns = (fn(ErasedParts) -> bool, &'static [&'static str], &'static [&'static str]);

const IN_ROW: [Columns; 4] = [
    (|parts| parts.inviter, &["inviter_name"], &[]),
    (|parts| parts.grantor, &["grantor_name"], &[]),
    (|parts| parts.latest_use, &["used_mailbox"], &["used_name"]),
    (|parts| parts.address, &[], &["email", "email_key"]),
];

/// An invitation that an erasure changed, and the redemption of the user before it.
struct Changed {
    invitation: Record,
    parts: ErasedParts,
    before: Option<Redemption>,
}

/// Erases a person from one page of invitations.
pub(crate) async fn erase_invitations<DB: Dialect>(
    on: &mut Session<'_, DB>,
    erasure: &PersonErasure,
    page: &PageRequest<InvitationId>,
) -> Result<ErasedInvitations> {
    let mut step = on.begin().await?;
    let StorePage { items, next } = page_of_ids(&mut step, page).await?;
    let examined = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let (mut open, mut changed) = (0, Vec::new());
    if !items.is_empty() {
        for mut facts in concerned(&mut step, erasure, &items).await? {
            open += u32::from(erasure.leaves_open(&facts.invitation));
            let before = facts.mine.clone();
            let parts = erasure.apply_to(&mut facts);
            if parts.any() {
                changed.push(Changed { invitation: facts.invitation, parts, before });
            }
        }
    }
    let erased = u32::try_from(changed.len()).unwrap_or(u32::MAX);
    let done = ErasedInvitations { examined, erased, open, next };
    if changed.is_empty() {
        step.rollback().await?;
        return Ok(done);
    }
    write(&mut step, erasure, &changed).await?;
    let event = erasure.evidence(erased);
    apply::write_event(&mut step, &event).await?;
    step.commit().await?;
    Ok(done)
}

async fn page_of_ids<DB: Dialect>(
    on: &mut Session<'_, DB>,
    page: &PageRequest<InvitationId>,
) -> Result<StorePage<Position<InvitationId>, InvitationId>> {
    let mut s = Statement::new("SELECT i.created_at, i.id FROM ");
    render::by_index(&mut s, on.names, Index::CodesNewestAnywhere);
    s.sql(" WHERE 1 = 1");
    render::after(&mut s, "i.created_at", "i.id", page.after.as_ref(), InvitationId::as_bytes);
    s.sql(" ORDER BY i.created_at DESC, i.id DESC");
    render::at_most(&mut s, page.limit.saturating_add(1));
    let found = s.all(on, row::position).await?;
    Ok(StorePage::from_one_more(found, page.limit, |position| *position))
}

/// Locks the invitations of a page that may concern the person. Returns them with the redemption
/// and the lease of the user.
async fn concerned<DB: Dialect>(
    on: &mut Session<'_, DB>,
    erasure: &PersonErasure,
    page: &[Position<InvitationId>],
) -> Result<Vec<Facts>> {
    let user = erasure.user.as_str();
    let ids: Vec<_> = page.iter().map(|position| position.id).collect();

    let columns = &row::REDEMPTION;
    let sql =
        format!("SELECT invitation, {columns} FROM {} WHERE user_id = ", on.names.redemptions);
    let mut s = Statement::new(sql);
    s.one_off();
    s.text(user).sql(" AND invitation IN ");
    list(&mut s, &ids);
    let found = s.all(on, row::redemption_on).await?;
    let mut redemptions: HashMap<InvitationId, Redemption> = found.into_iter().collect();

    let columns = row::LEASE;
    let sql =
        format!("SELECT {columns}, invitation, division FROM {} WHERE user_id = ", on.names.leases);
    let mut s = Statement::new(sql);
    s.one_off();
    s.text(user).sql(" AND invitation IN ");
    list(&mut s, &ids);
    let found = s.all(on, row::open_lease).await?;
    let mut leases: HashMap<InvitationId, Lease> =
        found.into_iter().map(|open| (open.invitation, open.lease)).collect();

    let mut s = read::select_invitation(on.names);
    s.one_off();
    s.keep_secret();
    s.sql("i.id IN ");
    list(&mut s, &ids);
    s.sql(" AND (i.used_by = ").text(user);
    for column in ["inviter", "grantor"] {
        s.sql(format_args!(" OR (i.{column}_name IS NOT NULL AND i.{column} = ")).text(user);
        s.sql(")");
    }
    if !erasure.addresses.is_empty() {
        s.sql(" OR i.email_key IN ").list(&erasure.addresses, |s, address| {
            s.text(address.as_str());
        });
    }
    let with_rows: Vec<_> = redemptions.keys().chain(leases.keys()).copied().collect();
    if !with_rows.is_empty() {
        s.sql(" OR i.id IN ");
        list(&mut s, &with_rows);
    }
    s.sql(")").sql(DB::FOR_UPDATE);
    let facts = |invitation: Record| {
        let latest = invitation.last_use.clone().filter(|last| last.user == erasure.user);
        let mine = latest.or_else(|| redemptions.remove(&invitation.id));
        let lease = leases.remove(&invitation.id);
        Facts { mine, lease, ..Facts::of(invitation) }
    };
    Ok(s.all(on, row::invitation).await?.into_iter().map(facts).collect())
}

fn list<DB: Dialect>(s: &mut Statement<DB>, ids: &[InvitationId]) {
    s.list(ids, |s, id| {
        s.blob(id.as_bytes());
    });
}

/// Erases the parts that differ, with one statement for each kind of part.
async fn write<DB: Dialect>(
    on: &mut Session<'_, DB>,
    erasure: &PersonErasure,
    changed: &[Changed],
) -> Result<()> {
    let with = |is_in: &dyn Fn(&Changed) -> bool| -> Vec<InvitationId> {
        changed.iter().filter(|one| is_in(one)).map(|one| one.invitation.id).collect()
    };
    let in_row = IN_ROW.map(|(part, removed, replaced)| {
        (with(&|one: &Changed| part(one.parts)), removed, replaced)
    });
    let Names { invitations, redemptions, leases, .. } = on.names;
    for (ids, removed, replaced) in in_row {
        erase(on, invitations, (removed, replaced), "id", None, &ids).await?;
    }
    let is_in_ledger = |one: &Changed| one.parts.redemption && one.invitation.max_uses.get() > 1;
    let tables = [(redemptions, with(&is_in_ledger)), (leases, with(&|one| one.parts.lease))];
    for (table, ids) in tables {
        let columns = (&["mailbox"][..], &["username"][..]);
        let user = Some(erasure.user.as_str());
        erase(on, table, columns, "invitation", user, &ids).await?;
    }
    for Changed { invitation, parts, before } in changed {
        if parts.address {
            search_terms::forget(on, invitation, search_terms::ADDRESS).await?;
        }
        if parts.latest_use {
            search_terms::forget(on, invitation, invitation.uses.into()).await?;
        } else if let Some(before) = before.as_ref().filter(|_| parts.redemption) {
            search_terms::forget_name(on, invitation, &before.username).await?;
        }
    }
    Ok(())
}

/// Removes some columns and replaces others, in the rows of these invitations and of this user.
async fn erase<DB: Dialect>(
    on: &mut Session<'_, DB>,
    table: &str,
    (removed, replaced): (&[&str], &[&str]),
    id: &str,
    user: Option<&str>,
    ids: &[InvitationId],
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut s = Statement::new(format!("UPDATE {table} SET "));
    s.one_off();
    let removed = removed.iter().map(|column| (*column, Value::text(None)));
    s.assignments(removed.chain(replaced.iter().map(|column| (*column, Value::text(ERASED)))));
    s.sql(format_args!(" WHERE {id} IN "));
    list(&mut s, ids);
    if let Some(user) = user {
        s.sql(" AND user_id = ").text(user);
    }
    s.run(on).await?;
    Ok(())
}

/// Erases a person from events.
pub(crate) async fn erase_events<DB: Dialect>(
    on: &mut Session<'_, DB>,
    erasure: &EventErasure,
) -> Result<()> {
    let mut step = on.begin().await?;
    if !apply::write_event(&mut step, erasure.event()).await? {
        return step.rollback().await;
    }
    for event in erasure.events() {
        erase_parts(&mut step, event).await?;
    }
    step.commit().await
}

/// Erases parts of an event. The other columns, and the other pairs of the detail, stay as they
/// are stored.
async fn erase_parts<DB: Dialect>(on: &mut Session<'_, DB>, event: &ErasedEvent) -> Result<()> {
    if !event.any() {
        return Ok(());
    }
    let mut s = Statement::new(format!("UPDATE {} SET ", on.names.events));
    let mut separator = "";
    if let Some(name) = event.name {
        s.sql("actor_name = ").text(name.kept());
        separator = ", ";
    }
    if event.source {
        s.sql(format_args!("{separator}source = NULL"));
        separator = ", ";
    }
    let replacements: Vec<_> = event.replacements().collect();
    if !replacements.is_empty() {
        s.sql(format_args!("{separator}detail = {}detail", "REPLACE(".repeat(replacements.len())));
        for (before, after) in replacements {
            s.sql(", ").text(before.as_str()).sql(", ").text(after.as_str()).sql(")");
        }
    }
    s.sql(" WHERE id = ").blob(event.id.as_bytes());
    s.run(on).await?;
    Ok(())
}
