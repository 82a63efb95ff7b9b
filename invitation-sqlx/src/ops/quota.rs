//! Quotas. Each is counted while its own row is locked, in the transaction of the change that it
//! limits.

use invitation_core::{Quota, QuotaOf, StoreError};

use super::Session;
use crate::{dialect::Dialect, list::Index, render, statement::Statement};

const KIND_INVITER: i64 = 0;
const KIND_DIVISION: i64 = 1;

/// Returns the first quota without room, and its count. Another transaction that counts one of
/// these quotas waits until this transaction has ended.
pub(super) async fn first_full<DB: Dialect>(
    on: &mut Session<'_, DB>,
    quotas: &[Quota],
) -> Result<Option<(QuotaOf, u32)>, StoreError> {
    for quota in quotas {
        lock(on, &quota.of).await?;
    }
    for quota in quotas {
        let pending = count(on, quota).await?;
        if !quota.has_room(pending) {
            return Ok(Some((quota.of.clone(), pending)));
        }
    }
    Ok(None)
}

async fn lock<DB: Dialect>(on: &mut Session<'_, DB>, of: &QuotaOf) -> Result<(), StoreError> {
    let (kind, name) = match of {
        QuotaOf::Inviter(user) => (KIND_INVITER, user.as_str()),
        QuotaOf::Division(division) => (KIND_DIVISION, division.as_str()),
    };
    let mut s = Statement::new(format!("INSERT INTO {} (kind, name) VALUES (", on.names.quotas));
    s.int(kind).sql(", ").text(name);
    s.sql(")").sql(DB::lock_quota());
    s.run(on).await?;
    Ok(())
}

/// Returns the quota's count, up to one more than its maximum.
async fn count<DB: Dialect>(on: &mut Session<'_, DB>, quota: &Quota) -> Result<u32, StoreError> {
    let mut s = Statement::new("SELECT COUNT(*) FROM (SELECT 1 AS one FROM ");
    let index = match quota.of {
        QuotaOf::Inviter(_) => Index::StatesValidBy,
        QuotaOf::Division(_) => Index::StatesValid,
    };
    render::by_index(&mut s, on.names, index);
    s.sql(" WHERE ");
    render::pending(&mut s, quota);
    s.sql(" LIMIT ").int(i64::from(quota.max.get()) + 1).sql(on.locking_read()).sql(") AS n");
    let number = s.only(on, |c| c.int("count")).await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}
