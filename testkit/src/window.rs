//! A browser window and the actions of its user.
//!
//! Every lookup waits until its target appears, for at most 20 seconds, because a page may
//! still be loading. A target that does not appear causes a panic with the contents of the
//! page.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, Locator, elements::Element, error::CmdError, wd::WebDriverCompatibleCommand,
};
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::browser::Look;

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(30);

/// The maximum height of a screenshot, in CSS pixels.
const TALLEST: u32 = 16_000;

/// A browser window.
#[derive(Debug)]
pub struct Window {
    client: Client,
    look: Look,
}

/// Keys, as encoded in the `WebDriver` protocol.
pub mod keys {
    /// The Tab key.
    pub const TAB: &str = "\u{e004}";
    /// The Escape key.
    pub const ESCAPE: &str = "\u{e00c}";
    /// The Enter key.
    pub const ENTER: &str = "\u{e007}";
    /// Control and V.
    pub const PASTE: &str = "\u{e009}v";
    /// Control and A.
    pub const SELECT_ALL: &str = "\u{e009}a";
}

#[expect(clippy::missing_panics_doc, reason = "said for all of them above")]
impl Window {
    pub(crate) fn new(client: Client, look: Look) -> Self {
        Self { client, look }
    }

    /// Returns the client of the W3C `WebDriver` protocol.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Closes the window, and ends its browser.
    pub async fn close(self) {
        self.client.close().await.expect("the window closes");
    }

    /// Changes size and colours of the page, as the user could.
    pub async fn look(&mut self, look: Look) {
        self.set_look(look).await;
        self.look = look;
    }

