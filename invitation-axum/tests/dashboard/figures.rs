//! The numbers above the list, and the lists that they lead to.

use invitation_core::{Division, Draft, Role};

use crate::support::{Answer, Harness, MOUNT, person};

/// Returns the links of the numbers with the numbers, as in `?status=active 2`.
fn figures(page: &Answer) -> Vec<String> {
    let links = page.text().split("<li class=\"inv-count-").skip(1).map(|figure| {
        let href = figure.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
        let number = figure.split("inv-figure\">").nth(1).and_then(|rest| rest.split('<').next());
        let href = href.expect("a link").replace("&#38;", "&");
        format!("{} {}", href.strip_prefix(MOUNT).expect("the list"), number.expect("a number"))
    });
    links.collect()
}

/// Creates an invitation in a division.
async fn invite_in(harness: &Harness, division: &str) {
    let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
    let draft = draft.in_division(Division::new(division).expect("a division"));
    let admin = person("admin").expect("a person");
    harness.service().create(&admin, draft).await.expect("an administrator may");
}

#[tokio::test]
async fn numbers_of_a_division_lead_to_lists_of_the_division() {
    let harness = Harness::dashboard();
    for division in ["sales", "sales", "R&D"] {
        invite_in(&harness, division).await;
    }
    let all = harness.get("admin", "").await.is(200);
    assert_eq!(figures(&all)[0], "?status=active 3");
    for (query, expected) in [
        ("?division=sales", "?division=sales&status=active 2"),
        // The numbers are those of the division, whatever the other filters are.
        ("?division=sales&status=used&search=anna", "?division=sales&status=active 2"),
        ("?division=R%26D", "?division=R%26D&status=active 1"),
    ] {
        let page = harness.get("admin", query).await.is(200);
        assert_eq!(figures(&page)[0], expected, "{query}");
        let (path, number) = expected.split_once(' ').expect("a number");
        let list = harness.get("admin", path).await.is(200);
        list.says(&format!(">{number} code"));
    }
}

#[tokio::test]
async fn division_that_resembles_a_code_stays_out_of_the_links_of_numbers() {
    let harness = Harness::dashboard();
    let code = "7KQ2-ABCD";
    invite_in(&harness, code).await;
    let page = harness.post_form("admin", "/search", &[("division", code)]).await.is(200);
    assert_eq!(figures(&page)[0], "?status=active 1");
}
