//! Chromium, driven by a private `chromedriver`.

use std::{
    io,
    net::{Ipv4Addr, TcpStream},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use fantoccini::{ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::{
    network::free_ports,
    programs::{RunAs, find},
    server::{Folder, Server, try_thrice},
    window::Window,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A host name that every window resolves to the loopback interface. It is no secure
/// context, unlike `127.0.0.1`, so some browser features are unavailable to its pages.
pub const HOST_NAME: &str = "invitation.test";

/// A private `chromedriver` of the test program. Each [`window`](Self::window) is a
/// Chromium with an empty profile. All of them end when this is dropped or the program
/// ends.
#[derive(Debug)]
pub struct Browser {
    // Dropping it ends the driver.
    _server: Server,
    port: u16,
}

/// The settings of a window.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Look {
    /// The size of the page, in CSS pixels.
    pub size: (u32, u32),
    /// Whether the user prefers a dark colour scheme.
    pub dark: bool,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Look {
    /// Returns a desktop screen, light, with scripts.
    fn default() -> Self {
        Self { size: (1440, 900), dark: false, scripts: true }
    }
}

impl Browser {
    /// Starts a `chromedriver`.
    ///
    /// # Errors
    ///
    /// When its programs are missing, or it does not start within 30 seconds.
    pub fn start() -> io::Result<Self> {
        try_thrice(Self::once)
    }

    /// Returns the browser that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the browser cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Browser> =
            LazyLock::new(|| Browser::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once() -> io::Result<Self> {
        let driver = find("chromedriver", "chromium-driver")?;
        find("chromium", "chromium")?;
        let folder = Folder::new(&RunAs::instead_of_root("root")?)?;
        let [port] = free_ports()?;
        // The driver gets a process group of its own, which ends with it, so that no
        // browser outlives it.
        let mut command = Command::new("setsid");
        command.arg(driver).arg(format!("--port={port}"));
        let is_ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let server = Server::start(folder, &command, "KILL", PATIENCE, None, is_ready)?;
        Ok(Self { _server: server, port })
    }

    /// Opens a window. Close it with [`Window::close`] when the test is done.
    ///
    /// # Errors
    ///
    /// When the browser does not start.
    pub async fn window(&self, look: Look) -> io::Result<Window> {
        let scripts = if look.scripts { 1 } else { 2 };
        let (width, height) = look.size;
        let options = json!({
            "goog:chromeOptions": {
                // Chromium has no sandbox when it runs as root. The tests only reach the
                // loopback interface.
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                    "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
                    format!("--window-size={width},{height}"),
                    format!("--host-resolver-rules=MAP {HOST_NAME} 127.0.0.1"),
                ],
                "prefs": { "profile.managed_default_content_settings.javascript": scripts },
            },
        });
        let Value::Object(options) = options else { return Err(io::Error::other("no options")) };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(Capabilities::from(options))
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .map_err(io::Error::other)?;
        let mut window = Window::new(client, look);
        window.look(look).await;
        Ok(window)
    }
}
