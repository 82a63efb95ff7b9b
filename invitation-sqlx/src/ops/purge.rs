//! Removal of invitations that ended long ago.

use invitation_core::{Purge, Purged, Scope, StoreError};

use super::{
    Begin, Step, apply, request,
    state::{self, Key},
};
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
    render,
    row::{self, PurgeCandidate},
    statement::Statement,
};

pub(crate) async fn purge<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    purge: &Purge,
) -> Result<Purged, StoreError> {
    let failed = |error| store_error::<DB>("purge", error);
    let mut step = Step::<DB>::begin(conn, begin).await.map_err(failed)?;
    let candidates = find::<DB>(step.conn(), names, purge).await?;
    let forgotten = match purge.scope {
        Scope::All => {
            let (before, max) = (purge.before, purge.max.get());
            request::forget_old::<DB>(step.conn(), names, before, max).await?
        }
        Scope::Division(_) => 0,
    };
    let removed = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let event = purge.evidence(removed);
    let is_new = if removed == 0 {
        !apply::is_on_record::<DB>(step.conn(), names, &event.id, None).await.map_err(failed)?
    } else {
        apply::write_event::<DB>(step.conn(), names, &event).await.map_err(failed)?
    };
    if !is_new || (removed == 0 && forgotten == 0) {
        step.rollback().await.map_err(failed)?;
        return Ok(if is_new { purge.removed(0) } else { Purged::BEFORE });
    }
    remove::<DB>(step.conn(), names, candidates).await.map_err(failed)?;
    step.commit().await.map_err(|error| commit_error::<DB>("purge", error))?;
    let purged = purge.removed(removed);
    Ok(Purged { more: purged.more || forgotten == u64::from(purge.max.get()), ..purged })
}

/// Returns the invitations to remove, oldest first.
async fn find<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    purge: &Purge,
) -> Result<Vec<PurgeCandidate>, StoreError> {
    let mut s = Statement::<DB>::new(format!(
        "SELECT i.id, i.division, i.uses, i.max_uses, i.revoked_at, i.created_at, i.request_id \
         FROM {} i WHERE ",
        names.invitations
    ));
    render::purgeable(&mut s, purge);
    s.sql(" ORDER BY i.created_at, i.id LIMIT ").int(i64::from(purge.max.get()));
    // The lock keeps other calls from changing an invitation before it is removed.
    s.sql(DB::FOR_UPDATE);
    let found = s.all(conn).await.map_err(|error| store_error::<DB>("purge", error))?;
    found.iter().map(row::purge_candidate::<DB>).collect()
}

async fn remove<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    candidates: Vec<PurgeCandidate>,
) -> sqlx::Result<()> {
    let ids: Vec<_> = candidates.iter().map(|row| row.id).collect();
    let (mut keys, mut requests) = (Vec::with_capacity(candidates.len()), Vec::new());
    for PurgeCandidate { id, division, state, created_at, request } in candidates {
        keys.push(Key { division, state, created_at, id });
        requests.extend(request);
    }
    requests.sort_unstable();
    requests.dedup();
    state::remove::<DB>(conn, names, &keys).await?;
    let tables = [
        (&names.invitations, "id"),
        (&names.redemptions, "invitation"),
        (&names.leases, "invitation"),
        (&names.search_terms, "invitation"),
    ];
    for (table, column) in tables {
        delete_in::<DB, _>(conn, table, column, &ids, |id| id.as_bytes()).await?;
    }
    delete_in::<DB, _>(conn, &names.requests, "id", &requests, Vec::as_slice).await?;
    Ok(())
}

/// Removes the rows with these keys in a column. Returns the number of rows removed.
pub(super) async fn delete_in<DB: Dialect, T: Sync>(
    conn: &mut DB::Connection,
    table: &str,
    column: &str,
    keys: &[T],
    bytes: impl Fn(&T) -> &[u8],
) -> sqlx::Result<u64> {
    let mut removed = 0;
    for chunk in keys.chunks(DB::MAX_BINDS) {
        let sql = format!("DELETE FROM {table} WHERE {column} IN ");
        let mut s = Statement::<DB>::new(sql);
        s.one_off();
        s.list(chunk, |s, key| {
            s.blob(bytes(key));
        });
        removed += s.run(conn).await?;
    }
    Ok(removed)
}
