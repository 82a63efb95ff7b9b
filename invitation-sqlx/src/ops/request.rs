//! Requests under an idempotency key. The primary key of their table decides which of two
//! requests is first.

use invitation_core::{
    IdempotentRequest, PriorRequest, RequestResults, StoreError, StoreErrorKind, Timestamp, UserId,
};

use super::{Session, purge::delete_in};
use crate::{
    dialect::Dialect,
    row::{self, PriorRequestRow},
    statement::Statement,
    values::Value,
};

/// Stores the key of a request. Returns the result of an earlier request under this key, if there
/// is one.
///
/// The earlier request is read before an expired one is removed. Concurrent callers of one key
/// that all removed first would deadlock on MySQL, because each holds a shared lock on the row.
pub(super) async fn write<DB: Dialect>(
    on: &mut Session<'_, DB>,
    request: &IdempotentRequest,
    forgotten_at: Option<Timestamp>,
) -> Result<Option<PriorRequest>, StoreError> {
    if try_write(on, request, forgotten_at).await? {
        return Ok(None);
    }
    if let Some(known) = prior(on, request).await? {
        return Ok(Some(known));
    }
    forget(on, request).await?;
    if try_write(on, request, forgotten_at).await? {
        return Ok(None);
    }
    // A concurrent request has just taken the key. A retry returns that request's result.
    Err(StoreError::new(StoreErrorKind::Conflict, "insert"))
}

async fn try_write<DB: Dialect>(
    on: &mut Session<'_, DB>,
    request: &IdempotentRequest,
    forgotten_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let mut s = Statement::new(format!(
        "INSERT INTO {} (owner, request_key, id, fingerprint, results, forgotten_at) VALUES (",
        on.names.requests
    ));
    s.text(owner(request)).sql(", ").text(request.key.key.as_str());
    s.sql(", ").blob(request.id.as_bytes()).sql(", ").blob(request.fingerprint.as_bytes());
    let results = request.results.as_ref().map(RequestResults::as_bytes);
    s.sql(", ").value(Value::blob(results));
    s.sql(", ").int(forgotten_at.map(Timestamp::as_micros)).sql(")");
    s.run_unless_taken(on, "owner, request_key").await
}

/// Removes an earlier request that has expired by now.
async fn forget<DB: Dialect>(
    on: &mut Session<'_, DB>,
    request: &IdempotentRequest,
) -> Result<(), StoreError> {
    let mut s = Statement::new(format!("DELETE FROM {} WHERE ", on.names.requests));
    by_key(&mut s, request);
    s.sql(" AND forgotten_at <= ").int(request.at.as_micros());
    s.run(on).await.map(|_| ())
}

/// Returns the result of an earlier request under the key, if there is one.
pub(super) async fn prior<DB: Dialect>(
    on: &mut Session<'_, DB>,
    request: &IdempotentRequest,
) -> Result<Option<PriorRequest>, StoreError> {
    let locking_read = on.locking_read();
    // One statement sees a concurrent purge as a whole or not at all. Only the first invitation
    // carries the results, because they are large.
    let mut s = Statement::new(format!(
        "SELECT {}, r.fingerprint, CASE WHEN i.id IS NULL OR i.id = (SELECT x.id \
         FROM {codes} x WHERE x.request_id = r.request ORDER BY x.id LIMIT 1) THEN r.results END \
         FROM (SELECT id AS request, fingerprint, results FROM {} WHERE ",
        row::INVITATION,
        on.names.requests,
        codes = on.names.invitations,
    ));
    by_key(&mut s, request);
    s.sql(" AND (forgotten_at IS NULL OR forgotten_at > ").int(request.at.as_micros());
    s.sql(")").sql(locking_read);
    s.sql(format_args!(
        ") r LEFT JOIN {} i ON i.request_id = r.request ORDER BY i.id",
        on.names.invitations
    ));
    s.sql(locking_read);
    let found = s.all(on, row::prior_request).await?;
    let (number, mut known) = (found.len(), None::<PriorRequest>);
    for PriorRequestRow { invitation, fingerprint, results } in found {
        let empty =
            || PriorRequest { fingerprint, invitations: Vec::with_capacity(number), results: None };
        let known = known.get_or_insert_with(empty);
        known.invitations.extend(invitation);
        known.results = known.results.take().or(results);
    }
    Ok(known)
}

/// Removes up to `max` keys that expired before an instant. Returns the number removed.
pub(super) async fn forget_old<DB: Dialect>(
    on: &mut Session<'_, DB>,
    before: Timestamp,
    max: u32,
) -> Result<u64, StoreError> {
    let mut s =
        Statement::new(format!("SELECT id FROM {} WHERE forgotten_at < ", on.names.requests));
    s.int(before.as_micros()).sql(" ORDER BY forgotten_at LIMIT ").int(i64::from(max));
    let ids = s.all(on, |c| c.in_table("requests").blob("id")).await?;
    let table = &on.names.requests;
    delete_in(on, table, "id", &ids, Vec::as_slice).await
}

/// Returns the value of the column of the owner. The empty text stands for the system, because no
/// user has an empty id.
fn owner(request: &IdempotentRequest) -> &str {
    request.key.owner.as_ref().map_or("", UserId::as_str)
}

fn by_key<DB: Dialect>(s: &mut Statement<DB>, request: &IdempotentRequest) {
    s.sql("owner = ").text(owner(request)).sql(" AND request_key = ");
    s.text(request.key.key.as_str());
}
