//! Tests of the export of the list.

use serde_json::json;

use crate::support::Harness;

#[tokio::test]
async fn the_file_has_what_the_list_has_but_no_code() {
    let harness = Harness::api();
    let bound = harness.create("sales-manager", &json!({"email": "anna@example.com"})).await;
    let used = harness.create("operations-manager", &json!({})).await;
    harness.redeem(used["code"].as_str().unwrap(), "ben").await.expect("a good code");
    let answer = harness.get("admin", "/export.csv").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/csv"));
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let text = answer.text();
    for code in [&bound["code"], &used["code"]] {
        assert!(!text.contains(code.as_str().unwrap()));
    }
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    let rows: Vec<Vec<&str>> =
        text.split_terminator("\r\n").map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][..6], ["id", "email", "email_domain", "role", "division", "status"]);
    assert_eq!(rows[1][0], used["id"]);
    assert_eq!((rows[1][5], rows[1][7]), ("used", "ben"));
    assert_eq!((rows[2][1], rows[2][5]), ("anna@example.com", "active"));
}

#[tokio::test]
async fn it_takes_the_filters_of_the_list() {
    let harness = Harness::api();
    harness.create("sales-manager", &json!({"email": "anna@example.com"})).await;
    harness.create("operations-manager", &json!({})).await;
    for (query, lines) in [
        ("", 3),
        ("?division=sales", 2),
        ("?search=anna&status=active&role=staff", 2),
        ("?status=used", 1),
        ("?status=all", 3),
    ] {
        let answer = harness.get("admin", &format!("/export.csv{query}")).await;
        let text = answer.text();
        assert_eq!(text.matches("\r\n").count(), lines, "{query}");
    }
    harness.get("admin", "/export.csv?status=x").await.invalid(&["/status"]);
    harness.get("admin", "/export.csv?search=-").await.invalid(&["/search"]);
    harness.get("admin", "/export.csv?limit=5").await.invalid(&["/limit"]);
    harness.get("sales-manager", "/export.csv").await.problem(403, "forbidden");
}

#[tokio::test]
async fn it_goes_on_page_after_page() {
    let harness = Harness::api();
    let rows = vec![json!({"role": "staff", "division": "sales"}); 450];
    assert_eq!(harness.post_json("admin", "/bulk", &json!(rows)).await.status, 201);
    let answer = harness.get("admin", "/export.csv").await;
    let text = answer.text();
    let ids: std::collections::BTreeSet<_> =
        text.split("\r\n").map(|line| line.split(',').next()).collect();
    assert_eq!(ids.len(), 450 + 2, "each once, a header, an end");
}

#[tokio::test]
async fn no_cell_is_a_formula() {
    let harness = Harness::api();
    let body = json!({"email": "=1+cmd@example.com", "role": "staff", "division": "+sales"});
    harness.create("admin", &body).await;
    let used = harness.create("admin", &json!({"role": "staff", "division": "@home"})).await;
    harness.redeem(used["code"].as_str().unwrap(), "=HYPERLINK(\"x\")").await.expect("a good code");
    let inner = harness.create("admin", &json!({"role": "staff", "division": "a,\"=cmd"})).await;
    harness.redeem(inner["code"].as_str().unwrap(), "x;=1+1").await.expect("a good code");
    let answer = harness.get("admin", "/export.csv").await;
    let text = answer.text();
    for cell in [
        ",'=1+cmd@example.com,",
        ",'+sales,",
        ",'@home,",
        ",\"'=HYPERLINK(\"\"x\"\")\",",
        ",x;'=1+1,",
        "\"a,'\"\"'=cmd\"",
    ] {
        assert!(text.contains(cell), "{cell} in {text}");
    }
}
