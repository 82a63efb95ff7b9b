//! The settings of a bench.

use std::{env, str::FromStr};

/// Returns whether the bench runs as a smoke test only.
pub(crate) fn is_test() -> bool {
    env::args().any(|word| word == "--test")
}

/// Returns the number of an environment variable.
pub(crate) fn setting<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(default)
}

/// Returns the numbers of an environment variable, which a comma separates.
pub(crate) fn settings(name: &str, default: &str) -> Vec<usize> {
    let text = env::var(name).unwrap_or_else(|_| default.to_owned());
    text.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

/// Returns whether a part of the bench was named, or none was.
pub(crate) fn is_wanted(part: &str) -> bool {
    let mut names = env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|name| name == part)
}
