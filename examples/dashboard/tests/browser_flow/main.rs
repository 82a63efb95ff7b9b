//! The example `dashboard`, as people use it: every step a click or a key in a real
//! browser, on the program as its users start it.

mod administering;
mod refusals;
mod story;

#[path = "../example_host/host.rs"]
#[expect(dead_code, reason = "shared with the tests that go without a browser")]
mod host;

use invitation_testkit::{Browser, Look, Window};

use self::host::{Host, Store};

/// The example, and somebody at a browser.
struct Scene {
    host: Host,
    // The host's folder stays as long as it does.
    _store: Store,
}

impl Scene {
    async fn open() -> Self {
        let store = Store::sqlite();
        Self { host: store.start().await, _store: store }
    }

    /// A window, at the host's home page.
    async fn window(&self, look: Look) -> Window {
        let window = Browser::shared().window(look).await.expect("a window");
        window.go(&self.host.base).await;
        window
    }

    /// Signs in by the sign-in page.
    async fn sign_in(&self, window: &Window, name: &str) {
        window.go(&format!("{}/login", self.host.base)).await;
        window.find(&format!("button[value='{name}']")).await.click().await.expect("a click");
        window.until("return !location.pathname.startsWith('/login')").await;
    }

    async fn at(&self, window: &Window, path: &str) {
        window.go(&format!("{}{path}", self.host.base)).await;
    }
}

/// A desk's screen, in the dark.
const DARK: Look = Look { size: (1440, 900), dark: true, scripts: true };
