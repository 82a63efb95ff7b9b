//! The examples in a documentation: the code blocks that rustdoc compiles.

/// A code block that rustdoc compiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The code, hidden lines included.
    pub code: String,
    /// Whether rustdoc also runs it.
    pub is_run: bool,
}

impl Example {
    /// Returns whether the example checks what it shows: with an assertion, or with a pattern that
    /// must match.
    #[must_use]
    pub fn asserts(&self) -> bool {
        ["assert", "panic!(", "unreachable!("].iter().any(|check| self.code.contains(check))
    }
}

/// Returns the examples in a documentation. A block of another language or one that rustdoc ignores
/// is none.
#[must_use]
pub fn examples(documentation: &str) -> Vec<Example> {
    let mut found = Vec::new();
    // The block that is read: its words behind the fence, and its code.
    let mut open: Option<(&str, String)> = None;
    for line in documentation.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(words)) => open = Some((words.trim(), String::new())),
            (None, None) => {}
            (Some((_, code)), None) => {
                code.push_str(line);
                code.push('\n');
            }
            (Some((words, code)), Some(_)) => {
                found.extend(example(words, std::mem::take(code)));
                open = None;
            }
        }
    }
    found
}

/// Returns the example of a block with these words behind its fence.
fn example(words: &str, code: String) -> Option<Example> {
    const COMPILED: [&str; 4] = ["rust", "no_run", "should_panic", "edition2024"];
    let words: Vec<_> =
        words.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).collect();
    words
        .iter()
        .all(|word| COMPILED.contains(word))
        .then(|| Example { code, is_run: !words.contains(&"no_run") })
}
