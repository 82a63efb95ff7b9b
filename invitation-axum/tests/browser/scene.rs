//! A host and a window, and what people do with them.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use fantoccini::{Client, Locator, elements::Element};
use invitation_testkit::{Browser, Look, Window};

use crate::host::Host;

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(30);

/// Somebody at a browser.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) window: Window,
    pub(crate) look: Look,
}

impl Scene {
    pub(crate) async fn open(look: Look) -> Self {
        let host = Host::start().await;
        let window = Browser::shared().window(look).await.unwrap();
        Self { host, window, look }
    }

    pub(crate) fn client(&self) -> &Client {
        self.window.client()
    }

    pub(crate) async fn sign_in(&self, name: &str) {
        self.go(&format!("/as/{name}")).await;
    }

    pub(crate) async fn go(&self, path: &str) {
        self.client().goto(&self.host.at(path)).await.unwrap();
    }

    /// Waits for it: a page may just be on its way.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let wait = self.client().wait().at_most(PATIENCE).every(PAUSE);
        wait.for_element(Locator::Css(css)).await.unwrap_or_else(|_| panic!("no {css}"))
    }

    /// Waits until what is found by `css` says exactly this, as many times.
    pub(crate) async fn says(&self, css: &str, expected: &[&str]) {
        let begun = Instant::now();
        loop {
            let mut texts = Vec::new();
            for element in self.client().find_all(Locator::Css(css)).await.unwrap() {
                // One that is going away says nothing.
                texts.push(element.text().await.unwrap_or_default());
            }
            if texts == expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{css} says {texts:?}, not {expected:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    pub(crate) async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Clicks the button or link that says this.
    pub(crate) async fn click(&self, says: &str) {
        let path = format!("//main//*[self::a or self::button][normalize-space()='{says}']");
        let wait = self.client().wait().at_most(PATIENCE).every(PAUSE);
        let found = wait.for_element(Locator::XPath(&path)).await;
        found.unwrap_or_else(|_| panic!("no {says}")).click().await.unwrap();
    }

    pub(crate) async fn press(&self, keys: &str) {
        self.client().active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Presses Tab until the focus is on what says this, or has this id.
    pub(crate) async fn tab_to(&self, wanted: &str) {
        let script = "const at = document.activeElement; return [at.id, at.textContent.trim()]";
        for _ in 0..40 {
            self.press(keys::TAB).await;
            let focused = self.client().execute(script, vec![]).await.unwrap();
            if focused.as_array().unwrap().iter().any(|text| text == wanted) {
                return;
            }
        }
        panic!("Tab does not lead to {wanted}");
    }

    pub(crate) async fn until(&self, script: &str) {
        if let Err(error) = self.window.until(script).await {
            let source = self.client().source().await.unwrap_or_default();
            panic!("{script}: {error}\n{source}");
        }
    }

    pub(crate) async fn look(&mut self, look: Look) {
        self.look = look;
        self.window.set_look(look).await.unwrap();
    }

    /// Keeps a picture of the page under `target/screenshots`.
    pub(crate) async fn keep(&self, name: &str) {
        let folder = screenshots();
        fs::create_dir_all(&folder).unwrap();
        let picture = self.window.picture(self.look).await.unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

fn screenshots() -> PathBuf {
    target().join("screenshots")
}

/// The workspace's folder for what is built.
pub(crate) fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Keys as the protocol of browsers writes them.
pub(crate) mod keys {
    pub(crate) const TAB: &str = "\u{e004}";
    pub(crate) const ENTER: &str = "\u{e007}";
    pub(crate) const PASTE: &str = "\u{e009}v";
    pub(crate) const SELECT_ALL: &str = "\u{e009}a";
}
