//! A response body that a task of its own writes, within bounds that the client cannot lift.

use std::{future::Future, io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::Instrument;

/// How long a client may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    /// For the whole body.
    pub(crate) total: Duration,
    /// For each chunk.
    pub(crate) chunk: Duration,
}

/// Where the task puts the chunks of the body.
#[derive(Debug)]
pub(crate) struct Chunks {
    sender: mpsc::Sender<Bytes>,
    patience: Duration,
}

impl Chunks {
    /// Hands on a chunk as soon as the client has taken the one before.
    ///
    /// # Errors
    ///
    /// When the client does not take it in time, or has gone.
    pub(crate) async fn send(&self, chunk: Bytes) -> io::Result<()> {
        tokio::time::timeout(self.patience, self.sender.send(chunk))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Returns a body of what `write` sends. The permit is held until the last chunk is
/// handed on, the time is up or the client has gone.
///
/// The body is written by a task, because nobody polls the body of a client that does not
/// read: a deadline inside the body would never fire. A body that ends early ends with an
/// error, so that the client does not take it for complete.
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
            // The client may have gone meanwhile: then nobody asks.
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
