//! Each chapter of the guide lists the dependencies of its snippets, as this workspace has them.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the lines of a table of a manifest, such as `[features]`, as names and values.
fn table<'a>(manifest: &'a str, name: &str) -> BTreeMap<&'a str, &'a str> {
    let (_, rest) = manifest.split_once(&format!("[{name}]\n")).unwrap();
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ")).collect()
}

/// A dependency as a page lists it.
#[derive(PartialEq, Eq, Debug)]
struct Dependency {
    name: String,
    /// None if the page leaves the version to cargo.
    version: Option<String>,
    features: BTreeSet<String>,
}

/// Returns the texts in quotes behind `key = `, or the value itself if that is all.
fn quoted(value: &str, key: &str) -> Vec<String> {
    let from = value.split_once(&format!("{key} = ")).map(|(_, rest)| rest);
    let rest = from.or_else(|| (value.starts_with('"') && key == "version").then_some(value));
    let Some(rest) = rest else { return Vec::new() };
    let end = if rest.starts_with('[') { rest.find(']').unwrap() } else { rest.len() };
    let texts = rest[..end].split('"').skip(1).step_by(2).map(str::to_owned);
    if rest.starts_with('[') { texts.collect() } else { texts.take(1).collect() }
}

/// Returns the dependency that a line lists, in a manifest or for `cargo add`.
fn dependency(line: &str) -> Option<Dependency> {
    if let Some(added) = line.strip_prefix("cargo add ") {
        let words: Vec<_> = added.split_whitespace().collect();
        let after = |flag: &str| {
            words.iter().position(|word| *word == flag).map(|at| words[at + 1].to_owned())
        };
        let name = after("--path").map_or(words[0].to_owned(), |path| path.replace("../", ""));
        let (name, version) = match name.split_once('@') {
            Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
            None => (name, None),
        };
        let features = after("--features").unwrap_or_default();
        let features = features.split(',').filter(|one| !one.is_empty()).map(str::to_owned);
        return Some(Dependency { name, version, features: features.collect() });
    }
    let (name, value) = line.split_once(" = ")?;
    Some(Dependency {
        name: name.to_owned(),
        version: quoted(value, "version").pop(),
        features: quoted(value, "features").into_iter().collect(),
    })
}

/// A page: the code that a reader sees, and the dependencies that it lists.
struct Page {
    code: String,
    dependencies: Vec<Dependency>,
}

fn page(text: &str) -> Page {
    let mut page = Page { code: String::new(), dependencies: Vec::new() };
    for (n, block) in text.split("```").enumerate() {
        let (language, body) = block.split_once('\n').unwrap_or((block, ""));
        match language {
            _ if n % 2 == 0 => {}
            "toml" | "sh" => page.dependencies.extend(body.lines().filter_map(dependency)),
            "" | "rust" | "rust,no_run" => {
                let shown = body.lines().filter(|line| *line != "#" && !line.starts_with("# "));
                shown.for_each(|line| page.code.extend([line, "\n"]));
            }
            _ => {}
        }
    }
    page
}

/// Returns which of the crates the code names: at the beginning of a `use`, or of another path.
fn used<'a>(code: &str, crates: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let (mut imports, mut rest) = (String::new(), String::new());
    for statement in code.split_inclusive([';', '\n']) {
        let is_import = statement.starts_with("use ");
        let open = imports.matches('{').count() > imports.matches('}').count();
        if is_import || open { &mut imports } else { &mut rest }.push_str(statement);
    }
    let names = |krate: &&str| {
        let path = format!("{}::", krate.replace('-', "_"));
        let begins = |at: usize| {
            let before = rest[..at].chars().next_back();
            !before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before))
        };
        imports.contains(&format!("use {path}"))
            || rest.match_indices(&path).any(|(at, _)| begins(at))
    };
    crates.filter(names).collect()
}

