//! Redemptions of concurrent callers in one transaction, which share its wait for the disk.
//!
//! The transaction holds the database's only write lock. So it reads the facts of all callers,
//! lets the core judge and change them one after the other, and writes the results with one
//! statement for each table.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
};

use invitation_core::{Facts, InvitationId, Record, Redemption, State, StoreError, Transition};
use sqlx::Sqlite;

use crate::{
    dialect::Redeem,
    effects::{self, LATEST_USE, LEDGER, LedgerRow, Use},
    names::Names,
    ops::{self, Session},
    render,
    row::{self, ColumnReader},
    statement::Statement,
    values::Value,
};

impl Redeem for Sqlite {
    fn batch_slots(_: NonZeroUsize) -> NonZeroUsize {
        // A second batch would only wait for the turn of the first one.
        NonZeroUsize::MIN
    }

    /// Redeems for the callers in their order. A caller with `None` redeems by itself, because its
    /// guard refuses, its code has a lease or is bound to a domain, or no invitation has its code.
    async fn redeem_batch(
        on: &mut Session<'_, Self>,
        transitions: &[&Transition],
    ) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut step = on.begin().await?;
        match attempt(&mut step, transitions).await {
            Ok(facts) => {
                step.commit().await?;
                Ok(facts)
            }
            Err(error) => match step.rollback().await {
                // One caller's redemption may have failed all of them, so each redeems by itself.
                Ok(()) => Ok(transitions.iter().map(|_| None).collect()),
                // SQLite has ended the transaction.
                Err(_) => Err(error),
            },
        }
    }
}

async fn attempt(
    on: &mut Session<'_, Sqlite>,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts = read(on, transitions).await?;
    let changed = judge(transitions, &mut facts);
    let made = transitions.iter().zip(&facts);
    let made: Vec<_> = made.filter_map(|(one, facts)| Some((*one, facts.as_ref()?))).collect();
    write(on, &made, &changed).await?;
    Ok(facts)
}

/// Reads the facts of each caller whose code belongs to an invitation without leases and without
/// a domain.
async fn read(
    on: &mut Session<'_, Sqlite>,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let found = facts_query(on.names, transitions).all(on, facts_of_caller).await?;
    let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
    for (invitation, entered, caller) in found {
        let caller = usize::try_from(caller).ok();
        let caller = caller.and_then(|n| Some((transitions.get(n)?, facts.get_mut(n)?)));
        if let Some((transition, slot)) = caller
            && transition.scope().contains(&invitation.division)
        {
            let last = invitation.last_use.clone();
            let mine = last.filter(|last| transition.redeemer() == Some(&last.user)).or(entered);
            *slot = Some(Facts { mine, ..Facts::of(invitation) });
        }
    }
    Ok(facts)
}

/// Reads an invitation without leases, a redemption from the ledger if there is one, and the
/// index of the caller that redeems.
fn facts_of_caller(
    c: &mut ColumnReader<'_, Sqlite>,
) -> Result<(Record, Option<Redemption>, i64), StoreError> {
    let invitation = row::invitation(c)?;
    let entered = c.opt_part("redemptions", &effects::REDEMPTION, row::redemption)?;
    Ok((invitation, entered, c.int("caller")?))
}

fn facts_query(names: &Names, transitions: &[&Transition]) -> Statement<Sqlite> {
    let plain = transitions.iter().map(|one| one.as_plain_redemption());
    let digests = (0_i64..).zip(plain).flat_map(|(caller, plain)| {
        let codes =
            plain.into_iter().flat_map(|plain| plain.code.iter().map(move |one| (plain, one)));
        codes.map(move |(plain, digest)| (caller, plain.user, digest))
    });
    let mut s = Statement::new("WITH p (caller, user_id, digest) AS (");
    s.one_off();
    rows(&mut s, digests, |(caller, user, digest)| {
        let digest = Value::blob(digest.as_bytes().as_slice());
        vec![Value::int(caller), Value::text(user.as_str()), digest]
    });
    // The redemption of a single-use code is in its row. CROSS makes SQLite read `p` first.
    s.sql(format_args!(
        ") SELECT {}, {}, p.caller FROM p CROSS JOIN {} i ON i.digest = p.digest AND i.held = 0 \
         AND i.email_domain IS NULL LEFT JOIN {} r ON i.max_uses > 1 \
         AND r.invitation = i.id AND r.user_id = p.user_id",
        row::qualified(&row::INVITATION, "i"),
        row::qualified(&effects::REDEMPTION, "r"),
        names.invitations,
        names.redemptions,
    ));
    s
}

/// Changes the facts of each caller whose guard holds, and removes those of the other callers.
/// Returns the invitations after all changes.
fn judge(transitions: &[&Transition], facts: &mut [Option<Facts>]) -> Vec<Record> {
    let mut changed: HashMap<InvitationId, Record> = HashMap::new();
    let mut callers = HashSet::new();
    for (transition, slot) in transitions.iter().zip(facts) {
        let Some(mut own) = slot.take() else { continue };
        let id = own.invitation.id;
        // Another call of the same user is left to the general path, which sees this one.
        if !callers.insert((id, transition.redeemer())) {
            continue;
        }
        if let Some(current) = changed.get(&id) {
            own.invitation = current.clone();
        }
        if transition.guard().first_refusal(&own).is_none() {
            transition.change().apply_to(&mut own);
            changed.insert(id, own.invitation.clone());
            *slot = Some(own);
        }
    }
    changed.into_values().collect()
}

