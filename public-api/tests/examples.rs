//! Each name at the root of the facade has an example in its documentation.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use invitation_public_api::{Crate, Example, documentation, examples, listing};

/// The names whose examples are not on their own pages, each with the reason.
const ELSEWHERE: [(&str, &str); 1] =
    [("guide", "its chapters are examples, which the package `documents` compiles")];

/// The names whose examples need no assertion, each with the reason.
const WITHOUT_ASSERTION: [(&str, &str); 6] = [
    ("MySqlStore", "it is compiled and not run, because it needs a server"),
    ("PgStore", "the same"),
    ("RedisStore", "the same"),
    ("redis_store", "the same"),
    ("conformance", "it declares tests, which a doctest compiles and does not run"),
    ("testing", "it runs promises, which panic by themselves"),
];

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(folder: &str) -> Crate {
    Crate::read(&workspace().join(folder).join("src/lib.rs")).unwrap()
}

/// Returns the names at the root of the facade with the paths that they are exported from. A
/// module of the facade has the path of the facade's own.
fn root() -> BTreeMap<String, String> {
    let listing = listing(&read(".")).unwrap();
    let paths = listing.lines().take_while(|line| !line.is_empty());
    let at_root = paths.filter_map(|line| {
        let line = line.split(" #[").next().unwrap_or(line);
        if let Some((name, path)) = line.split_once(" = ") {
            return Some((name.to_owned(), path.to_owned()));
        }
        let name = line.strip_suffix("::").unwrap_or(line);
        (!name.contains("::")).then(|| (name.to_owned(), format!("invitation::{name}")))
    });
    let names: BTreeMap<_, _> = at_root.collect();
    assert!(names.len() > 60, "the names are read: {names:?}");
    names
}

/// Returns the examples on the page of each name at the root.
fn examples_of_the_root() -> BTreeMap<String, Vec<Example>> {
    let mut crates = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (name, path) in root() {
        let mut path = path.split("::");
        let krate = path.next().unwrap().replace('_', "-");
        let folder = if krate == "invitation" { "." } else { &krate };
        let krate = crates.entry(krate.clone()).or_insert_with(|| read(folder));
        let text = documentation(krate, &path.collect::<Vec<_>>()).unwrap();
        assert!(!text.is_empty(), "{name} has no documentation");
        found.insert(name, examples(&text));
    }
    found
}

#[test]
fn each_name_at_the_root_has_an_example_that_asserts() {
    let mut missing = Vec::new();
    for (name, examples) in examples_of_the_root() {
        let is_in = |list: &[(&str, &str)]| list.iter().any(|(other, _)| *other == name);
        let shows =
            |example: &Example| (example.is_run && example.asserts()) || is_in(&WITHOUT_ASSERTION);
        if !is_in(&ELSEWHERE) && !examples.iter().any(shows) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{} names have no example: {missing:?}", missing.len());
}

#[test]
fn names_at_the_root_do_not_share_one_example() {
    let mut seen = BTreeMap::new();
    for (name, examples) in examples_of_the_root() {
        for Example { code, .. } in examples {
            if let Some(other) = seen.insert(code, name.clone()) {
                panic!("{name} repeats the example of {other}");
            }
        }
    }
}

#[test]
fn exceptions_are_names_of_the_root() {
    let root = root();
    for (name, _) in ELSEWHERE.iter().chain(&WITHOUT_ASSERTION) {
        assert!(root.contains_key(*name), "{name}");
    }
}

/// Returns the examples at a path of a crate with one file.
fn examples_at(path: &[&str], source: &str) -> Vec<Example> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lib.rs");
    fs::write(&file, source).unwrap();
    examples(&documentation(&Crate::read(&file).unwrap(), path).unwrap())
}

#[test]
fn examples_are_found_on_items_modules_macros_and_what_macros_declare() {
    let source = "
//! ```
//! of_the_crate();
//! ```

pub use self::inner::Kept as Renamed;

/// Not an example:
/// ```text
/// of_a_table
/// ```
pub mod inner {
    //! ```no_run
    //! of_the_module();
    //! ```

    macro_rules! name {
        ($(#[$doc:meta])* $name:ident) => { $(#[$doc])* pub struct $name(u8); };
    }
    name! {
        /// ```
        /// assert!(of_the_call());
        /// ```
        Kept
    }

    /// ```ignore
    /// never_compiled();
    /// ```
    /// ```rust
    /// of_the_macro();
    /// ```
    #[macro_export]
    macro_rules! exported { () => {}; }
}
";
    let of = |path: &[&str]| {
        let found = examples_at(path, source);
        let parts = found.into_iter().map(|one| (one.code.clone(), one.is_run, one.asserts()));
        parts.collect::<Vec<_>>()
    };
    let one = |code: &str, is_run, asserts| vec![(format!("{code}\n"), is_run, asserts)];
    assert_eq!(of(&[]), one("of_the_crate();", true, false));
    assert_eq!(of(&["inner"]), one("of_the_module();", false, false));
    assert_eq!(of(&["Renamed"]), one("assert!(of_the_call());", true, true));
    assert_eq!(of(&["exported"]), one("of_the_macro();", true, false));
}

#[test]
fn path_that_a_crate_does_not_have_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lib.rs");
    fs::write(&file, "pub struct There;").unwrap();
    let error = documentation(&Crate::read(&file).unwrap(), &["Gone"]).unwrap_err();
    assert!(error.to_string().contains("Gone"), "{error}");
}
