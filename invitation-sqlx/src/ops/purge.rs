//! Removing what has long been over.

use invitation_core::{InvitationId, Purge, Purged, StoreError};

use super::{Begin, Step, apply};
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
    render, row,
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
    let (ids, requests) = find::<DB>(step.conn(), names, purge).await?;
    let removed = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let event = purge.evidence(removed);
    let is_new = if removed == 0 {
        !apply::is_on_record::<DB>(step.conn(), names, &event.id, None).await.map_err(failed)?
    } else {
        apply::write_event::<DB>(step.conn(), names, &event).await.map_err(failed)?
    };
    if !is_new || removed == 0 {
        step.rollback().await.map_err(failed)?;
        return Ok(if is_new { purge.removed(0) } else { Purged::BEFORE });
    }
    remove::<DB>(step.conn(), names, &ids, &requests).await.map_err(failed)?;
    step.commit().await.map_err(|error| commit_error::<DB>("purge", error))?;
    Ok(purge.removed(removed))
}

/// The invitations to remove, oldest first, and the requests they came by.
async fn find<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    purge: &Purge,
) -> Result<(Vec<InvitationId>, Vec<Vec<u8>>), StoreError> {
    let mut s = Statement::<DB>::new(format!(
        "SELECT i.id, i.request_id FROM {} i WHERE ",
        names.invitations
    ));
    render::purgeable(&mut s, purge);
    s.sql(" ORDER BY i.created_at, i.id LIMIT ").int(i64::from(purge.max.get()));
    // Else another call may change one of them before it is removed.
    s.sql(DB::FOR_UPDATE);
    let found = s.all(conn).await.map_err(|error| store_error::<DB>("purge", error))?;
    let (mut ids, mut requests) = (Vec::with_capacity(found.len()), Vec::new());
    for row in &found {
        let (id, request) = row::requested::<DB>(row)?;
        ids.push(id);
        requests.extend(request);
    }
    requests.sort_unstable();
    requests.dedup();
    Ok((ids, requests))
}

async fn remove<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    ids: &[InvitationId],
    requests: &[Vec<u8>],
) -> sqlx::Result<()> {
    let tables = [
        (&names.invitations, "id"),
        (&names.redemptions, "invitation"),
        (&names.leases, "invitation"),
        (&names.words, "invitation"),
    ];
    for (table, column) in tables {
        delete::<DB, _>(conn, table, column, ids, |id| id.as_bytes()).await?;
    }
    delete::<DB, _>(conn, &names.requests, "id", requests, Vec::as_slice).await
}

async fn delete<DB: Dialect, T: Sync>(
    conn: &mut DB::Connection,
    table: &str,
    column: &str,
    keys: &[T],
    bytes: impl Fn(&T) -> &[u8],
) -> sqlx::Result<()> {
    for chunk in keys.chunks(DB::MAX_BINDS) {
        let sql = format!("DELETE FROM {table} WHERE {column} IN ");
        let mut s = Statement::<DB>::new(sql).once();
        s.list(chunk, |s, key| {
            s.blob(bytes(key));
        });
        s.run(conn).await?;
    }
    Ok(())
}
