//! The style sheet and the script. Their URLs change with their content.

use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};

use super::{HtmlText, page};

const STYLE: &str = include_str!("../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../assets/dashboard.js");

/// A year, the longest lifetime that caches are asked for in practice. The address
/// changes when the content does.
const FOR_GOOD: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");

pub(super) fn router() -> Router {
    let style = async || serve(STYLE, "text/css; charset=utf-8");
    let script = async || serve(SCRIPT, "text/javascript; charset=utf-8");
    Router::new()
        .route(&path(STYLE, "css"), get(style))
        .route(&path(SCRIPT, "js"), get(script))
        .method_not_allowed_fallback(page::method_not_allowed)
}

fn serve(text: &'static str, kind: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), FOR_GOOD], text)
}

/// Returns the elements for the `head` of each page. The host's style sheet comes last.
pub(super) fn head(base: &str, theme: Option<&str>) -> String {
    let sheet = |href: HtmlText<'_>| format!("<link rel=\"stylesheet\" href=\"{href}\">\n");
    let own = format!("{base}{}", path(STYLE, "css"));
    let theme = theme.map(|href| sheet(HtmlText::new(href))).unwrap_or_default();
    let script = format!("{base}{}", path(SCRIPT, "js"));
    let (own, script) = (sheet(HtmlText::new(&own)), HtmlText::new(&script));
    format!("{own}{theme}<script src=\"{script}\" defer></script>")
}

fn path(text: &str, kind: &str) -> String {
    format!("/assets/dashboard-{:016x}.{kind}", fingerprint(text))
}

/// Returns the FNV-1a hash, which distinguishes versions. It protects nothing.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEME: &str = include_str!("../../docs/theme.md");

    /// Returns the variables of the first rule after `start`, with their values.
    fn variables(start: &str) -> Vec<(&str, &str)> {
        let at = STYLE.find(start).expect("the rule is in the style sheet");
        let rule = STYLE[at..].split_once(":where(.inv, .inv-page) {").expect("a rule").1;
        let body = rule.split_once('}').expect("an end").0;
        let pairs = body.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once(": "));
        pairs.collect()
    }

    #[test]
    fn the_table_of_the_theme_has_every_variable_and_its_values() {
        let dark = variables("@media (prefers-color-scheme: dark)");
        let light = variables("/* The variables");
        assert!(dark.iter().all(|(name, _)| light.iter().any(|(other, _)| name == other)));
        let expected: Vec<_> = light
            .into_iter()
            .map(|(name, value)| {
                // The table has the first of several fonts.
                let shown = |value: &str| match value.split_once(", ") {
                    Some((first, _)) => format!("`{first}, …`"),
                    None => format!("`{value}`"),
                };
                let dark = dark.iter().find(|(other, _)| *other == name);
                let dark = dark.map_or_else(|| "the same".to_owned(), |(_, value)| shown(value));
                format!("| `{name}` | {} | {dark} |", shown(value))
            })
            .collect();
        let table: Vec<_> = THEME.lines().filter(|line| line.starts_with("| `--inv")).collect();
        assert_eq!(table.len(), expected.len());
        for (line, expected) in table.iter().zip(&expected) {
            assert!(line.starts_with(expected), "{line} is not {expected} …");
        }
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for text in [STYLE, SCRIPT] {
            assert!(
                !text.contains("http:") && !text.contains("https:") && !text.contains("@import")
            );
        }
    }
}
