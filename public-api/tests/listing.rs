//! The public API of each crate is as the listing beside this folder says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use invitation_public_api::{Crate, listing};

/// The crates that are published and covered by semantic versioning.
const CRATES: [&str; 7] = [
    "invitation",
    "invitation-audit",
    "invitation-axum",
    "invitation-core",
    "invitation-delivery",
    "invitation-redis",
    "invitation-sqlx",
];

/// The largest number of names at the root of the facade.
const MAX_NAMES: usize = 70;

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn listed(name: &str) -> String {
    let folder = if name == "invitation" { workspace() } else { workspace().join(name) };
    listing(&Crate::read(&folder.join("src/lib.rs")).unwrap()).unwrap()
}

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.txt"))
}

#[test]
fn public_api_is_as_listed() {
    let mut differences = Vec::new();
    for name in CRATES {
        let (now, file) = (listed(name), committed(name));
        if env::var_os("UPDATE_PUBLIC_API").is_some() {
            fs::write(&file, &now).unwrap();
        }
        let before = fs::read_to_string(&file).unwrap_or_default();
        if now != before {
            differences.push(format!("{name}:\n{}", difference(&before, &now)));
        }
    }
    assert!(
        differences.is_empty(),
        "the public API differs from the listing in public-api/. If that is meant, run\n\n    \
         UPDATE_PUBLIC_API=1 cargo test -p invitation-public-api\n\nand commit the listing.\n\n{}",
        differences.join("\n")
    );
}

/// Returns the lines that only one of the texts has.
fn difference(before: &str, now: &str) -> String {
    let only = |text: &str, other: &str, mark: char| -> Vec<String> {
        let others: BTreeSet<_> = other.lines().collect();
        let lines = text.lines().filter(|line| !others.contains(line));
        lines.map(|line| format!("{mark} {line}")).collect()
    };
    let lines = [only(before, now, '-'), only(now, before, '+')].concat();
    if lines.is_empty() { "only the order of lines differs".to_owned() } else { lines.join("\n") }
}

/// Returns the names at the root of the facade, with all features.
fn root_names() -> BTreeSet<String> {
    let listing = listed("invitation");
    // The paths come first, and end with an empty line if items follow.
    let paths = listing.lines().take_while(|line| !line.is_empty());
    let names: BTreeSet<_> =
        paths.filter_map(|line| Some(line.split([' ', ':']).next()?.to_owned())).collect();
    assert!(names.len() > 40, "the names are read: {names:?}");
    names
}

#[test]
fn root_of_the_facade_has_few_names() {
    let names = root_names();
    assert!(names.len() <= MAX_NAMES, "{} names are too many: {names:?}", names.len());
}

/// A host that writes `use invitation::*` keeps the meaning of every name of the standard
/// prelude.
#[test]
fn root_of_the_facade_hides_no_name_of_the_prelude() {
    let prelude = "AsMut AsRef AsyncFn AsyncFnMut AsyncFnOnce Box Clone Copy Default \
        DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn FnMut FnOnce From FromIterator \
        Future Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd \
        Result Send Sized Some String Sync ToOwned ToString TryFrom TryInto Vec drop";
    let prelude: BTreeSet<_> = prelude.split_whitespace().map(str::to_owned).collect();
    let hidden: Vec<_> = root_names().intersection(&prelude).cloned().collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

/// A host that writes `use invitation::*` and `use redis::Client` means the crate `redis`. A module
/// of that name would be ambiguous.
#[test]
fn root_of_the_facade_hides_no_crate_that_hosts_use() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("[workspace.dependencies]").unwrap();
    let (dependencies, _) = dependencies.split_once("\n[").unwrap();
    let names = dependencies.lines().filter_map(|line| line.split_once(" = "));
    // The crates of this workspace may have the names of the facade's own modules.
    let crates = names.filter(|(name, _)| !name.starts_with("invitation"));
    let crates: BTreeSet<_> = crates.map(|(name, _)| name.replace('-', "_")).collect();
    assert!(crates.contains("redis") && crates.len() > 40, "the crates are read: {crates:?}");
    let hidden: Vec<_> = root_names().intersection(&crates).cloned().collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}
