//! The redemptions on the page of an invitation for several people.

use std::num::NonZeroU32;

use invitation_core::{Division, Draft, Role};
use time::Duration;

use crate::support::{Harness, MOUNT, person};

/// Returns the path of the link with this relation, below the mount point.
fn link(page: &str, rel: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("rel=\"{rel}\" href=\""))?;
    let (href, _) = after.split_once('"')?;
    let href = href.replace("&#38;", "&").replace("&amp;", "&");
    Some(href.strip_prefix(MOUNT).expect("a path of the dashboard").to_owned())
}

/// Returns the names of the redeemers, in the order of the page.
fn names(page: &str) -> Vec<String> {
    let cells = page.split("<bdi>person-").skip(1);
    let names = cells.map(|cell| cell.split('<').next().expect("a name").to_owned());
    // The fact above the list names the last one, and the number of the others.
    names.filter(|name| name.len() == 2).collect()
}

#[tokio::test]
async fn all_redemptions_of_an_invitation_are_reached_by_links() {
    let harness = Harness::dashboard();
    let draft = Draft::new()
        .with_role(Role::new("staff").expect("a role"))
        .in_division(Division::new("sales").expect("a division"))
        .for_uses(NonZeroU32::MIN.saturating_add(59));
    let admin = person("admin").expect("a person");
    let created = harness.service().create(&admin, draft).await.expect("an administrator may");
    let code = created.code().reveal();
    let mut expected = Vec::new();
    for n in 0..51 {
        harness.clock.advance(Duration::SECOND);
        harness.redeem(&code, &format!("person-{n:02}")).await.expect("a use is left");
        expected.insert(0, format!("{n:02}"));
    }

    let first = format!("/{}", created.invitation().id());
    let page = harness.get("admin", &first).await.is(200).text().to_owned();
    assert_eq!(names(&page), expected[..50]);
    assert_eq!(link(&page, "prev"), None);
    let next = link(&page, "next").expect("a link to the oldest redemption");
    let page = harness.get("admin", &next).await.is(200).text().to_owned();
    assert_eq!(names(&page), expected[50..]);
    assert_eq!(link(&page, "next"), None);
    assert_eq!(link(&page, "prev"), Some(first.clone()));
    harness.get("admin", &format!("{first}?cursor=nonsense")).await.is(422);
    // A use by one person needs no pages.
    let one = format!("/{}", harness.invite().await.invitation().id());
    harness.get("admin", &one).await.is(200).says_nothing_of("inv-pager");
}
