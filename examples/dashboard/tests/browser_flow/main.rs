//! The example `dashboard` in a real browser: every step is a click or a key, on the
//! program as its users start it.

mod administering;
mod importing;
mod refusals;
mod story;

#[path = "../example_host/host.rs"]
#[expect(dead_code, reason = "shared with the tests that go without a browser")]
mod host;

use std::net::TcpListener;

use invitation_testkit::{Browser, HOST_NAME, Look, Window};

use self::host::{Host, Store};

/// The running example and a browser.
struct Scene {
    host: Host,
    /// The base URL for the browser.
    base: String,
    // Keeps the host's folder until the end of the test.
    _store: Store,
}

impl Scene {
    async fn open() -> Self {
        let store = Store::sqlite();
        let host = store.start().await;
        Self { base: host.base.clone(), host, _store: store }
    }

    /// Returns the same, reached over plain HTTP under a host name.
    async fn open_under_a_name() -> Self {
        let store = Store::sqlite();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let base = format!("http://{HOST_NAME}:{port}");
        let mut command = store.command();
        command.env("PORT", port.to_string()).env("BASE_URL", &base);
        Self { host: Host::start(command).await, base, _store: store }
    }

    /// Opens a window at the host's home page.
    async fn window(&self, look: Look) -> Window {
        let window = Browser::shared().window(look).await.expect("a window");
        window.go(&self.base).await;
        window
    }

    /// Signs in through the sign-in page.
    async fn sign_in(&self, window: &Window, name: &str) {
        window.go(&format!("{}/login", self.base)).await;
        window.find(&format!("button[value='{name}']")).await.click().await.expect("a click");
        window.until("return !location.pathname.startsWith('/login')").await;
    }

    async fn at(&self, window: &Window, path: &str) {
        window.go(&format!("{}{path}", self.base)).await;
    }
}

/// A desktop screen with a dark colour scheme.
const DARK: Look = Look { size: (1440, 900), dark: true, scripts: true };
