//! A child process of the race: it runs as many members as it has connections.

use std::{io, sync::Arc};

use invitation_core::{Error, Invitations, Redeemer, Refusal, StoreError, StoreErrorKind};
use invitation_sqlx::{
    SqlStore,
    sqlx::{self, AssertSqlSafe, MySql, Postgres, Sqlite},
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    database::{self, CONNECTIONS, Host},
    setup::Setup,
    support::{host::try_to_add_user, redeemer},
};

/// The maximum number of tries of a host's transaction after conflicts. Of the transactions
/// that conflict on a code, one succeeds each time.
const TRIES: usize = 200;

/// The result of a member.
enum Fate {
    Redeemed,
    Used,
    Broken(String),
}

#[expect(clippy::future_not_send, reason = "the program's own main future")]
pub(crate) async fn run(url: &str, setup: Setup, number: &str) {
    if url.starts_with("postgres:") {
        obey::<Postgres>(url, setup, number).await;
    } else if url.starts_with("mysql:") {
        obey::<MySql>(url, setup, number).await;
    } else {
        obey::<Sqlite>(url, setup, number).await;
    }
}

/// Executes the director's orders, one per line: `get-ready`, a code and a round; then
/// `go`.
#[expect(clippy::future_not_send, reason = "the program's own main future")]
async fn obey<DB: Host>(url: &str, setup: Setup, number: &str) {
    let invitations = database::open::<DB>(url, setup).await;
    println!("ready");
    let mut waiting = None;
    for line in io::stdin().lines() {
        let line = line.unwrap();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["get-ready", code, round] => {
                let name = format!("{round}-{number}");
                waiting = Some(gather(&invitations, setup, code, &name).await);
                println!("waiting");
            }
            ["go"] => {
                let (barrier, members) = waiting.take().expect("they are ready");
                barrier.wait().await;
                tell(members.join_all().await);
            }
            _ => panic!("what is {line}?"),
        }
    }
}

/// Starts the members as tasks that wait at a barrier for the director's `go`.
async fn gather<DB: Host>(
    invitations: &Invitations<SqlStore<DB>>,
    setup: Setup,
    code: &str,
    name: &str,
) -> (Arc<Barrier>, JoinSet<Fate>) {
    let members = usize::try_from(CONNECTIONS).unwrap();
    let (barrier, here) =
        (Arc::new(Barrier::new(members + 1)), Arc::new(Barrier::new(members + 1)));
    let mut tasks = JoinSet::new();
    for member in 0..members {
        let (barrier, here) = (Arc::clone(&barrier), Arc::clone(&here));
        let (invitations, code) = (invitations.clone(), code.to_owned());
        let name = format!("{name}-{member}");
        tasks.spawn(async move {
            here.wait().await;
            barrier.wait().await;
            let newcomer = redeemer(&name);
            if setup.joined {
                join(&invitations, setup, &code, &newcomer).await
            } else {
                fate(invitations.redeem(&code, &newcomer).await.map(|_| ()))
            }
        });
    }
    here.wait().await;
    (barrier, tasks)
}

/// Registers a user: account and redemption in one transaction of the host, which is
/// repeated after a conflict.
async fn join<DB: Host>(
    invitations: &Invitations<SqlStore<DB>>,
    setup: Setup,
    code: &str,
    newcomer: &Redeemer,
) -> Fate {
    for _ in 0..TRIES {
        match try_to_join(invitations, setup, code, newcomer).await {
            Ok(fate) => return fate,
            Err(Error::Store(error)) if error.is_retryable() => {}
            Err(error) => return fate(Err(error)),
        }
    }
    Fate::Broken("conflicts without an end".to_owned())
}

async fn try_to_join<DB: Host>(
    invitations: &Invitations<SqlStore<DB>>,
    setup: Setup,
    code: &str,
    newcomer: &Redeemer,
) -> Result<Fate, Error> {
    // The host's own statements can conflict too.
    let failed = |error: sqlx::Error| {
        let kind = error.as_database_error().map_or(StoreErrorKind::Other, DB::classify);
        Error::Store(StoreError::new(kind, "the host").because(error))
    };
    let pool = invitations.store().pool();
    let mut tx =
        pool.begin_with(AssertSqlSafe(DB::beginning(setup.level))).await.map_err(failed)?;
    match invitations.on(invitations.store().join(&mut tx)).redeem(code, newcomer).await {
        Ok(_) => {
            try_to_add_user(&mut tx, newcomer.username().as_str()).await.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            Ok(Fate::Redeemed)
        }
        Err(Error::Refused(refused)) => {
            tx.rollback().await.map_err(failed)?;
            invitations.record(&refused).await?;
            Ok(fate(Err(Error::Refused(refused))))
        }
        // The transaction is rolled back, or has ended already.
        Err(error) => Err(error),
    }
}

fn fate(told: Result<(), Error>) -> Fate {
    match told {
        Ok(()) => Fate::Redeemed,
        Err(Error::Refused(refused)) if *refused.refusal() == Refusal::Used => Fate::Used,
        Err(other) => Fate::Broken(format!("{other:?}").replace('\n', " ")),
    }
}

/// Prints one line: the number of redeemed and of refused members, and all other results.
fn tell(fates: Vec<Fate>) {
    let (mut redeemed, mut used, mut broken) = (0, 0, String::new());
    for fate in fates {
        match fate {
            Fate::Redeemed => redeemed += 1,
            Fate::Used => used += 1,
            Fate::Broken(how) => broken.push_str(&how),
        }
    }
    println!("{redeemed} {used} {broken}");
}
