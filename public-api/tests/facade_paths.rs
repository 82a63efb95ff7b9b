//! The examples of the inner crates name the items as a host does: by their paths in the facade.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use invitation_public_api::{Crate, examples, listing};
use syn::UseTree;

/// The crates whose items the facade exports.
const INNER: [&str; 7] = [
    "invitation_audit",
    "invitation_axum",
    "invitation_conformance",
    "invitation_core",
    "invitation_delivery",
    "invitation_redis",
    "invitation_sqlx",
];

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Maps each public path of each crate to the path of another crate that it is exported from, if
/// it is.
struct Paths(BTreeMap<String, BTreeMap<String, Option<String>>>);

impl Paths {
    fn read() -> Self {
        let crates = INNER.into_iter().chain(["invitation"]);
        Self(crates.map(|name| (name.to_owned(), paths_of(name))).collect())
    }

    /// Returns whether a host that has `path`'s crate can name `path`.
    fn has(&self, path: &str) -> bool {
        let (krate, rest) = path.split_once("::").unwrap_or((path, ""));
        // The items of crates outside of the workspace, such as sqlx, are not listed.
        let Some(paths) = self.0.get(krate) else { return true };
        if rest.is_empty() {
            return true;
        }
        // The item may be in a module that this crate exports from another one.
        let ends = rest.match_indices("::").map(|(at, _)| at).chain([rest.len()]);
        for end in ends {
            if let Some(Some(origin)) = paths.get(&rest[..end]) {
                return self.has(&format!("{origin}{}", &rest[end..]));
            }
        }
        paths.contains_key(rest)
    }
}

/// Returns the public paths of a crate.
fn paths_of(name: &str) -> BTreeMap<String, Option<String>> {
    let folder = if name == "invitation" { ".".to_owned() } else { name.replace('_', "-") };
    let root = workspace().join(folder).join("src/lib.rs");
    let listing = listing(&Crate::read(&root).unwrap()).unwrap();
    let lines = listing.lines().take_while(|line| !line.is_empty());
    let paths: BTreeMap<_, _> = lines
        .map(|line| {
            let line = line.split(" #[").next().unwrap_or(line);
            match line.split_once(" = ") {
                Some((path, origin)) => (path.to_owned(), Some(origin.to_owned())),
                None => (line.strip_suffix("::").unwrap_or(line).to_owned(), None),
            }
        })
        .collect();
    assert!(paths.len() > 5, "the paths of {name} are read: {paths:?}");
    paths
}

/// Returns the files of a folder and of its folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Returns what a reader sees of the examples in the comments of a file: without hidden lines.
fn shown(source: &str) -> Vec<String> {
    let comments: Vec<_> = source
        .lines()
        .map(|line| {
            let line = line.trim_start();
            let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            text.map_or("", |text| text.strip_prefix(' ').unwrap_or(text))
        })
        .collect();
    let is_shown = |line: &&str| {
        let line = line.trim_start();
        line != "#" && !line.starts_with("# ")
    };
    examples(&comments.join("\n"))
        .iter()
        .map(|example| example.code.lines().filter(is_shown).collect::<Vec<_>>().join("\n"))
        .collect()
}

/// Returns the paths in the `use` statements of an example that begin with the facade.
fn imports(example: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in example.match_indices("use invitation::") {
        let statement = example[at..].split_inclusive(';').next().unwrap();
        let item: syn::ItemUse = syn::parse_str(statement).unwrap();
        leaves(&item.tree, "", &mut found);
    }
    found
}

fn leaves(tree: &UseTree, before: &str, found: &mut Vec<String>) {
    let join = |name: &syn::Ident| match name.to_string().as_str() {
        "self" => before.to_owned(),
        name if before.is_empty() => name.to_owned(),
        name => format!("{before}::{name}"),
    };
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &join(&path.ident), found),
        UseTree::Name(name) => found.push(join(&name.ident)),
        UseTree::Rename(name) => found.push(join(&name.ident)),
        UseTree::Glob(_) => found.push(before.to_owned()),
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, found);
            }
        }
    }
}

#[test]
fn examples_of_inner_crates_import_from_the_facade() {
    let paths = Paths::read();
    let (mut imported, mut wrong) = (0, Vec::new());
    for file in INNER.map(|name| workspace().join(name.replace('_', "-")).join("src")) {
        for file in files(&file) {
            for example in shown(&fs::read_to_string(&file).unwrap()) {
                let inner = example.lines().filter(|line| INNER.iter().any(|x| line.contains(x)));
                wrong.extend(inner.map(|line| format!("{}: {line}", file.display())));
                for path in imports(&example) {
                    imported += 1;
                    if !paths.has(&path) {
                        wrong.push(format!("{}: the facade has no {path}", file.display()));
                    }
                }
            }
        }
    }
    assert!(imported > 500, "the examples are read: {imported} imports");
    assert!(wrong.is_empty(), "a host depends on `invitation` only:\n{}", wrong.join("\n"));
}

#[test]
fn path_is_found_only_where_the_facade_exports_it() {
    let paths = Paths::read();
    let there = [
        "invitation::Draft",
        "invitation::store",
        "invitation::store::feed::FeedPage",
        "invitation::delivery::BaseUrl",
        "invitation::testing::Fixture",
        "invitation::sql::sqlx::SqlitePool",
    ];
    for path in there {
        assert!(paths.has(path), "{path}");
    }
    for path in ["invitation::CodeFormat", "invitation::feed::FeedPage", "invitation::web::Gone"] {
        assert!(!paths.has(path), "{path}");
    }
}

#[test]
fn hidden_lines_are_not_shown() {
    let source = "
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     Draft,
///     store::{self, feed::FeedPage as Page},
/// };
/// #
/// #[derive(Debug)]
/// struct Shown;
/// ```
/// use invitation::Prose;
";
    let [example] = &shown(source)[..] else { panic!("one example") };
    assert!(example.contains("#[derive(Debug)]") && !example.contains("invitation_core"));
    assert_eq!(
        imports(example),
        ["invitation::Draft", "invitation::store", "invitation::store::feed::FeedPage"]
    );
}
