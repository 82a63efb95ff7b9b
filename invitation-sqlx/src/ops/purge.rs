//! Removal of invitations that ended long ago.

use invitation_core::{Purge, Purged, Scope, StoreError};

use super::{
    Session, apply, request,
    state::{self, Key},
};
use crate::{
    dialect::Dialect,
    render,
    row::{self, PurgeCandidate},
    statement::Statement,
};

pub(crate) async fn purge<DB: Dialect>(
    on: &mut Session<'_, DB>,
    purge: &Purge,
) -> Result<Purged, StoreError> {
    let mut step = on.begin().await?;
    let candidates = find(&mut step, purge).await?;
    let forgotten = match purge.scope {
        Scope::All => {
            let (before, max) = (purge.before, purge.max.get());
            request::forget_old(&mut step, before, max).await?
        }
        Scope::Division(_) => 0,
    };
    let removed = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let event = purge.evidence(removed);
    let is_new = if removed == 0 {
        !apply::is_on_record(&mut step, &event.id, None).await?
    } else {
        apply::write_event(&mut step, &event).await?
    };
    if !is_new || (removed == 0 && forgotten == 0) {
        step.rollback().await?;
        return Ok(if is_new { purge.removed(0) } else { Purged::BEFORE });
    }
    remove(&mut step, candidates).await?;
    step.commit().await?;
    let purged = purge.removed(removed);
    Ok(Purged { more: purged.more || forgotten == u64::from(purge.max.get()), ..purged })
}

/// Returns the invitations to remove, oldest first.
async fn find<DB: Dialect>(
    on: &mut Session<'_, DB>,
    purge: &Purge,
) -> Result<Vec<PurgeCandidate>, StoreError> {
    let mut s = Statement::new(format!(
        "SELECT i.id, i.division, i.uses, i.max_uses, i.revoked_at, i.created_at, i.request_id \
         FROM {} i WHERE ",
        on.names.invitations
    ));
    render::purgeable(&mut s, purge);
    s.sql(" ORDER BY i.created_at, i.id LIMIT ").int(i64::from(purge.max.get()));
    // The lock keeps other calls from changing an invitation before it is removed.
    s.sql(DB::FOR_UPDATE);
    s.all(on, row::purge_candidate).await
}

async fn remove<DB: Dialect>(
    on: &mut Session<'_, DB>,
    candidates: Vec<PurgeCandidate>,
) -> Result<(), StoreError> {
    let ids: Vec<_> = candidates.iter().map(|row| row.id).collect();
    let (mut keys, mut requests) = (Vec::with_capacity(candidates.len()), Vec::new());
    for PurgeCandidate { id, division, state, created_at, request } in candidates {
        keys.push(Key { division, state, created_at, id });
        requests.extend(request);
    }
    requests.sort_unstable();
    requests.dedup();
    state::remove(on, &keys).await?;
    let names = on.names;
    let tables = [
        (&names.invitations, "id"),
        (&names.redemptions, "invitation"),
        (&names.leases, "invitation"),
        (&names.search_terms, "invitation"),
    ];
    for (table, column) in tables {
        delete_in(on, table, column, &ids, |id| id.as_bytes()).await?;
    }
    delete_in(on, &names.requests, "id", &requests, Vec::as_slice).await?;
    Ok(())
}

/// Removes the rows with these keys in a column. Returns the number of rows removed.
pub(super) async fn delete_in<DB: Dialect, T: Sync>(
    on: &mut Session<'_, DB>,
    table: &str,
    column: &str,
    keys: &[T],
    bytes: impl Fn(&T) -> &[u8],
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for chunk in keys.chunks(DB::MAX_BINDS) {
        let sql = format!("DELETE FROM {table} WHERE {column} IN ");
        let mut s = Statement::new(sql);
        s.one_off();
        s.list(chunk, |s, key| {
            s.blob(bytes(key));
        });
        removed += s.run(on).await?;
    }
    Ok(removed)
}
