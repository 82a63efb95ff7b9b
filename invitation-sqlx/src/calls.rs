//! How a call of a store runs on a connection of the pool.
//!
//! These are macros, because the compiler cannot prove that the future of a function over an async
//! closure is `Send`.

/// Runs a query on a connection of the store.
macro_rules! query {
    ($store:expr, $operation:literal, $on:ident => $query:expr) => {{
        let mut conn = $store.connections.acquire_to_read($operation).await?;
        $crate::calls::within_limit!($store, conn, $operation, Unavailable, async {
            let answer = {
                let $on = &mut $store.session(&mut conn, $operation);
                $query.await
            };
            conn.finish(answer).await
        })
    }};
}

/// Runs a change on a connection of the store.
macro_rules! change {
    ($store:expr, $operation:literal, $id:expr, $on:ident => $change:expr) => {{
        let mut conn = $store.connections.acquire($operation).await?;
        $crate::calls::retried!($store, conn, $operation, $id, $on => $change)
    }};
}

/// Runs a change, and repeats it after conflicts with concurrent work.
macro_rules! retried {
    ($store:expr, $conn:ident, $operation:literal, $id:expr, $on:ident => $change:expr) => {{
        use invitation_core::admit::Attempts as _;
        let mut attempts = $crate::SqlAttempts::of($id);
        loop {
            // The writer's turn ends before the pause, so that other writers can work meanwhile.
            match $crate::calls::attempt!($store, $conn, $operation, $on => $change) {
                // A connection whose transaction may still be open is not used for another try.
                Err(error) if $conn.is_reusable() && attempts.again_after(&error).await => {}
                done => break done,
            }
        }
    }};
}

/// Runs a change once, when it is this writer's turn.
macro_rules! attempt {
    ($store:expr, $conn:ident, $operation:literal, $on:ident => $change:expr) => {{
        $crate::calls::within_limit!($store, $conn, $operation, OutcomeUnknown, async {
            let made = match $store.connections.turn(&mut *$conn, $operation).await {
                Ok(_turn) => {
                    let $on = &mut $store.session(&mut *$conn, $operation);
                    $change.await
                }
                Err(error) => Err(error),
            };
            $conn.finish(made).await
        })
    }};
}

/// Awaits work on a connection. If the database does not answer within the time limit of a call,
/// closes the connection, and returns an error of this kind.
macro_rules! within_limit {
    ($store:expr, $conn:ident, $operation:literal, $kind:ident, $work:expr) => {
        match sqlx_core::rt::timeout($store.call_timeout(), $work).await {
            Ok(answer) => answer,
            Err(_) => Err($conn.give_up(invitation_core::StoreErrorKind::$kind, $operation)),
        }
    };
}
pub(crate) use {attempt, change, query, retried, within_limit};
