//! Serves connections, within limits that `axum::serve` does not have: the time for the headers of a
//! request, and the number of connections. The library's routers see a request only once its headers
//! have arrived, so their limits begin later.
//!
//! A client that does not read its responses keeps its connection. On a network, a proxy in front
//! limits how long.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceExt;

/// The time in which the headers of a request must arrive. An idle connection is closed after it.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// The maximum number of connections. Further clients wait until one ends.
const MAX_CONNECTIONS: usize = 256;

/// The wait after a connection that could not be accepted, such as when no file can be opened.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready, and then until all requests in progress are answered.
pub(crate) async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let (permits, running) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), GracefulShutdown::new());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let Ok((stream, client)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let app = app.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(client));
            app.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .serve_connection(TokioIo::new(stream), service);
        let connection = running.watch(connection);
        tokio::spawn(async move {
            // An error is about the client of this connection alone.
            let _ = connection.await;
            drop(permit);
        });
    }
    // New clients are refused at once.
    drop(listener);
    running.shutdown().await;
}
