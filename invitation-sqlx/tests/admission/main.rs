//! Tests of the guard that owns the transaction of a registration.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(feature = "postgres")]
mod deadlock;
#[cfg(feature = "mysql")]
mod failed_commit;
mod hooks;
mod intercepted;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod lost;
mod promises;
mod standing;

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "sqlite")]
mod sqlite {
    crate::promises::promises!(invitation_sqlx::sqlx::Sqlite);
    crate::standing::promises!(invitation_sqlx::sqlx::Sqlite);
    crate::hooks::promises!(invitation_sqlx::sqlx::Sqlite);
    crate::intercepted::promises!(invitation_sqlx::sqlx::Sqlite);
}

#[cfg(feature = "postgres")]
mod postgres {
    crate::promises::promises!(invitation_sqlx::sqlx::Postgres);
    crate::standing::promises!(invitation_sqlx::sqlx::Postgres);
    crate::hooks::promises!(invitation_sqlx::sqlx::Postgres);
    crate::intercepted::promises!(invitation_sqlx::sqlx::Postgres);
    crate::support::host::tests!(
        invitation_sqlx::sqlx::Postgres, lost: lost_message_leaves_both_or_neither
    );

    /// PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK, and no error.
    #[tokio::test(flavor = "multi_thread")]
    async fn commit_after_an_ignored_failure_is_an_error() {
        let host = crate::promises::after_an_ignored_failure::<invitation_sqlx::sqlx::Postgres>();
        let (committed, accounts, uses) = host.await;
        assert_eq!((committed, accounts, uses), (false, 0, 0));
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    crate::promises::promises!(invitation_sqlx::sqlx::MySql);
    crate::standing::promises!(invitation_sqlx::sqlx::MySql);
    crate::hooks::promises!(invitation_sqlx::sqlx::MySql);
    crate::intercepted::promises!(invitation_sqlx::sqlx::MySql);
    crate::support::host::tests!(
        invitation_sqlx::sqlx::MySql, lost: lost_message_leaves_both_or_neither
    );
}
