//! Mailboxes that are invited already, found with one query for many mailboxes.

use std::collections::{BTreeSet, HashSet};

use invitation_core::{EmailKey, Invitee, StoreError, Timestamp};

use super::Session;
use crate::{dialect::Dialect, statement::Statement};

pub(crate) async fn are_invited<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitees: &[Invitee],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let mut found = HashSet::new();
    let mut step = on.begin_to_read(!invitees.is_empty()).await?;
    for chunk in invitees.chunks(DB::addresses_at_once()) {
        // The query asks for the addresses in all divisions. Pairs of two lists would give
        // MySQL's planner too many ranges.
        let addresses: BTreeSet<&EmailKey> = chunk.iter().map(|one| &one.address).collect();
        let mut s = Statement::new("SELECT DISTINCT i.division, i.email_key FROM ");
        s.keep_secret();
        let addresses: Vec<_> = addresses.into_iter().map(EmailKey::as_str).collect();
        DB::invited_to(&mut s, step.names, &addresses, |s| {
            s.sql(" AND i.expires_at > ").int(now.as_micros());
            s.sql(" AND i.deleted_at IS NULL AND i.revoked_at IS NULL AND i.uses < i.max_uses");
        });
        found.extend(s.all(&mut step, |c| Ok((c.text("division")?, c.text("email_key")?))).await?);
    }
    step.end_read().await?;
    let is_found = |one: &Invitee| {
        found.contains(&(one.division.as_str().to_owned(), one.address.as_str().to_owned()))
    };
    Ok(invitees.iter().map(is_found).collect())
}
