//! Tests of the filter and the order by expiry.

use crate::support::{Harness, MOUNT};

/// Creates invitations that expire in 9, 2 and 5 days, and one that has expired.
async fn some(harness: &Harness) {
    for (name, days) in [("over", 1), ("nine", 11), ("two", 4), ("five", 7)] {
        let email = format!("{name}@example.com");
        let body = [("email", &*email), ("expires_in_days", &days.to_string()), ("key", name)];
        harness.post_form("sales-manager", "/new", &body).await.is(201);
        harness.clock.advance(time::Duration::SECOND);
    }
    harness.clock.advance(time::Duration::days(2));
}

/// Returns the names in the list, in its order.
fn names(page: &str) -> Vec<&str> {
    let mut found: Vec<_> = page.match_indices("@example.com").collect();
    let names = found.iter_mut().map(|(at, _)| {
        let start = page[..*at].rfind(|c: char| !c.is_alphanumeric()).map_or(0, |at| at + 1);
        &page[start..*at]
    });
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names
}

#[tokio::test]
async fn list_by_soonest_expiry_shows_active_invitations_in_that_order() {
    let harness = Harness::dashboard();
    some(&harness).await;
    let page = harness.get("sales-manager", "?sort=expires").await.is(200);
    assert_eq!(names(page.text()), ["two", "five", "nine"]);
    page.says("<option value=\"expires\" selected>").says("<option value=\"active\" selected>");
    let page = harness.get("sales-manager", "").await.is(200);
    assert_eq!(names(page.text()), ["five", "two", "nine", "over"]);
    page.says(">Sort By</label>").says(">Expiring within (days)</label>");

    let form = [("status", "all"), ("sort", "expires"), ("within", ""), ("limit", "50")];
    let answer = harness.post_form("sales-manager", "/search", &form).await.is(303);
    assert!(answer.header("location").ends_with("?status=active&sort=expires"));
    let wrong = harness.get("sales-manager", "?sort=expires&status=used").await.is(422);
    wrong.says("id=\"inv-sort-error\">By expiry goes with the status active only");
}

#[tokio::test]
async fn list_of_invitations_expiring_within_days_ends_there() {
    let harness = Harness::dashboard();
    some(&harness).await;
    for (query, expected) in [
        ("?within=5", &["five", "two"][..]),
        ("?within=5&sort=expires", &["two", "five"]),
        ("?within=1", &[]),
        ("?within=365", &["five", "two", "nine"]),
        ("?within=5&search=two", &["two"]),
    ] {
        let page = harness.get("sales-manager", query).await.is(200);
        let list = page.text().split("id=\"inv-results\"").nth(1).expect("the list");
        assert_eq!(names(list), expected, "{query}");
    }
    let form = [("status", "all"), ("sort", "created"), ("within", "5"), ("limit", "50")];
    let answer = harness.post_form("sales-manager", "/search", &form).await.is(303);
    assert!(answer.header("location").ends_with("?status=active&within=5"));
    for wrong in ["0", "366", "-1", "soon", "1.5"] {
        let page = harness.get("sales-manager", &format!("?within={wrong}")).await.is(422);
        page.says("id=\"inv-within-error\">Must be 1 to 365 days")
            .says(&format!("value=\"{wrong}\""));
    }
}

#[tokio::test]
async fn days_on_the_next_page_are_counted_from_the_first() {
    let harness = Harness::dashboard();
    let create = async |name: &str, days: &str| {
        let email = format!("{name}@example.com");
        let form = [("email", &*email), ("expires_in_days", days), ("key", name)];
        harness.post_form("sales-manager", "/new", &form).await.is(201);
        harness.clock.advance(time::Duration::SECOND);
    };
    create("late", "5").await;
    create("soon", "3").await;
    for n in 0..50 {
        create(&format!("n{n}"), "3").await;
    }
    let first = harness.get("sales-manager", "?within=4").await.is(200);
    let (_, link) = first.text().split_once("rel=\"next\" href=\"").expect("a second page");
    let link = link.split('"').next().expect("an end").replace("&#38;", "&");
    let path = link.strip_prefix(MOUNT).expect("a path of the dashboard").to_owned();
    // By now, the one in five days expires within four.
    harness.clock.advance(time::Duration::hours(25));
    let second = harness.get("sales-manager", &path).await.is(200);
    assert_eq!(names(second.text()), ["soon"]);
}

#[tokio::test]
async fn next_page_keeps_the_order_and_the_days() {
    let harness = Harness::dashboard();
    for n in 0..60 {
        let form = [("expires_in_days", "3"), ("key", &*format!("k-{n}"))];
        harness.post_form("sales-manager", "/new", &form).await.is(201);
    }
    let page = harness.get("sales-manager", "?sort=expires&within=4").await.is(200);
    page.says("within=4&#38;sort=expires&#38;cursor=");
}
