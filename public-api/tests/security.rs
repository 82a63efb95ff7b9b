//! The tests that SECURITY.md names exist, where it says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fs, path::PathBuf};

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the text and the target of each link.
fn links(text: &str) -> Vec<(&str, &str)> {
    text.split("](")
        .zip(text.split("](").skip(1))
        .map(|(before, behind)| {
            let name = before.rsplit('[').next().unwrap();
            (name, behind.split(')').next().unwrap())
        })
        .collect()
}

/// Returns the tests that a text names: links whose text is in code style. A link is broken if the
/// file has no function of that name.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let name = |name: &'_ str| name.starts_with('`') && name.ends_with('`');
    let tests = links(text).into_iter().filter(|(text, _)| name(text));
    tests.map(|(name, file)| (name.trim_matches('`'), file)).collect()
}

fn is_in(name: &str, source: &str) -> bool {
    [format!("fn {name}("), format!("fn {name}<")].iter().any(|text| source.contains(text))
}

#[test]
fn tests_named_by_the_security_policy_exist() {
    let text = fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let tests = named_tests(&text);
    assert!(tests.len() > 50, "the links are read: {tests:?}");
    let is_missing = |(name, file): &&(&str, &str)| {
        let source = fs::read_to_string(workspace().join(file)).unwrap_or_default();
        !is_in(name, &source)
    };
    let missing: Vec<_> = tests.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:?}");
}

#[test]
fn files_that_the_security_policy_links_exist() {
    let text = fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let missing: Vec<_> =
        links(&text).into_iter().filter(|(_, file)| !workspace().join(file).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn link_to_a_test_is_read_with_its_file() {
    let text = "| [`one_is_two`](a/b.rs), [bench](c.rs) and [`is_generic`](d.rs) |";
    assert_eq!(named_tests(text), [("one_is_two", "a/b.rs"), ("is_generic", "d.rs")]);
    assert!(is_in("is_generic", "async fn is_generic<S>() {"));
    assert!(!is_in("is_generic", "fn is_generic_too() {"));
}
