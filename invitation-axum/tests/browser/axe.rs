//! Accessibility, as axe-core sees it.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::{fs, sync::LazyLock};

use serde_json::Value;

use crate::scene::{Scene, target};

/// Installed by `scripts/servers` from its npm package.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = target().join("npm/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("{} is missing; scripts/servers gets it", file.display()))
});

impl Scene {
    /// Asserts that axe-core finds nothing on this page.
    pub(crate) async fn is_accessible(&self, name: &str) {
        self.client().execute(&AXE, vec![]).await.unwrap();
        let script = "const done = arguments[0]; axe.run(document).then((r) => done(r.violations \
            .map((v) => [v.id, v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary)])))";
        let found = self.client().execute_async(script, vec![]).await.unwrap();
        assert_eq!(found, Value::Array(Vec::new()), "{name}: {found:#}");
    }
}
