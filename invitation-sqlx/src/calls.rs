//! How a call of a store runs on a connection of the pool.
//!
//! These are macros, because the compiler cannot prove that the future of a function over an async
//! closure is `Send`.

/// Runs a query on a connection of the store.
macro_rules! query {
    ($store:expr, $operation:literal, $on:ident => $query:expr) => {{
        let mut conn = $store.connections.acquire_to_read($operation).await?;
        let answer = {
            let $on = &mut $store.session(&mut conn, $operation);
            $query.await
        };
        conn.finish(answer).await
    }};
}

/// Runs a change on a connection of the store.
macro_rules! change {
    ($store:expr, $operation:literal, $id:expr, $on:ident => $change:expr) => {{
        let mut conn = $store.connections.acquire($operation).await?;
        $crate::calls::retried!($store, conn, $operation, $id, $on => $change)
    }};
}

/// Runs a change when it is this writer's turn, and repeats it after conflicts with concurrent
/// work.
macro_rules! retried {
    ($store:expr, $conn:ident, $operation:literal, $id:expr, $on:ident => $change:expr) => {{
        use invitation_core::admit::Attempts as _;
        let mut attempts = $crate::SqlAttempts::of($id);
        loop {
            let made = match $store.connections.turn(&mut *$conn, $operation).await {
                Ok(_turn) => {
                    let $on = &mut $store.session(&mut *$conn, $operation);
                    $change.await
                }
                Err(error) => Err(error),
            };
            // The writer's turn ends before the pause, so that other writers can work meanwhile.
            match $conn.finish(made).await {
                // A connection whose transaction may still be open is not used for another try.
                Err(error) if $conn.is_reusable() && attempts.again_after(&error).await => {}
                done => break done,
            }
        }
    }};
}
pub(crate) use {change, query, retried};
