//! The Grafana dashboard and the alerts of the guide ask for metrics, labels and values that the
//! library reports, and the dashboard leaves none out. A real Prometheus evaluates their queries.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod prometheus;

use std::collections::{BTreeMap, BTreeSet};

use invitation::audit::{Action, EventOutcome};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../docs/grafana.json");
const GUIDE: &str = include_str!("../../../src/guide/operating.md");
const OBSERVE: &str = include_str!("../../../invitation-core/src/observe.rs");
const OBSERVED: &str = include_str!("../../../invitation-core/src/observed.rs");

/// Returns the metrics of the table in `observe`, with their kind and labels.
fn reported() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let rows = OBSERVE.lines().filter_map(|line| line.strip_prefix("//! | `invitation_"));
    let metric = |row: &str| {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (format!("invitation_{}", cells[0]), (cells[1].to_owned(), labels))
    };
    rows.map(metric).collect()
}

/// Returns all queries of the dashboard.
fn queries() -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) if name == "expr" => found.push(text.to_owned()),
                        _ => collect(value, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(DASHBOARD).unwrap(), &mut found);
    assert!(found.len() >= 10, "the queries are read: {found:?}");
    found
}

/// Returns the expressions of the guide's alerts, in a table whose cells write `|` as `\\|`.
fn alerts() -> Vec<String> {
    let rows = GUIDE.lines().filter(|line| line.starts_with('|') && line.contains("(invitation_"));
    let found: Vec<_> =
        rows.map(|row| row.split('`').nth(1).unwrap().replace("\\|", "|")).collect();
    assert!(found.len() >= 4, "the alerts are read: {found:?}");
    found
}

/// Splits a text into the names in it.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|name| !name.is_empty())
}

#[test]
fn queries_name_metrics_and_labels_that_the_library_reports() {
    let reported = reported();
    assert!(reported.len() >= 9, "the table is read: {reported:?}");
    let mut asked = BTreeSet::new();
    for query in &queries() {
        let name = names(query).find(|name| name.starts_with("invitation_")).unwrap();
        let metric = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let is_histogram = metric.is_some();
        let metric = metric.unwrap_or(name);
        let (kind, labels) = reported.get(metric).unwrap_or_else(|| panic!("unknown: {query}"));
        assert_eq!(kind == "histogram", is_histogram, "{query}");
        // The labels are behind `by` and before an operator.
        let grouped = query.split(" by (").skip(1).filter_map(|rest| rest.split(')').next());
        let filtered = query.split('{').skip(1).filter_map(|rest| rest.split(['=', '!']).next());
        for label in grouped.chain(filtered).flat_map(names).filter(|label| *label != "le") {
            assert!(labels.contains(label), "{metric} has no label {label}: {query}");
        }
        asked.insert(metric.to_owned());
    }
    let all: BTreeSet<_> = reported.into_keys().collect();
    assert_eq!(asked, all, "each metric has a panel");
}

/// Returns the comparisons of a query: a label, and one of its values.
fn comparisons(query: &str) -> Vec<(&str, &str)> {
    let inside = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut found = Vec::new();
    for (label, values) in
        inside.flat_map(|filters| filters.split("\",")).filter_map(|one| one.split_once('"'))
    {
        let label = label.trim_end_matches(['=', '!', '~']);
        found.extend(values.trim_end_matches('"').split('|').map(|value| (label, value)));
    }
    found
}

#[test]
fn queries_compare_labels_with_values_that_exist() {
    let mut compared = 0;
    for query in queries().iter().chain(&alerts()) {
        for (label, value) in comparisons(query) {
            let is_of_store = query.contains("invitation_store_calls_total");
            let exists = match label {
                "action" => value.parse::<Action>().is_ok(),
                // `call_ended` of the core has the outcomes of calls to a store.
                "outcome" if is_of_store => OBSERVED.contains(&format!("\"{value}\"")),
                "outcome" => value == "replayed" || value.parse::<EventOutcome>().is_ok(),
                _ => panic!("unknown label {label}: {query}"),
            };
            assert!(exists, "{label} {value}: {query}");
            compared += 1;
        }
    }
    assert!(compared >= 10, "the comparisons are read: {compared}");
}
