//! What the reader lists of a crate, and what it leaves out.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;

use invitation_public_api::{Crate, Unreadable, listing};

/// Lists a crate of these files; the first is its root.
fn listed(files: &[(&str, &str)]) -> Result<String, Unreadable> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    listing(&Crate::read(&folder.path().join(files[0].0))?)
}

const ROOT: &str = "
mod inner;
pub mod shown;
#[cfg(test)]
mod tests;

#[cfg(feature = \"more\")]
pub use elsewhere::More;
pub use self::inner::{Kept, Named as Renamed, Told};
";

const INNER: &str = "
use async_trait::async_trait;
use crate::shown::Open;

/// A comment that is not part of the listing.
#[derive(Clone)]
#[must_use = \"a reason\"]
pub struct Kept { pub seen: u8, hidden: Secret }

pub(crate) struct Secret(u8);

impl Kept {
    /// A comment that is not part of the listing.
    pub fn zebra(&self) -> u8 { self.hidden.0 }
    pub fn ant() -> Self { Self { seen: 0, hidden: Secret(0) } }
    fn hidden(&self) {}
}

impl From<u8> for Kept { fn from(_: u8) -> Self { Self::ant() } }

trait Private {}
impl Private for Kept {}

impl Open for Kept { type Of = u8; fn required(&self) {} }

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => { pub struct $name(u8); impl $name { pub fn get(&self) -> u8 { self.0 } } };
}
name! { /// A comment that is not part of the listing.
    Named }
name!(Unnamed);

pub enum Told { One, Two { of: u8 } }
";

const SHOWN: &str = "
pub trait Open { type Of; fn required(&self); fn provided(&self) { self.required(); } }
impl<T: Open> Open for Box<T> { type Of = T::Of; fn required(&self) {} }
pub(crate) fn hidden() {}
";

const LISTING: &str = r#"Kept
More = elsewhere::More #[cfg(feature = "more")]
Renamed
Told
shown::
shown::Open

// Kept
#[derive(Clone)]
#[must_use]
pub struct Kept {
    pub seen: u8,
    ..
}
impl Kept {
    pub fn ant() -> Self;
    pub fn zebra(&self) -> u8;
}
impl From<u8> for Kept;
impl Open for Kept {
    type Of = u8;
}

// Renamed
name! {
    Named
}

// Told
pub enum Told {
    One,
    Two { of: u8 },
}

// shown::Open
pub trait Open {
    type Of;
    fn required(&self);
    fn provided(&self) { .. }
}
impl<T: Open> Open for Box<T> {
    type Of = T::Of;
}

macro_rules! name {
    ($()* $name:ident) => {
        pub struct $name (u8); impl $name { pub fn get(& self) -> u8; }
    };
}
"#;

#[test]
fn public_parts_are_listed_by_path() {
    let files = [("lib.rs", ROOT), ("inner.rs", INNER), ("shown/mod.rs", SHOWN)];
    let listing = listed(&files).unwrap();
    assert_eq!(listing, LISTING, "{listing}");
}

#[test]
fn bodies_and_the_order_of_methods_do_not_matter() {
    let moved = INNER
        .replace("    pub fn ant() -> Self { Self { seen: 0, hidden: Secret(0) } }\n", "")
        + "impl Kept { pub fn ant() -> Self { Self::from(1) } }";
    assert!(!moved.contains("seen: 0"), "the method is moved");
    let files = [("lib.rs", ROOT), ("inner.rs", moved.as_str()), ("shown.rs", SHOWN)];
    assert_eq!(listed(&files).unwrap(), LISTING);
}

#[test]
fn exporting_by_a_glob_is_an_error() {
    let root = "mod inner; pub use inner::*;";
    let error = listed(&[("lib.rs", root), ("inner.rs", "pub struct A;")]).unwrap_err();
    assert!(error.to_string().contains("inner::*"), "{error}");
}

#[test]
fn a_missing_file_is_an_error() {
    let error = listed(&[("lib.rs", "mod inner;")]).unwrap_err();
    assert!(error.to_string().contains("inner"), "{error}");
}

#[test]
fn macros_that_call_each_other_are_listed_once() {
    let root = "
macro_rules! even { ($name:ident) => { odd! { $name } }; }
macro_rules! odd { ($name:ident) => { pub struct $name; even! { $name } }; }
even! { Two }
";
    let listing = listed(&[("lib.rs", root)]).unwrap();
    assert_eq!(listing.matches("macro_rules! odd").count(), 1, "{listing}");
    assert_eq!(listing.matches("macro_rules! even").count(), 1, "{listing}");
}
