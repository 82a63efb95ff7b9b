//! A response body that a separate task writes, within time limits that the client cannot extend.

use std::{future::Future, io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::Instrument;

/// The time limits of a client that reads a streamed body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    /// The limit for the whole body.
    pub(crate) total: Duration,
    /// The limit for each chunk.
    pub(crate) chunk: Duration,
}

/// The sender of the body's chunks.
#[derive(Debug)]
pub(crate) struct Chunks {
    sender: mpsc::Sender<Bytes>,
    patience: Duration,
}

impl Chunks {
    /// Sends a chunk as soon as the client has taken the previous one.
    ///
    /// # Errors
    ///
    /// If the client does not take the chunk in time, or has disconnected.
    pub(crate) async fn send(&self, chunk: Bytes) -> io::Result<()> {
        tokio::time::timeout(self.patience, self.sender.send(chunk))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Returns a body of the chunks that `write` sends. The permit is held until the last
/// chunk is sent, the time limit has passed or the client has disconnected.
///
/// A task writes the body, because the server stops polling a body when its client stops
/// reading: a deadline inside the body would never fire. A body that is cut short ends
/// with an error, so that the client does not take it for complete.
pub(crate) fn streamed<F>(
    pace: Pace,
    permit: OwnedSemaphorePermit,
    write: impl FnOnce(Chunks) -> F,
) -> Body
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let (sender, received) = mpsc::channel(1);
    let (completed, is_complete) = oneshot::channel();
    let client = sender.clone();
    let writing = write(Chunks { sender, patience: pace.chunk });
    let task = async move {
        let _permit = permit;
        let written = tokio::select! {
            written = tokio::time::timeout(pace.total, writing) => written,
            () = client.closed() => return,
        };
        match written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            // Fails if the client has disconnected meanwhile; the body is then dropped
            // and needs no result.
            Ok(()) => drop(completed.send(())),
            Err(error) => tracing::warn!(%error, "a streamed body breaks off"),
        }
    };
    tokio::spawn(task.in_current_span());
    Body::from_stream(stream::try_unfold(
        (received, is_complete),
        |(mut received, is_complete)| async move {
            match received.recv().await {
                Some(chunk) => Ok(Some((chunk, (received, is_complete)))),
                None => is_complete.await.map(|()| None).map_err(io::Error::other),
            }
        },
    ))
}
