//! Chromium, driven by a private `chromedriver`.

use std::{
    io,
    net::{Ipv4Addr, TcpStream},
    process::Command,
    sync::OnceLock,
};

use fantoccini::{ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::{
    programs::find,
    server::{Program, Server, Setup},
    window::Window,
};

/// A host name that every window resolves to the loopback interface. It is no secure
/// context, unlike `127.0.0.1`, so some browser features are unavailable to its pages.
pub const HOST_NAME: &str = "invitation.test";

/// A private `chromedriver`. Each [`window`](Self::window) is a Chromium with an empty
/// profile. All of them end with it.
pub type Browser = Server<ChromeDriver>;

/// The programs of Chromium.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum ChromeDriver {}

impl Program for ChromeDriver {
    type Options = ();

    const USER: &'static str = "root";

    fn prepare(setup: &Setup<'_>, (): &()) -> io::Result<Command> {
        let driver = find("chromedriver", "chromium-driver")?;
        find("chromium", "chromium")?;
        // The driver gets a process group of its own, which ends with it, so that no
        // browser outlives it.
        let mut command = Command::new("setsid");
        command.arg(driver).arg(format!("--port={}", setup.port));
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    fn shared() -> &'static OnceLock<Browser> {
        static SHARED: OnceLock<Browser> = OnceLock::new();
        &SHARED
    }
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
            .connect(&format!("http://127.0.0.1:{}", self.port()))
            .await
            .map_err(io::Error::other)?;
        let mut window = Window::new(client, look);
        window.look(look).await;
        Ok(window)
    }
}
