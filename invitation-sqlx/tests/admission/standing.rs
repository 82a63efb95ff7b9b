//! Tests of the host's hook about grantors, beside a transaction, on every database.

use std::{
    error::Error as StdError,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use invitation_core::{
    Amendment, Error, Expiry, IfVersion, InvitationId, Invitations, Reason, Redeemed, Refusal,
    admit::Register,
    standing::{Grant, Standing},
};
use invitation_sqlx::{SqlStore, sqlx::Pool};

use crate::{
    promises::add,
    support::{
        admin, create,
        host::{Host, Kind, add_user, number, run, unsynced_pool},
        redeemer, trail, uses,
    },
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, standing:
            admit_asks_about_the_grantor_before_its_transaction
            terms_that_changed_after_the_answer_are_a_conflict
            redeem_in_a_host_transaction_asks_about_the_grantor
        );
    };
}

pub(crate) use promises;

/// A hook that counts the users of the host: it vouches while there is one.
struct Users<DB: Kind> {
    pool: Pool<DB>,
    asked: Arc<AtomicU32>,
    /// A service and an invitation, which an administrator extends during the first question.
    extends: Option<(Invitations<SqlStore<DB>>, InvitationId)>,
}

impl<DB: Kind> Users<DB> {
    fn new(pool: &Pool<DB>) -> Self {
        Self { pool: pool.clone(), asked: Arc::default(), extends: None }
    }
}

impl<DB: Kind> fmt::Debug for Users<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

#[async_trait]
impl<DB: Kind> Standing for Users<DB> {
    async fn may_still_grant(
        &self,
        _: &Grant<'_>,
    ) -> Result<bool, Box<dyn StdError + Send + Sync>> {
        let is_first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        if let Some((invitations, id)) = self.extends.as_ref().filter(|_| is_first) {
            let later = Amendment::new().expiring(Expiry::InDays(9));
            invitations.amend(&admin(), *id, later, IfVersion::Any).await?;
        }
        Ok(number(&self.pool, "SELECT COUNT(*) FROM users").await > 0)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The pool has one connection, which the transaction would keep from the hook.
pub(crate) async fn admit_asks_about_the_grantor_before_its_transaction<DB: Kind>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    run(&pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
    let invitations = Invitations::new(store).with_standing(Users::new(&pool));
    let (_, code) = create(&invitations).await;

    let before = trail(&invitations).await.len();
    let refused = invitations.admit(&code, &redeemer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::GrantWithdrawn));
    let events = trail(&invitations).await;
    assert_eq!(events.len(), before + 1, "the refusal is recorded");
    assert_eq!(events.last().unwrap().reason, Some(Reason::GrantorStanding));
    assert_eq!(uses(&invitations).await, 0);

    run(&pool, "INSERT INTO users (name) VALUES ('mia')").await;
    let mut admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap();
    admission.commit().await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
    let again = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    assert!(again.is_replayed());
}

/// A host that needs no account but the name.
struct Names;

#[async_trait]
impl<C: Send> Register<C> for Names {
    type Account = String;
    type Error = Error;

    async fn register(&self, _: &mut C, redeemed: &Redeemed) -> Result<String, Error> {
        Ok(redeemed.username().to_string())
    }

    fn is_conflict(&self, _: &Error) -> bool {
        false
    }
}

pub(crate) async fn terms_that_changed_after_the_answer_are_a_conflict<DB: Kind>() {
    let host = Host::<DB>::new().await;
    run(host.pool(), "INSERT INTO users (name) VALUES ('mia')").await;
    let judged = |id| {
        let extends = Some((host.invitations.clone(), id));
        let users = Users { extends, ..Users::new(host.pool()) };
        let asked = Arc::clone(&users.asked);
        (host.invitations.clone().with_standing(users), asked)
    };

    let (invitation, code) = create(&host.invitations).await;
    let (invitations, asked) = judged(invitation.id());
    let conflict = invitations.admit(&code, &redeemer("anna")).await.unwrap_err();
    let Error::Store(conflict) = conflict else { panic!("{conflict}") };
    assert!(conflict.is_retryable(), "{conflict}");
    assert_eq!((asked.load(Ordering::SeqCst), uses(&host.invitations).await), (1, 0));

    let (invitation, code) = create(&host.invitations).await;
    let (invitations, asked) = judged(invitation.id());
    let name = invitations.admit_with(&code, &redeemer("anna"), &Names).await.unwrap();
    assert_eq!((&*name, asked.load(Ordering::SeqCst)), ("anna", 2), "asked about each grantor");
    assert_eq!(uses(&host.invitations).await, 1);
}

pub(crate) async fn redeem_in_a_host_transaction_asks_about_the_grantor<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let invitations = host.invitations.clone().with_standing(Users::new(host.pool()));
    let mut tx = host.begin().await;
    let joined = invitations.on(host.invitations.store().join(&mut tx));
    let refused = joined.redeem(&code, &redeemer("anna")).await.unwrap_err();
    drop(joined);
    let Error::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.refusal(), &Refusal::GrantWithdrawn);
    assert_eq!(refused.unrecorded()[0].reason, Some(Reason::GrantorStanding));
    add_user(&mut tx, "mia").await;
    tx.commit().await.unwrap();

    let mut tx = host.begin().await;
    let joined = invitations.on(host.invitations.store().join(&mut tx));
    joined.redeem(&code, &redeemer("anna")).await.unwrap();
    drop(joined);
    tx.commit().await.unwrap();
    assert_eq!(uses(&host.invitations).await, 1);
}
