//! What the handlers of the routers take from a [`Web`].

use std::{sync::Arc, time::Duration};

use invitation_core::{
    BaseUrl, Store, audit::LogMonitor, delivery::Deliveries, funnel::Funnels, webhook::Endpoints,
};
use tokio::sync::OwnedSemaphorePermit;

use super::{Web, WebLimits};
use crate::{
    identify::Identify,
    problem::{Problem, ProblemKind},
};

impl Web {
    /// Returns the deliveries, or 404 if the host shows none.
    pub(crate) fn deliveries(&self) -> Result<&Deliveries<Arc<dyn Store>>, Problem> {
        self.deliveries.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    /// Returns the funnels, or 404 if the host shows none.
    pub(crate) fn funnels(&self) -> Result<&Funnels<Arc<dyn Store>>, Problem> {
        self.funnels.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    /// Returns the endpoints of webhooks, or 404 if the host shows none.
    pub(crate) fn endpoints(&self) -> Result<&Endpoints<Arc<dyn Store>>, Problem> {
        self.endpoints.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
    }

    pub(crate) fn identify(&self) -> &dyn Identify {
        &*self.identify
    }

    pub(crate) fn base_url(&self) -> Option<&BaseUrl> {
        self.settings.base_url.as_ref()
    }

    /// Returns the origins of the host's pages. It is empty if none is configured.
    pub(crate) fn own_origins(&self) -> impl Iterator<Item = &str> {
        let base = self.base_url().map(BaseUrl::origin);
        base.into_iter().chain(self.settings.other_origins.iter().map(String::as_str))
    }

    pub(crate) fn audit_log(&self) -> Option<&dyn LogMonitor> {
        self.settings.audit_log.as_deref()
    }

    pub(crate) fn limits(&self) -> &WebLimits {
        &self.settings.limits
    }

    /// Returns the permit for one more import or export, or 429 if too many are running.
    pub(crate) fn bulk_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.bulk).try_acquire_owned().map_err(|_| {
            Problem::new(ProblemKind::TooManyRequests)
                .with_detail("too many imports and exports are under way")
                .with_retry_after(Duration::from_secs(5))
        })
    }

    /// Returns the largest number of rows in an import.
    pub(crate) fn max_rows(&self) -> usize {
        usize::try_from(self.service().limits().batch().get()).unwrap_or(usize::MAX)
    }
}
