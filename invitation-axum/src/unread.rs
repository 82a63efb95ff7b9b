//! Request bodies that a handler leaves unread.
//!
//! A server that closes a connection with unread bytes resets it. The client then never sees the
//! response: a browser shows an error of its own. The middleware therefore reads the rest first.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{StatusCode, header},
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::oneshot::{self, Receiver, Sender};

/// The limits for reading an unwanted body, in bytes and time.
const DISCARDED: usize = 16_000_000;
const DISCARDING: Duration = Duration::from_secs(5);

/// The receiver of the body of a request, if the handler does not read it to its end.
pub(crate) struct UnreadBody {
    returned: Option<Receiver<Unread>>,
    /// Whether the client waits for `100 Continue` before it sends the body.
    is_held_back: bool,
}

struct Unread {
    body: Body,
    /// Whether the handler has begun to read. The server then asks for the body.
    is_begun: bool,
    /// Whether the handler was waiting for the client.
    is_awaited: bool,
}

/// A body that, when it is dropped, hands the unread rest to its owner.
struct LentBody {
    /// None once the body has ended.
    unread: Option<Unread>,
    owner: Option<Sender<Unread>>,
}

impl UnreadBody {
    /// Replaces the body of a request by one that comes back here.
    pub(crate) fn of(request: Request) -> (Request, Self) {
        let is_held_back = request.headers().contains_key(header::EXPECT);
        if request.body().is_end_stream() {
            return (request, Self { returned: None, is_held_back });
        }
        let (owner, returned) = oneshot::channel();
        let request = request.map(|body| {
            let unread = Some(Unread { body, is_begun: false, is_awaited: false });
            Body::new(LentBody { unread, owner: Some(owner) })
        });
        (request, Self { returned: Some(returned), is_held_back })
    }

    /// Reads the rest of the body without keeping it, before a response with this status. None
    /// means that the handler took too long.
    ///
    /// It does not read:
    ///
    /// - a body that another task still reads;
    /// - the body of a client that has stopped sending;
    /// - a body that the client holds back until the server asks for it;
    /// - more than [`DISCARDED`] bytes, or longer than [`DISCARDING`].
    pub(crate) async fn discard(self, status: Option<StatusCode>) {
        let returned = self.returned.and_then(|mut returned| returned.try_recv().ok());
        let Some(Unread { body, is_begun, is_awaited }) = returned else { return };
        let is_stalled = match status {
            Some(status) => status == StatusCode::REQUEST_TIMEOUT,
            None => is_awaited,
        };
        if !is_stalled && (is_begun || !self.is_held_back) {
            // A timeout is not an error: the response is sent in either case.
            let _ = tokio::time::timeout(DISCARDING, read_away(body)).await;
        }
    }
}

async fn read_away(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl HttpBody for LentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(unread) = &mut this.unread else { return Poll::Ready(None) };
        let frame = Pin::new(&mut unread.body).poll_frame(cx);
        (unread.is_begun, unread.is_awaited) = (true, frame.is_pending());
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            this.unread = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.unread.as_ref().is_none_or(|unread| unread.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.unread.as_ref().map(|unread| unread.body.size_hint());
        left.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for LentBody {
    fn drop(&mut self) {
        if let (Some(unread), Some(owner)) = (self.unread.take(), self.owner.take()) {
            // It fails if the response is already under way.
            let _ = owner.send(unread);
        }
    }
}
