//! The QR code on the page of a new invitation, read by a decoder that shares no code with it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use invitation_axum::{BaseUrl, Web};
use invitation_core::{Criteria, Paging};

use crate::support::{Harness, person};

/// The number of pixels that the test draws for each module.
const SCALE: usize = 4;

/// Draws the dark modules of the picture on a page, and returns the text that they stand for.
fn decoded(page: &str) -> String {
    let (_, html) = page.split_once("<figure class=\"inv-qr\">").expect("a picture");
    let attribute = |name: &str| {
        let (_, rest) = html.split_once(name).unwrap_or_else(|| panic!("{name} is not in {html}"));
        rest.split_once('"').unwrap().0
    };
    let side: usize = attribute("viewBox=\"0 0 ").split(' ').next().unwrap().parse().unwrap();
    let light = format!("M0 0h{side}v{side}H0z");
    assert_eq!(attribute("<path fill=\"#fff\" d=\""), light, "light below the whole");
    let mut is_dark = vec![false; side * side];
    for run in attribute("<path fill=\"#000\" d=\"").split_terminator('z') {
        let (at, length) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
        let (x, y) = at.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let (length, back) = length.split_once("v1h-").unwrap();
        assert_eq!(length, back);
        let length: usize = length.parse().unwrap();
        assert!(x >= 4 && y >= 4 && x + length <= side - 4 && y < side - 4, "the border is light");
        is_dark[y * side + x..y * side + x + length].fill(true);
    }
    let pixels = side * SCALE;
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(pixels, pixels, |x, y| {
        if is_dark[y / SCALE * side + x / SCALE] { 0 } else { 255 }
    });
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().unwrap().1
}

/// Creates an invitation by the form, and returns the page and the registration link.
async fn created(harness: &Harness) -> (String, String) {
    let page = harness.post_form("sales-manager", "/new", &[("expires_in_days", "7")]).await;
    let admin = person("admin").unwrap();
    let list = harness.service().list(&admin, &Criteria::new(), Paging::default()).await.unwrap();
    let link = harness.web.link(list.items()[0].code().unwrap());
    let link = link.map(|link| link.reveal().to_owned()).unwrap_or_default();
    (page.is(201).text().to_owned(), link)
}

#[tokio::test]
async fn picture_of_a_new_invitation_is_its_link_with_the_link_as_text() {
    for (base, path) in [
        ("https://example.com", "/register"),
        ("http://127.0.0.1:3000/app", "/join?lang=de"),
        ("https://a-rather-long-name.of-a-house.example.com/some/where", "/register"),
    ] {
        let base = BaseUrl::parse(base).unwrap();
        let set = |web: Web| web.with_base_url(base).with_register_path(path);
        let harness = Harness::dashboard().with_web(set);
        for _ in 0..5 {
            let (page, link) = created(&harness).await;
            assert_eq!(decoded(&page), link);
            assert!(page.contains("role=\"img\" aria-label=\"QR code of the registration link\""));
            assert!(page.contains(&format!("<span class=\"inv-qr-link\">{link}</span>")), "{page}");
        }
    }
}

#[tokio::test]
async fn page_without_a_base_url_has_no_picture() {
    let harness = Harness::dashboard();
    let service = harness.service().clone();
    let harness = harness.with_web(|_| Web::new(service, crate::harness::people::who));
    let (page, link) = created(&harness).await;
    assert!(link.is_empty() && !page.contains("inv-qr"));
}