/// Returns the mistakes in the dependencies of a page.
fn mistakes(page: &Page, manifest: &str) -> Vec<String> {
    let (workspace, features) =
        (table(manifest, "workspace.dependencies"), table(manifest, "features"));
    let mut found = Vec::new();
    let listed: BTreeSet<_> = page.dependencies.iter().map(|one| one.name.as_str()).collect();
    let mut needed = used(&page.code, workspace.keys().copied());
    if page.code.contains(".await") {
        // A database of the host, and the runtime that runs the snippets.
        let has_sqlite = page.code.contains("SqliteStore");
        needed.extend(has_sqlite.then_some("sqlx"));
        needed.extend((!needed.contains("actix-web")).then_some("tokio"));
    }
    found.extend(needed.difference(&listed).map(|name| format!("does not list {name}")));
    for Dependency { name, version, features: wanted } in &page.dependencies {
        let Some(value) = workspace.get(name.as_str()) else {
            found.push(format!("lists {name}, which the workspace does not have"));
            continue;
        };
        let tested = quoted(value, "version").pop().unwrap().replace('=', "");
        if version.as_ref().is_some_and(|one| !format!("{tested}.").starts_with(&format!("{one}.")))
        {
            found.push(format!("lists {name} {version:?}, and the tests use {tested}"));
        }
        let unknown = wanted.iter().filter(|one| !features.contains_key(one.as_str()));
        if name == "invitation" {
            found.extend(unknown.map(|one| format!("lists the feature {one}")));
        }
        if name == "sqlx" && !wanted.contains("runtime-tokio") {
            found.push("lists sqlx without a runtime".to_owned());
        }
    }
    found
}

#[test]
fn pages_list_the_dependencies_of_their_snippets() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (mut pages, mut found) = (0, Vec::new());
    let guide = fs::read_dir(root().join("src/guide")).unwrap();
    let files = guide.map(|entry| entry.unwrap().path()).chain([root().join("README.md")]);
    for file in files.filter(|file| file.extension().is_some_and(|end| end == "md")) {
        let mut page = page(&fs::read_to_string(&file).unwrap());
        // The chapter *Moving in* has its program in a file of its own.
        let program = file.with_extension("rs");
        if Path::new(&program).exists() {
            page.code = fs::read_to_string(program).unwrap();
        }
        if !page.code.is_empty() {
            pages += 1;
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(mistakes(&page, &manifest).iter().map(|one| format!("{name} {one}")));
        }
    }
    assert!(pages >= 14, "the pages are read: {pages}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn missing_and_wrong_dependencies_are_found() {
    let manifest = "[workspace.dependencies]\n\
                    invitation = { path = \".\", version = \"=0.1.0\" }\n\
                    sqlx = { version = \"0.9.0\", features = [\"migrate\"] }\n\
                    time = \"0.3.55\"\ntokio = { version = \"1\" }\n\
                    [features]\nsqlite = [\"sqlx\"]\n";
    let text = "```\nuse invitation::{\n    store::time::Day,\n    SqliteStore,\n};\n\
                # let _ = tokio::spawn(async {});\nlet _ = time::Duration::MINUTE;\n\
                open().await?;\n```\n";
    let with = |lines: &str| mistakes(&page(&format!("{text}\n```toml\n{lines}```\n")), manifest);
    assert_eq!(
        with(""),
        [
            "does not list invitation",
            "does not list sqlx",
            "does not list time",
            "does not list tokio"
        ]
    );
    let right = "invitation = { version = \"0.1\", features = [\"sqlite\"] }\n\
                 sqlx = { version = \"0.9\", features = [\"runtime-tokio\"] }\n\
                 time = \"0.3\"\ntokio = { version = \"1\", features = [\"macros\"] }\n";
    assert!(with(right).is_empty(), "{:?}", with(right));
    for (from, to, mistake) in [
        ("\"sqlite\"", "\"sqlit\"", "lists the feature sqlit"),
        ("\"0.9\"", "\"0.8\"", "lists sqlx Some(\"0.8\"), and the tests use 0.9.0"),
        ("\"runtime-tokio\"", "\"macros\"", "lists sqlx without a runtime"),
        ("time =", "timer =", "lists timer, which the workspace does not have"),
    ] {
        let found = with(&right.replace(from, to));
        assert!(found.iter().any(|one| one == mistake), "{found:?}");
    }
    let added = page(
        "```sh\ncargo add --path ../invitation --features sqlite,axum\n\
         cargo add sqlx@0.9 --no-default-features --features runtime-tokio\n```\n",
    );
    let names: Vec<_> = added.dependencies.iter().map(|one| (&*one.name, &one.version)).collect();
    assert_eq!(names, [("invitation", &None), ("sqlx", &Some("0.9".to_owned()))]);
}
