//! Every relative link in the repository's Markdown leads to a file and a heading that exist, and the
//! documents name files and versions that exist.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the files below a folder that end with `end`, without those that builds write.
fn files(end: &str) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root())
        .output();
    let names = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8(listed.stdout).unwrap(),
        // Not a checkout: walk through the folders.
        _ => walk(&root(), Path::new("")).join("\n"),
    };
    let found: Vec<_> =
        names.lines().filter(|name| name.ends_with(end)).map(PathBuf::from).collect();
    assert!(found.len() >= 4, "the files are found: {found:?}");
    found.into_iter().filter(|file| root().join(file).exists()).collect()
}

fn walk(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = folder.join(&name);
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(walk(root, &path));
            }
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Returns the lines of a document outside of code blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push(line);
        }
    }
    lines
}

/// Returns the targets of the links and pictures in a document.
fn links(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in prose(text) {
        for rest in line.split("](").skip(1) {
            found.extend(rest.split_once(')').map(|(target, _)| target.to_owned()));
        }
        for name in ["src=\"", "srcset=\"", "href=\""] {
            let quoted = line.split(name).skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(quoted.map(str::to_owned));
        }
        let definition = line.trim_start_matches("//! ").trim_start_matches("/// ");
        if let Some((name, target)) = definition.split_once("]: ")
            && name.starts_with('[')
        {
            found.insert(target.trim().to_owned());
        }
    }
    found
}

/// Returns the anchors of a document's headings, as GitHub and rustdoc write them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Removes `.` and `..` from a path.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

/// Returns what is wrong with a link of a document.
fn fault(document: &Path, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let is_rustdoc =
        document.starts_with("src/guide") || document.starts_with("invitation-axum/docs");
    if path.starts_with("http://") || path.starts_with("https://") || path.starts_with("mailto:") {
        return None;
    }
    let file = if path.is_empty() {
        document.to_owned()
    } else if let (true, Some(chapter)) = (is_rustdoc, path.strip_prefix("super::")) {
        Path::new("src/guide").join(format!("{chapter}.md"))
    } else if is_rustdoc && (path.contains("::") || !path.contains(['.', '/'])) {
        // The name of an item: rustdoc checks it.
        return None;
    } else {
        normal(&document.parent().unwrap().join(path))
    };
    let at = root().join(&file);
    if !at.exists() {
        return Some(format!("{}: {target}: no file {}", document.display(), file.display()));
    }
    if anchor.is_empty() || file.extension().is_none_or(|end| end != "md") {
        return None;
    }
    let is_there = anchors(&read(&file)).contains(anchor);
    (!is_there).then(|| format!("{}: {target}: no such heading", document.display()))
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for document in files(".md") {
        for target in links(&read(&document)) {
            checked += 1;
            faults.extend(fault(&document, &target));
        }
    }
    assert!(checked > 50, "the links are read: {checked}");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn wrong_links_are_faults() {
    let readme = Path::new("README.md");
    assert_eq!(fault(readme, "docs/PERFORMANCE.md"), None);
    assert!(fault(readme, "docs/PERFORMANCES.md").is_some());
    assert_eq!(fault(readme, "docs/PERFORMANCE.md#bulk"), None);
    assert!(fault(readme, "docs/PERFORMANCE.md#bulky").is_some());
    let chapter = Path::new("src/guide/questions.md");
    assert_eq!(fault(chapter, "super::operating#retention"), None);
    assert!(fault(chapter, "super::operating#retentions").is_some());
    assert!(fault(chapter, "super::nowhere").is_some());
}

/// The architecture page names files in code spans.
#[test]
fn files_that_the_architecture_page_names_exist() {
    let text = read(Path::new("docs/ARCHITECTURE.md"));
    let spans: Vec<_> =
        text.split('`').skip(1).step_by(2).filter(|span| span.contains('/')).collect();
    assert!(spans.len() > 25, "the names are read: {spans:?}");
    let missing: Vec<_> = spans.into_iter().filter(|span| !root().join(span).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A program of the guide or the README that names a path of the repository.
#[test]
fn tests_that_the_guide_names_exist() {
    let text = read(Path::new("src/guide/alternatives.md"));
    let suite = root().join("invitation-conformance/src");
    let named = text.split('`').skip(1).step_by(2).filter_map(|span| span.split_once("::"));
    let named: Vec<_> =
        named.filter(|(group, _)| matches!(*group, "service" | "port" | "races")).collect();
    assert!(named.len() >= 7, "the names are read: {named:?}");
    for (group, name) in named {
        assert!(suite.join(group).join(format!("{name}.rs")).is_file(), "{group}::{name}");
    }
}

#[test]
fn readme_is_short_and_its_pictures_are_small() {
    let lines = read(Path::new("README.md")).lines().count();
    assert!(lines <= 150, "{lines} lines");
    for picture in ["docs/dashboard-light.png", "docs/dashboard-dark.png"] {
        let size = fs::metadata(root().join(picture)).unwrap().len();
        assert!((10_000..150_000).contains(&size), "{picture}: {size} bytes");
    }
}

/// Returns whether a text has a date such as `29 Nov 2026`.
fn has_date(text: &str) -> bool {
    const MONTHS: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).collect();
    words.windows(3).any(|three| {
        let [day, month, year] = three else { return false };
        day.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
            && MONTHS.split(' ').any(|name| name == *month)
            && year.len() == 4
            && year.starts_with("20")
    })
}

#[test]
fn sections_with_tables_of_figures_name_their_command_and_date() {
    let mut sections = 0;
    for document in ["docs/PERFORMANCE.md", "docs/SCALE.md"] {
        let text = read(Path::new(document));
        for section in text.split("\n## ").skip(1) {
            let is_figure = |cell: &str| {
                let cell = cell.trim();
                let is_part = |c: char| c.is_ascii_digit() || " .,·–-".contains(c);
                cell.starts_with(|c: char| c.is_ascii_digit()) && cell.chars().all(is_part)
            };
            let mut rows = section.lines().filter(|line| line.starts_with('|'));
            let is_figures = rows.any(|row| row.split('|').skip(2).any(is_figure));
            if !is_figures {
                continue;
            }
            sections += 1;
            let title = section.lines().next().unwrap_or_default();
            let has_command = section.contains("`scripts/")
                || section.contains("`cargo ")
                || section.contains(" scripts/bench");
            assert!(has_command, "{document}: {title}: no command");
            assert!(has_date(section), "{document}: {title}: no date");
        }
    }
    assert!(sections >= 6, "the sections are read: {sections}");
}
