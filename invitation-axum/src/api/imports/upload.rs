//! Receiving the file of an import as a stream.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use invitation_core::{
    Actor, IdempotencyKey,
    import::{
        Duplicates, ImportMode,
        file::FileFormat,
        jobs::{ImportJob, ImportOrder, Upload},
    },
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::Instrument;
use utoipa::ToSchema;

use super::sending::{Sending, boundary, is_json_lines};
use crate::{
    body::{self, MAX_FIELDS, unsupported},
    middleware::{LongerTime, took_too_long},
    problem::{Problem, ProblemKind},
    web::Web,
};

/// The options of an import, as far as they are given.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Options {
    pub(crate) mode: Option<ImportMode>,
    pub(crate) duplicates: Option<Duplicates>,
}

/// The form that a browser sends.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ImportForm {
    /// The file. A name that ends in `.jsonl` or `.ndjson`, or such a content type, means JSON
    /// Lines.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

impl Options {
    fn order(self, format: FileFormat) -> ImportOrder {
        ImportOrder::new(format)
            .with_mode(self.mode.unwrap_or(ImportMode::BestEffort))
            .with_duplicates(self.duplicates.unwrap_or_default())
    }
}

/// Receives a file and orders its import.
///
/// A task of its own receives it: if the client breaks off, what was received is removed.
pub(crate) async fn receive(
    web: &Web,
    actor: Actor,
    options: Options,
    key: Option<IdempotencyKey>,
    longer: &LongerTime,
    permit: OwnedSemaphorePermit,
    file: (Sending, Request),
) -> Result<ImportJob, Problem> {
    let owned = web.clone();
    in_task(web, longer, permit, async move {
        receive_into(&owned, &actor, options, key.as_ref(), file).await
    })
    .await
}

/// Runs the reception of a file in a task of its own. The reception itself keeps to the time of
/// uploads ([`UploadTime`]).
pub(crate) async fn in_task<T: Send + 'static>(
    web: &Web,
    longer: &LongerTime,
    permit: OwnedSemaphorePermit,
    receiving: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let limits = web.limits();
    // More than the file takes at most, so that the answer about a late file arrives. A store or a
    // spool that does not answer must not keep the permit.
    let time = limits.upload_time.saturating_add(limits.request_time);
    longer.allow(time);
    let task = async move {
        let _permit = permit;
        tokio::time::timeout(time, receiving).await.unwrap_or_else(|_| Err(took_too_long()))
    };
    let task = tokio::spawn(task.in_current_span());
    task.await.unwrap_or_else(|_| Err(Problem::new(ProblemKind::Internal)))
}

async fn receive_into(
    web: &Web,
    actor: &Actor,
    options: Options,
    key: Option<&IdempotencyKey>,
    (sending, request): (Sending, Request),
) -> Result<ImportJob, Problem> {
    let format = match sending {
        Sending::File(format) => format,
        Sending::Form => return of_form(web, actor, options, key, request).await,
    };
    let mut upload = begin(web, actor, options.order(format)).await?;
    let (mut body, time) = (request.into_body(), UploadTime::start(web));
    let received = async {
        while let Some(piece) = next_piece(time, &mut body).await? {
            upload.write(&piece).await?;
        }
        Ok(())
    };
    let received: Result<(), Problem> = received.await;
    end(web, upload, received, key).await
}

async fn of_form(
    web: &Web,
    actor: &Actor,
    options: Options,
    key: Option<&IdempotencyKey>,
    request: Request,
) -> Result<ImportJob, Problem> {
    let mut form = FormParts::of(request, web)?;
    receive_part(web, actor, options, key, &mut form).await
}

async fn receive_part(
    web: &Web,
    actor: &Actor,
    options: Options,
    key: Option<&IdempotencyKey>,
    form: &mut FormParts<'_>,
) -> Result<ImportJob, Problem> {
    while let Some(mut part) = form.next().await? {
        if part.name() != "file" {
            continue;
        }
        let mut upload = part.begin(actor, options.order(part.format())).await?;
        let received = part.write_to(&mut upload).await;
        return end(web, upload, received, key).await;
    }
    Err(Problem::new(ProblemKind::Malformed).with_detail("the form has no file"))
}

/// The longest text of a field of a form, in bytes.
const MAX_TEXT: usize = 1_000;

/// The largest number of bytes that a form may be ahead of what is read of it. It bounds the memory
/// for a part whose header does not end.
const MAX_AHEAD: usize = 1_000_000;

/// The parts of a form, which arrive as a stream.
pub(crate) struct FormParts<'w> {
    web: &'w Web,
    time: UploadTime,
    parts: multer::Multipart<'static>,
    /// The number of bytes that arrived and are not read yet.
    ahead: Arc<AtomicUsize>,
    left: usize,
}

/// A part of a form.
pub(crate) struct FormPart<'w> {
    web: &'w Web,
    time: UploadTime,
    field: multer::Field<'static>,
    ahead: Arc<AtomicUsize>,
}