    async fn set_look(&self, look: Look) {
        let (width, height) = look.size;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Changes the user's time zone, an IANA name such as `Asia/Tokyo`.
    pub async fn time_zone(&self, name: &str) {
        self.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": name })).await;
    }

    /// Returns the accessibility tree of the page as the browser gives it to assistive programs:
    /// `nodes` with their `role` and `name`, in the order of the page.
    pub async fn accessibility_tree(&self) -> Value {
        self.devtools("Accessibility.getFullAXTree", json!({})).await
    }

    async fn devtools(&self, name: &str, params: Value) -> Value {
        let command = DevTools(json!({ "cmd": name, "params": params }));
        self.client.issue_cmd(command).await.expect("the browser obeys")
    }

    /// Opens an address.
    pub async fn go(&self, address: &str) {
        self.client.goto(address).await.expect("the browser goes there");
    }

    /// Returns the first element that matches a CSS selector.
    pub async fn find(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css), &format!("there is no {css}")).await
    }

    /// Waits for an element. While a page unloads, lookups fail with varying errors, so
    /// every error is retried.
    async fn wait_for(&self, what: Locator<'_>, missing: &str) -> Element {
        let find = async || {
            let found = self.client.find(what).await;
            found.map_err(|error| format!("{missing} ({error})"))
        };
        self.patiently(find).await
    }

    /// Retries until the attempt succeeds. After the timeout, panics with its last error.
    async fn patiently<T>(&self, attempt: impl AsyncFn() -> Result<T, String>) -> T {
        let begun = Instant::now();
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(said) if begun.elapsed() > PATIENCE => self.give_up(&said).await,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn give_up(&self, what: &str) -> ! {
        let address = self.client.current_url().await.map(String::from).unwrap_or_default();
        let page = self.client.source().await.unwrap_or_default();
        panic!("{what}, at {address}:\n{page}");
    }

    /// Returns the text of the first element that matches a CSS selector.
    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("a text")
    }

    /// Returns the value of the first field that matches a CSS selector.
    pub async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.expect("a value").unwrap_or_default()
    }

    /// Waits until the elements that match a CSS selector have these texts, in order.
    pub async fn says(&self, css: &str, expected: &[&str]) {
        let read = async || {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(css)).await.unwrap_or_default() {
                // An element that has just been removed has no text.
                texts.push(element.text().await.unwrap_or_default());
            }
            let is_so = texts == expected;
            is_so.then_some(()).ok_or_else(|| format!("{css} says {texts:?}, not {expected:?}"))
        };
        self.patiently(read).await;
    }

    /// Waits until `script`, the body of a function, returns `true`.
    pub async fn until(&self, script: &str) {
        let ask = async || match self.client.execute(script, vec![]).await {
            Ok(Value::Bool(true)) => Ok(()),
            // While a page unloads, the script fails, so it is retried.
            answer => Err(format!("{script} gives {answer:?}")),
        };
        self.patiently(ask).await;
    }

    /// Returns the button, link or menu in `main` with this text.
    async fn named(&self, says: &str) -> Element {
        let path = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space()='{says}']"
        );
        self.wait_for(Locator::XPath(&path), &format!("nothing says {says}")).await
    }

    /// Clicks the button, link or menu in `main` with this text.
    pub async fn click(&self, says: &str) {
        self.named(says).await.click().await.expect("it can be clicked");
    }

    /// Clicks the button or link in `main` that has this text and leads to another page.
    pub async fn follow(&self, says: &str) {
        self.leave_by(self.named(says).await).await;
    }

    /// Clicks an element that leads to another page, and waits until this page is gone. A
    /// click may return before the navigation begins. Without the wait, the next action
    /// would affect the old page, and the next address would be replaced by the click's.
    pub async fn leave_by(&self, way: Element) {
        let page = self.find("html").await;
        way.click().await.expect("it can be clicked");
        let leave = async || match page.tag_name().await {
            Ok(_) => Err("the click leads nowhere".to_owned()),
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(format!("whether the page is gone is unknown ({error})")),
        };
        self.patiently(leave).await;
    }

    /// Replaces the contents of the first field that matches a CSS selector.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// Selects the option with this value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.find(css).await.select_by_value(value).await.expect("an option");
    }

    /// Presses keys in the focused element.
    pub async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("a focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Presses Tab until an element with this text or id has the focus.
    pub async fn tab_to(&self, wanted: &str) {
        let script = "const at = document.activeElement; return [at.id, at.textContent.trim()]";
        for _ in 0..40 {
            self.press(keys::TAB).await;
            let focused = self.client.execute(script, vec![]).await.unwrap_or_default();
            if focused.as_array().is_some_and(|texts| texts.iter().any(|text| text == wanted)) {
                return;
            }
        }
        self.give_up(&format!("Tab does not lead to {wanted}")).await;
    }

    /// Saves a screenshot of the whole page under `target/screenshots`.
    pub async fn keep(&self, name: &str) {
        let script = "return document.documentElement.scrollHeight";
        let height = self.client.execute(script, vec![]).await.expect("a height").as_u64();
        let height = height.and_then(|height| u32::try_from(height).ok()).unwrap_or(TALLEST);
        let (width, least) = self.look.size;
        let tall = Look { size: (width, height.clamp(least, TALLEST)), ..self.look };
        self.set_look(tall).await;
        let picture = self.client.screenshot().await.expect("a picture");
        self.set_look(self.look).await;
        let folder = target().join("screenshots");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("{name}.png")), picture).expect("a file");
    }

    /// Asserts that axe-core finds no accessibility problem on this page. `scripts/servers`
    /// installs axe-core from its npm package.
    pub async fn is_accessible(&self, name: &str) {
        let file = target().join("npm/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("{} is missing: scripts/servers", file.display()));
        self.client.execute(&axe, vec![]).await.expect("axe-core loads");
        let script = "const done = arguments[0]; \
            axe.run(document).then((found) => done(found.violations.map((violation) => \
            [violation.id, violation.nodes.map((node) => [node.target, node.failureSummary])])))";
        let found = self.client.execute_async(script, vec![]).await.expect("axe-core runs");
        assert_eq!(found, Value::Array(Vec::new()), "{name}: {found:#}");
    }
}

/// Returns whether an error means that the page of an element has been unloaded. Any other
/// error, for example of a browser that has ended, does not say where the browser is.
fn is_gone(error: &CmdError) -> bool {
    error.is_stale_element_reference() || error.is_no_such_element()
}

/// Returns the workspace's build folder.
fn target() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.ancestors().nth(3).expect("target/<profile>/deps/<test>").to_owned()
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

#[cfg(test)]
mod tests {
    use std::io;

    use fantoccini::error::{ErrorStatus, WebDriver};

    use super::*;

    #[test]
    fn only_errors_about_the_element_mean_that_its_page_is_gone() {
        for (status, expected) in [
            (ErrorStatus::StaleElementReference, true),
            (ErrorStatus::NoSuchElement, true),
            (ErrorStatus::NoSuchWindow, false),
            (ErrorStatus::InvalidSessionId, false),
            (ErrorStatus::JavascriptError, false),
            (ErrorStatus::Timeout, false),
            (ErrorStatus::UnknownError, false),
        ] {
            let error = CmdError::Standard(WebDriver::new(status, "it failed"));
            assert_eq!(is_gone(&error), expected, "{error}");
        }
        let lost = CmdError::Lost(io::ErrorKind::ConnectionReset.into());
        assert!(!is_gone(&lost));
        assert!(!is_gone(&CmdError::WaitTimeout));
    }
}
