//! Tests of the export of the list.

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn the_file_has_what_the_list_has_but_no_code() {
    let world = World::new();
    let bound = world.created("sales-manager", &json!({"email": "anna@example.com"})).await;
    let used = world.created("operations-manager", &json!({})).await;
    world.redeem(used["code"].as_str().unwrap(), "ben").await.expect("a good code");
    let answer = world.get("admin", "/export.csv").await;
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
    let world = World::new();
    world.created("sales-manager", &json!({"email": "anna@example.com"})).await;
    world.created("operations-manager", &json!({})).await;
    for (query, lines) in [
        ("", 3),
        ("?division=sales", 2),
        ("?search=anna&status=active&role=staff", 2),
        ("?status=used", 1),
        ("?status=all", 3),
    ] {
        let answer = world.get("admin", &format!("/export.csv{query}")).await;
        let text = answer.text();
        assert_eq!(text.matches("\r\n").count(), lines, "{query}");
    }
    world.get("admin", "/export.csv?status=x").await.invalid(&["/status"]);
    world.get("admin", "/export.csv?search=-").await.invalid(&["/search"]);
    world.get("admin", "/export.csv?limit=5").await.invalid(&["/limit"]);
    world.get("sales-manager", "/export.csv").await.problem(403, "forbidden");
}

#[tokio::test]
async fn it_goes_on_page_after_page() {
    let world = World::new();
    let rows = vec![json!({"role": "staff", "division": "sales"}); 450];
    assert_eq!(world.post("admin", "/bulk", &json!(rows)).await.status, 201);
    let answer = world.get("admin", "/export.csv").await;
    let text = answer.text();
    let ids: std::collections::BTreeSet<_> =
        text.split("\r\n").map(|line| line.split(',').next()).collect();
    assert_eq!(ids.len(), 450 + 2, "each once, a header, an end");
}

#[tokio::test]
async fn no_cell_is_a_formula() {
    let world = World::new();
    let body = json!({"email": "=1+cmd@example.com", "role": "staff", "division": "+sales"});
    world.created("admin", &body).await;
    let used = world.created("admin", &json!({"role": "staff", "division": "@home"})).await;
    world.redeem(used["code"].as_str().unwrap(), "=HYPERLINK(\"x\")").await.expect("a good code");
    let inner = world.created("admin", &json!({"role": "staff", "division": "a,\"=cmd"})).await;
    world.redeem(inner["code"].as_str().unwrap(), "x;=1+1").await.expect("a good code");
    let answer = world.get("admin", "/export.csv").await;
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