impl<'w> FormParts<'w> {
    pub(crate) fn of(request: Request, web: &'w Web) -> Result<Self, Problem> {
        body::refuse_encoded(&request)?;
        let Some(boundary) = boundary(&request) else {
            return Err(unsupported("the body must be that of a form with a file"));
        };
        let mut body = request.into_body().into_data_stream();
        let ahead = Arc::new(AtomicUsize::new(0));
        let arrived = Arc::clone(&ahead);
        // The reader of a part polls again, so a pause needs no waker. A header that does not end
        // is never read: then the time limit of the body ends the pause.
        let bytes = stream::poll_fn(move |cx| {
            if arrived.load(Ordering::Relaxed) > MAX_AHEAD {
                return Poll::Pending;
            }
            let piece = Pin::new(&mut body).poll_next(cx);
            if let Poll::Ready(Some(Ok(bytes))) = &piece {
                arrived.fetch_add(bytes.len(), Ordering::Relaxed);
            }
            piece
        });
        let parts = multer::Multipart::new(bytes, boundary);
        let time = UploadTime::start(web);
        Ok(Self { web, time, parts, ahead, left: MAX_FIELDS })
    }

    /// Returns the next part. The rest of the part before is passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<FormPart<'w>>, Problem> {
        self.left = self.left.checked_sub(1).ok_or_else(broken_form)?;
        let field = self.time.bound(self.parts.next_field()).await?;
        let field = field.map_err(|_| broken_form())?;
        Ok(field.map(|field| {
            let (web, time, ahead) = (self.web, self.time, Arc::clone(&self.ahead));
            FormPart { web, time, field, ahead }
        }))
    }
}

impl FormPart<'_> {
    pub(crate) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// Returns the next bytes of the part; none at its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        let piece = self.time.bound(self.field.chunk()).await?.map_err(|_| broken_form())?;
        if let Some(bytes) = &piece {
            let read = |ahead: usize| Some(ahead.saturating_sub(bytes.len()));
            // The closure always returns a number, so the update cannot fail.
            let _ = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, read);
        }
        Ok(piece)
    }

    /// Returns the text of a short field.
    pub(crate) async fn text(mut self) -> Result<String, Problem> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            if text.len() + piece.len() > MAX_TEXT {
                return Err(broken_form());
            }
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).map_err(|_| broken_form())
    }

    /// Begins the upload of the part under its name.
    pub(crate) async fn begin(&self, actor: &Actor, order: ImportOrder) -> Result<Upload, Problem> {
        let upload = begin(self.web, actor, order).await?;
        Ok(upload.named(self.field.file_name().unwrap_or_default()))
    }

    /// Writes the part to the upload.
    pub(crate) async fn write_to(&mut self, upload: &mut Upload) -> Result<(), Problem> {
        while let Some(piece) = self.piece().await? {
            upload.write(&piece).await?;
        }
        Ok(())
    }

    /// Returns the format of a file, by its content type and its name.
    pub(crate) fn format(&self) -> FileFormat {
        let kind = self.field.content_type();
        let is_typed = kind.is_some_and(|kind| is_json_lines(kind.essence_str()));
        let is_named = self.field.file_name().is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            [".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end))
        });
        if is_typed || is_named { FileFormat::JsonLines } else { FileFormat::Csv }
    }
}

fn broken_form() -> Problem {
    Problem::new(ProblemKind::Malformed).with_detail("the form cannot be read")
}

async fn begin(web: &Web, actor: &Actor, order: ImportOrder) -> Result<Upload, Problem> {
    Ok(web.served_imports()?.upload(web.service(), actor, order).await?)
}

/// Orders the import of an upload that was received, or removes what was.
pub(crate) async fn end(
    web: &Web,
    upload: Upload,
    received: Result<(), Problem>,
    key: Option<&IdempotencyKey>,
) -> Result<ImportJob, Problem> {
    match received {
        Ok(()) => Ok(upload.submit(web.service(), key).await?.job),
        Err(problem) => {
            if let Err(error) = upload.discard().await {
                tracing::warn!(%error, "an upload that broke off was not removed");
            }
            Err(problem)
        }
    }
}

/// Returns the next piece of a body.
async fn next_piece(time: UploadTime, body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = time.bound(body.frame()).await? {
        let frame = frame
            .map_err(|_| Problem::new(ProblemKind::Malformed).with_detail("the body breaks off"))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// The time limits of an upload: of each piece, and of all pieces together.
///
/// The limits apply to the waits for the client, not to the reception as a whole: dropping that would
/// leave the file of a late upload in the spool.
#[derive(Clone, Copy)]
struct UploadTime {
    started: Instant,
    total: Duration,
    piece: Duration,
}

impl UploadTime {
    fn start(web: &Web) -> Self {
        let limits = web.limits();
        Self { started: Instant::now(), total: limits.upload_time, piece: limits.body_time }
    }

    /// Waits for a step of the client. Returns 408 after either limit.
    async fn bound<T>(self, step: impl Future<Output = T>) -> Result<T, Problem> {
        let left = self.total.saturating_sub(self.started.elapsed());
        // A step that is ready is never late for `timeout`.
        if !left.is_zero()
            && let Ok(done) = tokio::time::timeout(left.min(self.piece), step).await
        {
            return Ok(done);
        }
        Err(Problem::new(ProblemKind::RequestTimeout))
    }
}
