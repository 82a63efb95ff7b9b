//! Chromium, driven by a `chromedriver` of its own.

use std::{
    io,
    net::{Ipv4Addr, TcpStream},
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::{
    network::free_ports,
    programs::{RunAs, find},
    server::{Folder, Server, try_thrice},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// How long a page has to fulfil what is waited for.
const PAGE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(30);

/// The tallest picture, in CSS pixels.
const TALLEST: u32 = 16_000;

/// A `chromedriver` of the test program's own. Each [`window`](Self::window) is a
/// Chromium with an empty profile. All are ended when this is dropped or the program
/// ends.
#[derive(Debug)]
pub struct Browser {
    // Ends the driver when it is dropped.
    _server: Server,
    port: u16,
}

/// How a window is opened.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Look {
    /// The size of the page, in CSS pixels.
    pub size: (u32, u32),
    /// Whether the person prefers dark pages.
    pub dark: bool,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Look {
    /// A desk's screen, light, with scripts.
    fn default() -> Self {
        Self { size: (1440, 900), dark: false, scripts: true }
    }
}

impl Browser {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When its programs are missing or it does not start within 30 seconds.
    pub fn start() -> io::Result<Self> {
        try_thrice(Self::once)
    }

    /// The one that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
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
        // In a process group of its own, which ends with it: no browser outlives it.
        let mut command = Command::new("setsid");
        command.arg(driver).arg(format!("--port={port}"));
        let is_ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let server = Server::start(folder, &command, "KILL", PATIENCE, is_ready)?;
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
                // As root, there is no sandbox to be had. Nothing here reaches beyond the
                // loopback interface, nor is to try.
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                    "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
                    format!("--window-size={width},{height}"),
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
        let window = Window(client);
        window.set_look(look).await.map_err(io::Error::other)?;
        Ok(window)
    }
}

/// A browser window; the methods of fantoccini's client are those of [`client`](Self::client).
#[derive(Clone, Debug)]
pub struct Window(Client);

impl Window {
    /// The client of the W3C protocol.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0
    }

    /// Closes it, and ends its browser.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub async fn close(self) -> Result<(), CmdError> {
        self.0.close().await
    }

    /// Changes size and colours of the page, as if the person had.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub async fn set_look(&self, look: Look) -> Result<(), CmdError> {
        let (width, height) = look.size;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// A picture of the whole page, however long it is, as PNG.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub async fn picture(&self, look: Look) -> Result<Vec<u8>, CmdError> {
        let height = self.0.execute("return document.documentElement.scrollHeight", vec![]).await?;
        let height = height.as_u64().and_then(|height| u32::try_from(height).ok()).unwrap_or(0);
        let (width, least) = look.size;
        self.set_look(Look { size: (width, height.clamp(least, TALLEST)), ..look }).await?;
        let picture = self.0.screenshot().await?;
        self.set_look(look).await?;
        Ok(picture)
    }

    /// Waits until `script`, the body of a function, gives something true. A page that
    /// is just going away is asked again.
    ///
    /// # Errors
    ///
    /// When it does not within 15 seconds.
    pub async fn until(&self, script: &str) -> Result<(), CmdError> {
        let begun = Instant::now();
        loop {
            match self.0.execute(script, vec![]).await {
                Ok(Value::Bool(true)) => return Ok(()),
                Err(error) if begun.elapsed() > PAGE => return Err(error),
                _ if begun.elapsed() > PAGE => return Err(CmdError::WaitTimeout),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Sends a command of the browser's own developer tools.
    ///
    /// # Errors
    ///
    /// When the browser refuses it.
    pub async fn devtools(&self, name: &str, params: Value) -> Result<Value, CmdError> {
        self.0.issue_cmd(DevTools(json!({ "cmd": name, "params": params }))).await
    }
}

#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}
