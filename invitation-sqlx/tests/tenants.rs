//! Tenants on one pool: a call to one tenant's store never acts on another tenant's tables,
//! also when calls share a statement.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod support;

use std::num::{NonZeroU32, NonZeroUsize};

use invitation_core::{Draft, Error, Invitations, Redeemed, Refusal, Role};
use invitation_sqlx::{SqlStore, TablePrefix};
use support::{
    admin,
    host::{Kind, unsynced_pool},
    redeemer, redemptions_on_record, trail, uses,
};
use tokio::task::JoinSet;

/// The number of concurrent redemptions at each store.
const CALLERS: u32 = 40;

/// Returns each way to create another store on the same pool, from one that is in use.
fn stores<DB: Kind>(base: &SqlStore<DB>) -> Vec<(&'static str, SqlStore<DB>, SqlStore<DB>)> {
    let prefix = |name: &str| TablePrefix::new(name).unwrap();
    let one = NonZeroUsize::MIN;
    vec![
        (
            "with_prefix of a clone",
            base.clone().with_prefix(prefix("a1_")),
            base.clone().with_prefix(prefix("b1_")),
        ),
        ("with_prefix of one alone", base.clone(), base.clone().with_prefix(prefix("b2_"))),
        (
            "with_batch_slots before with_prefix",
            base.clone().with_batch_slots(one).with_prefix(prefix("a3_")),
            base.clone().with_batch_slots(one).with_prefix(prefix("b3_")),
        ),
        (
            "with_prefix before with_batch_slots",
            base.clone().with_prefix(prefix("a4_")).with_batch_slots(one),
            base.clone().with_prefix(prefix("b4_")).with_batch_slots(one),
        ),
        (
            "with_prefix of one with another prefix",
            base.clone().with_prefix(prefix("a5_")),
            base.clone().with_prefix(prefix("a5_")).with_prefix(prefix("b5_")),
        ),
    ]
}

async fn code_of_one_tenant_is_unknown_to_another<DB: Kind>() {
    let database = DB::empty();
    let base = SqlStore::<DB>::new(unsynced_pool(&database.url, 2).await);
    for (way, here, there) in stores(&base) {
        here.migrate().await.unwrap();
        there.migrate().await.unwrap();
        let (here, there) = (Invitations::new(here), Invitations::new(there));
        let before = trail(&here).await.len();
        assert_eq!(before, 0, "{way}");
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let many = draft.for_uses(NonZeroU32::new(CALLERS).unwrap());
        let code = here.create(&admin(), many).await.unwrap().code().reveal().to_string();

        let mut calls = JoinSet::new();
        for n in 0..CALLERS {
            for (is_here, invitations) in [(true, here.clone()), (false, there.clone())] {
                let code = code.clone();
                calls.spawn(async move {
                    (is_here, invitations.redeem(&code, &redeemer(&format!("p{n}"))).await)
                });
            }
        }
        while let Some(told) = calls.join_next().await {
            let (is_here, told): (bool, Result<Redeemed, Error>) = told.unwrap();
            match told {
                Ok(redeemed) => assert!(is_here && !redeemed.is_replayed(), "{way}"),
                Err(error) => {
                    assert!(!is_here, "{way}: {error:?}");
                    assert_eq!(error.refusal(), Some(&Refusal::CodeUnknown), "{way}");
                }
            }
        }
        assert_eq!((uses(&here).await, uses(&there).await), (CALLERS, 0), "{way}");
        assert_eq!(redemptions_on_record(&here).await, CALLERS as usize, "{way}");
        assert_eq!(redemptions_on_record(&there).await, 0, "{way}");
    }
}

macro_rules! on {
    ($($name:ident $feature:literal $database:ty),*) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            code_of_one_tenant_is_unknown_to_another::<$database>().await;
        }
    )*};
}

on!(
    a_code_of_one_tenant_is_unknown_to_another_on_sqlite "sqlite" invitation_sqlx::sqlx::Sqlite,
    a_code_of_one_tenant_is_unknown_to_another_on_postgres "postgres" invitation_sqlx::sqlx::Postgres,
    a_code_of_one_tenant_is_unknown_to_another_on_mysql "mysql" invitation_sqlx::sqlx::MySql
);
