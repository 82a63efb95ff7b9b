//! Quotas. Each is counted while its own row is locked, in the transaction of the change that it
//! limits.

use invitation_core::{Quota, QuotaOf};

use crate::{dialect::Dialect, list::Index, names::Names, render, row, statement::Statement};

const KIND_INVITER: i64 = 0;
const KIND_DIVISION: i64 = 1;

/// Returns the first quota without room, and its count. Another transaction that counts one of
/// these quotas waits until this transaction has ended.
pub(super) async fn first_full<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    quotas: &[Quota],
) -> sqlx::Result<Option<(QuotaOf, u32)>> {
    for quota in quotas {
        lock::<DB>(conn, names, &quota.of).await?;
    }
    for quota in quotas {
        let pending = count::<DB>(conn, names, quota).await?;
        if !quota.has_room(pending) {
            return Ok(Some((quota.of.clone(), pending)));
        }
    }
    Ok(None)
}

async fn lock<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    of: &QuotaOf,
) -> sqlx::Result<()> {
    let (kind, name) = match of {
        QuotaOf::Inviter(user) => (KIND_INVITER, user.as_str()),
        QuotaOf::Division(division) => (KIND_DIVISION, division.as_str()),
    };
    let mut s = Statement::<DB>::new(format!("INSERT INTO {} (kind, name) VALUES (", names.quotas));
    s.int(kind).sql(", ").text(name);
    s.sql(")").sql(DB::lock_quota());
    s.run(conn).await?;
    Ok(())
}

/// Returns the quota's count, up to one more than its maximum.
async fn count<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    quota: &Quota,
) -> sqlx::Result<u32> {
    let mut s = Statement::<DB>::new("SELECT COUNT(*) FROM (SELECT 1 AS one FROM ");
    let index = match quota.of {
        QuotaOf::Inviter(_) => Index::StatesValidBy,
        QuotaOf::Division(_) => Index::StatesValid,
    };
    render::by_index(&mut s, names, index);
    s.sql(" WHERE ");
    render::pending(&mut s, quota);
    s.sql(" LIMIT ").int(i64::from(quota.max.get()) + 1).sql(DB::locking_read(conn)).sql(") AS n");
    let found = s.only(conn).await?;
    let counts = row::counts::<DB>(&found, 1).map_err(decode)?;
    let number = counts.into_iter().sum::<i64>();
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn decode(error: invitation_core::StoreError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
