//! The limits of requests.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::api::streamed::Pace;

/// The limits of requests. The defaults:
///
/// - bodies of 1 MB, and of 5 MB for an import, which arrive within 30 seconds;
/// - a minute for a request until its response begins;
/// - 16 KB of headers and 8 KB of URI;
/// - 8 imports and exports at a time;
/// - 10 minutes for an export, and 30 seconds for the client to read each page of it;
/// - an hour for the upload of a file to [import](super::Web::with_imports), and 30 seconds for each piece
///   of it.
///
/// A client that stops sending or reading cannot exceed them: it loses its place among
/// the imports and exports. Its connection stays open until the host's server or the
/// client closes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WebLimits {
    pub(crate) body: usize,
    pub(crate) bulk_body: usize,
    pub(crate) body_time: Duration,
    pub(crate) request_time: Duration,
    pub(crate) upload_time: Duration,
    pub(crate) headers: usize,
    pub(crate) uri: usize,
    pub(crate) export_pace: Pace,
    bulk_at_once: NonZeroU16,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            body: 1_000_000,
            bulk_body: 5_000_000,
            body_time: Duration::from_secs(30),
            request_time: Duration::from_mins(1),
            upload_time: Duration::from_hours(1),
            headers: 16 * 1024,
            uri: 8 * 1024,
            export_pace: Pace { total: Duration::from_mins(10), chunk: Duration::from_secs(30) },
            bulk_at_once: NonZeroU16::MIN.saturating_add(7),
        }
    }
}

impl WebLimits {
    /// Limits the time in which a body must arrive. A later body gets 408.
    #[must_use]
    pub fn with_body_time(self, body_time: Duration) -> Self {
        Self { body_time, ..self }
    }

    /// Limits the total time of a request. A longer one gets 503, and it is then unknown
    /// whether it was carried out.
    #[must_use]
    pub fn with_request_time(self, request_time: Duration) -> Self {
        Self { request_time, ..self }
    }

    /// Limits the total time of an upload to `POST /imports`, also where it is longer than that of
    /// [other requests](Self::with_request_time). A longer one gets 408.
    #[must_use]
    pub fn with_upload_time(self, upload_time: Duration) -> Self {
        Self { upload_time, ..self }
    }

    /// Limits the total time of an export. After it, the file breaks off.
    #[must_use]
    pub fn with_export_time(self, total: Duration) -> Self {
        Self { export_pace: Pace { total, ..self.export_pace }, ..self }
    }

    /// Limits the time in which the client of an export must read one page, of up to 200
    /// lines. After it, the file breaks off.
    #[must_use]
    pub fn with_export_page_time(self, chunk: Duration) -> Self {
        Self { export_pace: Pace { chunk, ..self.export_pace }, ..self }
    }

    /// Limits the number of simultaneous imports and exports. Further ones get 429.
    #[must_use]
    pub fn with_bulk_at_once(self, bulk_at_once: NonZeroU16) -> Self {
        Self { bulk_at_once, ..self }
    }

    pub(super) fn bulk_permits(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(usize::from(self.bulk_at_once.get())))
    }
}