/// Writes what the redemptions change in each table: `made` has each redemption with the facts
/// after it, and `changed` the invitations after all of them.
async fn write(
    on: &mut Session<'_, Sqlite>,
    made: &[(&Transition, &Facts)],
    changed: &[Record],
) -> Result<(), StoreError> {
    if made.is_empty() {
        return Ok(());
    }
    let names = on.names;
    redeem_rows(names, changed).run(on).await?;
    let events = made.iter().map(|(one, facts)| one.evidence(&facts.invitation, None));
    let events: Vec<_> = events.collect();
    ops::write_rows(on, &names.events, row::EVENT, &events, "").await?;
    let entries = made.iter().filter(|(_, facts)| facts.invitation.max_uses.get() > 1);
    let entries: Vec<_> = entries
        .filter_map(|(_, facts)| {
            let redemption = facts.mine.as_ref()?;
            Some(LedgerRow { invitation: facts.invitation.id, redemption })
        })
        .collect();
    ops::write_rows(on, &names.redemptions, &LEDGER, &entries, "").await?;
    let used_up: Vec<_> = changed.iter().filter(|one| one.state() == State::UsedUp).collect();
    if !used_up.is_empty() {
        use_up(names, &used_up).run(on).await?;
    }
    // The facts after each redemption have its redeemer as the latest.
    let after = made.iter().map(|(_, facts)| &facts.invitation);
    let terms: Vec<_> = after.flat_map(ops::search_terms::of_latest_name).collect();
    ops::search_terms::write(on, &terms).await
}

/// Returns the update of the invitations' own rows.
fn redeem_rows(names: &Names, changed: &[Record]) -> Statement<Sqlite> {
    let assigned = format!("uses, {LATEST_USE}");
    let mut s = Statement::new(format!("WITH p (id, {assigned}) AS ("));
    s.one_off();
    rows(&mut s, changed, |invitation| {
        let last = invitation.last_use.as_ref().map(Use::made);
        let key = Value::blob(invitation.id.as_bytes().as_slice());
        let mut values = vec![key, Value::int(i64::from(invitation.uses))];
        values.extend(effects::values(last.as_ref()));
        values
    });
    let values = row::qualified(&assigned, "p");
    s.sql(format_args!(
        ") UPDATE {} AS i SET ({assigned}) = ({values}) FROM p WHERE i.id = p.id",
        names.invitations
    ));
    s
}

/// Returns the update of the states of invitations that are used up now.
fn use_up(names: &Names, used_up: &[&Record]) -> Statement<Sqlite> {
    let mut s = Statement::new("WITH p (division, state, created_at, id) AS (");
    s.one_off();
    rows(&mut s, used_up, |invitation| {
        vec![
            Value::text(invitation.division.as_str()),
            Value::int(render::state(State::Open)),
            Value::int(invitation.created_at.as_micros()),
            Value::blob(invitation.id.as_bytes().as_slice()),
        ]
    });
    // Each part of the key is a column of `p`. With a constant state, SQLite may read the states
    // of all open invitations and look for each of them in `p`.
    s.sql(format_args!(
        ") UPDATE {} AS x SET state = {} FROM p WHERE x.division = p.division \
         AND x.state = p.state AND x.created_at = p.created_at AND x.id = p.id",
        names.states,
        render::state(State::UsedUp),
    ));
    s
}

/// Writes a list of rows.
fn rows<'v, T>(
    s: &mut Statement<Sqlite>,
    items: impl IntoIterator<Item = T>,
    values: impl Fn(T) -> Vec<Value<'v>>,
) {
    for (n, item) in items.into_iter().enumerate() {
        s.sql(if n == 0 { "VALUES (" } else { ", (" }).values(values(item)).sql(")");
    }
}

#[cfg(test)]
mod tests {
    use invitation_core::{Division, Draft, Invitations, Role, Scope, Store, SystemActor, Target};
    use sqlx::Row;

    use super::*;
    use crate::SqliteStore;

    /// The number of redemptions in the largest batch.
    const BATCH: usize = 128;

    /// The steps of plans that read the rows of the statement only, or find rows by a key.
    const KEYS: [&str; 5] = [
        "p",
        "CONSTANT ROW",
        "CONSTANT ROWS",
        "(id=?)",
        "(division=? AND state=? AND created_at=? AND id=?)",
    ];

    #[tokio::test]
    async fn statements_of_a_batch_find_rows_by_their_keys() {
        let store = SqliteStore::in_memory().await.unwrap();
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.in_division(Division::new("sales").unwrap());
        let invitations = Invitations::new(store.clone());
        let drafts = vec![draft; BATCH];
        let made = invitations.create_many(&SystemActor::for_bootstrap(), drafts).await.unwrap();
        let mut changed = Vec::new();
        for one in made {
            let target = Target::Id(one.invitation().id());
            changed.push(store.get(&target, &Scope::All).await.unwrap().unwrap());
        }
        let used_up: Vec<_> = changed.iter().collect();
        // SQLite's plan depends on the number of keys, and on statistics if there are any. These
        // say how small the tables are, so that reading all of a table is as good for many keys.
        for (analyze, numbers) in [("", &[1, 2, 15, 16, 100, BATCH][..]), ("ANALYZE", &[1, 16])] {
            sqlx::raw_sql(analyze).execute(store.pool()).await.unwrap();
            for &keys in numbers {
                let rows = redeem_rows(store.names(), &changed[..keys]);
                for s in [rows, use_up(store.names(), &used_up[..keys])] {
                    assert_finds_by_key(&store, s.sink.sql().as_str()).await;
                }
            }
        }
    }

    async fn assert_finds_by_key(store: &SqliteStore, sql: &str) {
        let plan = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        let plan = plan.fetch_all(store.pool()).await.unwrap();
        assert!(!plan.is_empty());
        for step in plan.iter().map(|row| row.get::<String, _>(3)) {
            assert!(KEYS.iter().any(|key| step.ends_with(key)), "{step} in {sql}");
        }
    }
}
