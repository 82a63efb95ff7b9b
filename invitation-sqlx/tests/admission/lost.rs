//! The connection of a registration breaks at each message in turn.

use std::time::Duration;

use invitation_core::{Error, Invitations, StoreErrorKind};
use invitation_sqlx::{
    SqlStore,
    sqlx::{Connection, Pool, pool::PoolOptions},
};
use invitation_testkit::Proxy;

use crate::{
    promises::{add, kept},
    support::{
        create,
        host::{Host, Kind},
        redeemer,
    },
};

/// Returns the service of the host through a proxy, with one connection.
async fn through<DB: Kind>(host: &Host<DB>, url: &str) -> (Invitations<SqlStore<DB>>, Proxy) {
    let slash = url.rfind('/').unwrap();
    let colon = url[..slash].rfind(':').unwrap();
    let proxy = Proxy::to(url[colon + 1..slash].parse().unwrap()).unwrap();
    let url = format!("{}:{}{}", &url[..colon], proxy.port(), &url[slash..]);
    let options: <DB::Connection as Connection>::Options = url.parse().unwrap();
    let pool: Pool<DB> = PoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .unwrap();
    (host.invitations.on(SqlStore::new(pool)), proxy)
}

async fn returned<DB: Kind>(pool: &Pool<DB>) {
    for _ in 0..10_000 {
        if pool.num_idle() == usize::try_from(pool.size()).unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the connection does not come back");
}

/// Whatever message is lost, both or neither are kept, an error that claims to know is right,
/// and the same registration afterwards succeeds.
pub(crate) async fn lost_message_leaves_both_or_neither<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (invitations, proxy) = through(&host, host.url()).await;
    let (mut made, mut unknown) = (0, 0);
    for loses_answer in [false, true] {
        for passing in 0.. {
            let (_, code) = create(&host.invitations).await;
            let name = format!("anna{made}");
            let anna = redeemer(&name);
            returned(invitations.store().pool()).await;
            if loses_answer {
                proxy.lose_answer_after(passing);
            } else {
                proxy.lose_request_after(passing);
            }
            // The host's own failure drops the guard.
            let answer = match invitations.admit(&code, &anna).await {
                Ok(mut admission) => match add::<DB>(admission.tx(), &name).await {
                    Ok(()) => admission.commit().await.map(|_| ()),
                    Err(_) => Err(Error::from(invitation_core::StoreError::new(
                        StoreErrorKind::Unavailable,
                        "host",
                    ))),
                },
                Err(error) => Err(error),
            };
            let passed = proxy.stop_faults();
            // This waits for the locks of the broken connection, so the server has finished
            // its work by then.
            let mut again = host.invitations.admit(&code, &anna).await.unwrap();
            let before = i64::from(made);
            let (accounts, uses, recorded) = kept(&host).await;
            assert!(
                accounts == i64::from(uses) && usize::try_from(uses).unwrap() == recorded,
                "message {passing}: {accounts} accounts, {uses} uses, {recorded} events"
            );
            match &answer {
                Ok(()) => assert_eq!(accounts, before + 1, "message {passing}"),
                Err(Error::Store(error)) if error.kind() == StoreErrorKind::OutcomeUnknown => {
                    unknown += 1;
                }
                Err(Error::Store(error)) => assert_eq!(accounts, before, "{passing}: {error}"),
                Err(error) => panic!("a broken connection is no refusal: {error}"),
            }
            assert_eq!(again.is_replayed(), accounts == before + 1, "message {passing}");
            if !again.is_replayed() {
                add::<DB>(again.tx(), &name).await.unwrap();
            }
            again.commit().await.unwrap();
            made += 1;
            if passed {
                break;
            }
            assert!(passing < 60, "a registration has fewer messages");
        }
    }
    assert!(unknown > 0, "a commit was lost");
}
