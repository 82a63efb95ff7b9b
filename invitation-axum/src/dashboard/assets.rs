//! The style sheet and the script. Their URLs change with their content.

use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};

const STYLE: &str = include_str!("../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../assets/dashboard.js");

/// A year, the longest lifetime that caches are asked for in practice. The address
/// changes when the content does.
const FOR_GOOD: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");

pub(super) fn router() -> Router {
    let style = async || serve(STYLE, "text/css; charset=utf-8");
    let script = async || serve(SCRIPT, "text/javascript; charset=utf-8");
    Router::new().route(&path(STYLE, "css"), get(style)).route(&path(SCRIPT, "js"), get(script))
}

fn serve(text: &'static str, kind: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), FOR_GOOD], text)
}

/// Returns the elements for the `head` of each page.
pub(super) fn head(base: &str) -> String {
    format!(
        "<link rel=\"stylesheet\" href=\"{base}{}\">\n<script src=\"{base}{}\" defer></script>",
        path(STYLE, "css"),
        path(SCRIPT, "js"),
    )
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

    #[test]
    fn nothing_comes_from_elsewhere() {
        for text in [STYLE, SCRIPT] {
            assert!(
                !text.contains("http:") && !text.contains("https:") && !text.contains("@import")
            );
        }
    }
}
