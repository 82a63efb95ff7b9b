//! A host with a browser window open on it.

use std::ops::Deref;

use invitation_axum::Web;
use invitation_core::funnel::FunnelCounter;
use invitation_testkit::{Browser, Look, Window};

use crate::host::Host;

/// A user in a browser.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) window: Window,
}

impl Scene {
    pub(crate) async fn open(look: Look) -> Self {
        Self::open_with(look, |web| web).await
    }

    /// Opens a window on a host whose routers have these settings.
    pub(crate) async fn open_with(look: Look, set: impl FnOnce(Web) -> Web) -> Self {
        let host = Host::start_with(set).await;
        let window = Browser::shared().window(look).await.expect("a window");
        Self { host, window }
    }

    /// Opens another window on the same host, and closes this one.
    pub(crate) async fn reopen(self, look: Look) -> Self {
        self.window.close().await;
        let window = Browser::shared().window(look).await.expect("a window");
        Self { host: self.host, window }
    }

    /// Counts the events of all invitations for the funnel.
    pub(crate) async fn count(&self) {
        let counter = FunnelCounter::new(&self.host.store);
        while counter.run().await.expect("it counts").more {}
    }

    pub(crate) async fn sign_in(&self, name: &str) {
        self.at(&format!("/as/{name}")).await;
    }

    /// Opens a path of the host.
    pub(crate) async fn at(&self, path: &str) {
        self.window.go(&self.host.at(path)).await;
    }
}

impl Deref for Scene {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.window
    }
}
