//! Mailboxes that are invited already, found with one query for many mailboxes.

use std::collections::{BTreeSet, HashSet};

use invitation_core::{EmailKey, Invitee, StoreError, Timestamp};

use crate::{dialect::Dialect, error::store_error, names::Names, row, statement::Statement};

pub(crate) async fn are_invited<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitees: &[Invitee],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let mut found = HashSet::new();
    for chunk in invitees.chunks(DB::addresses_at_once()) {
        // The query asks for the addresses in all divisions. Pairs of two lists would give
        // MySQL's planner too many ranges.
        let addresses: BTreeSet<&EmailKey> = chunk.iter().map(|one| &one.address).collect();
        let mut s = Statement::<DB>::new("SELECT DISTINCT i.division, i.email_key FROM ");
        let addresses: Vec<_> = addresses.into_iter().map(EmailKey::as_str).collect();
        DB::invited_to(&mut s, names, &addresses, |s| {
            s.sql(" AND i.expires_at > ").int(now.as_micros());
            s.sql(" AND i.deleted_at IS NULL AND i.revoked_at IS NULL AND i.uses < i.max_uses");
        });
        let rows = s.all(conn).await.map_err(|error| store_error::<DB>("are_invited", error))?;
        for row in &rows {
            found.insert(row::invitee::<DB>(row)?);
        }
    }
    let is_found = |one: &Invitee| {
        found.contains(&(one.division.as_str().to_owned(), one.address.as_str().to_owned()))
    };
    Ok(invitees.iter().map(is_found).collect())
}
