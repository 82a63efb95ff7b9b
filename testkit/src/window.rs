//! A browser window, and what people do in it.
//!
//! What is looked for is waited for, no longer than 20 seconds: a page may just be on its
//! way. What does not come is a panic that says what there is instead.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use fantoccini::{Client, Locator, elements::Element, wd::WebDriverCompatibleCommand};
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::browser::Look;

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(30);

/// The tallest picture, in CSS pixels.
const TALLEST: u32 = 16_000;

/// A browser window.
#[derive(Debug)]
pub struct Window {
    client: Client,
    look: Look,
}

/// Keys, as the protocol of browsers writes them.
pub mod keys {
    /// The tabulator.
    pub const TAB: &str = "\u{e004}";
    /// Enter.
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

    /// The client of the W3C protocol.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Closes it, and ends its browser.
    pub async fn close(self) {
        self.client.close().await.expect("the window closes");
    }

    /// Changes size and colours of the page, as if the person had.
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

    async fn devtools(&self, name: &str, params: Value) {
        let command = DevTools(json!({ "cmd": name, "params": params }));
        self.client.issue_cmd(command).await.expect("the browser obeys");
    }

    /// Goes to an address.
    pub async fn go(&self, address: &str) {
        self.client.goto(address).await.expect("the browser goes there");
    }

    /// The first element that a CSS selector finds.
    pub async fn find(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css), &format!("there is no {css}")).await
    }

    /// A page that is just going away answers with whatever error; it is asked again.
    async fn wait_for(&self, what: Locator<'_>, missing: &str) -> Element {
        let find = async || {
            let found = self.client.find(what).await;
            found.map_err(|error| format!("{missing} ({error})"))
        };
        self.patiently(find).await
    }

    /// Tries until something comes of it, or gives up with what it said last.
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

    /// What the first element says that a CSS selector finds.
    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("a text")
    }

    /// What is in the first field that a CSS selector finds.
    pub async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.expect("a value").unwrap_or_default()
    }

    /// Waits until what a CSS selector finds says this, one after the other.
    pub async fn says(&self, css: &str, expected: &[&str]) {
        let read = async || {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(css)).await.unwrap_or_default() {
                // One that is going away says nothing.
                texts.push(element.text().await.unwrap_or_default());
            }
            let is_so = texts == expected;
            is_so.then_some(()).ok_or_else(|| format!("{css} says {texts:?}, not {expected:?}"))
        };
        self.patiently(read).await;
    }

    /// Waits until `script`, the body of a function, gives `true`.
    pub async fn until(&self, script: &str) {
        let ask = async || match self.client.execute(script, vec![]).await {
            Ok(Value::Bool(true)) => Ok(()),
            // A page that is just going away is asked again.
            answer => Err(format!("{script} gives {answer:?}")),
        };
        self.patiently(ask).await;
    }

    /// The button or link in `main` that says this.
    async fn named(&self, says: &str) -> Element {
        let path = format!("//main//*[self::a or self::button][normalize-space()='{says}']");
        self.wait_for(Locator::XPath(&path), &format!("nothing says {says}")).await
    }

    /// Clicks the button or link in `main` that says this.
    pub async fn click(&self, says: &str) {
        self.named(says).await.click().await.expect("it can be clicked");
    }

    /// Clicks the button or link in `main` that says this and leads to another page.
    pub async fn follow(&self, says: &str) {
        self.leave_by(self.named(says).await).await;
    }

    /// Clicks what leads to another page, and waits until this one is gone. A click may
    /// return before it leads away: what is done next would be done to the page that is
    /// leaving, and another address asked for would be overtaken by the click's.
    pub async fn leave_by(&self, way: Element) {
        let page = self.find("html").await;
        way.click().await.expect("it can be clicked");
        let leave = async || match page.tag_name().await {
            Ok(_) => Err("the click leads nowhere".to_owned()),
            Err(_) => Ok(()),
        };
        self.patiently(leave).await;
    }

    /// Types into the first field that a CSS selector finds, in place of what was there.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// Chooses the option of this value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.find(css).await.select_by_value(value).await.expect("an option");
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("a focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Presses Tab until the focus is on what says this, or has this id.
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

    /// Keeps a picture of the whole page under `target/screenshots`.
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

    /// Asserts that axe-core finds nothing that keeps people out of this page.
    /// `scripts/servers` installs it from its npm package.
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

/// The workspace's folder for what is built.
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
