//! Secrets that must not leak, and input that must not get in.

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_axum::Dashboard;
use invitation_core::{Division, Draft, Redeemer, Role, UserId, Username};

use crate::support::{Answer, Harness, MOUNT, person, request};

fn assert_hardened(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let inline = ["<style", "style=\"", "onclick=", "javascript:", "<script>"];
    assert!(inline.iter().all(|inline| !answer.text().contains(inline)), "{}", answer.text());
}

#[tokio::test]
async fn every_page_is_hardened() {
    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    for path in ["", "/new", "/events", "/nowhere", "?limit=x", "?cursor=x", "/events?kind=x"] {
        assert_hardened(&harness.get("admin", path).await);
    }
    for word in ["", "/edit", "/revoke", "/rotate", "/delete", "/reinstate"] {
        assert_hardened(&harness.get("admin", &format!("/{id}{word}")).await);
    }
    assert_hardened(&harness.get("", "").await);
    assert_hardened(&harness.post_form("admin", "/new", &[("email", "x")]).await);
    assert_hardened(&harness.post_form("admin", &format!("/{id}/copy"), &[]).await);
}

#[tokio::test]
async fn assets_are_kept_for_good_under_addresses_of_their_content() {
    let harness = Harness::dashboard();
    let page = harness.get("admin", "").await;
    for (attribute, kind) in [("href", "text/css"), ("src", "text/javascript")] {
        let tag = format!("{attribute}=\"{}/assets/", crate::support::MOUNT);
        let rest = &page.text()[page.text().find(&tag).unwrap() + tag.len()..];
        let name = rest.split('"').next().unwrap();
        let asset = harness.get("", &format!("/assets/{name}")).await.is(200);
        assert!(asset.header("content-type").starts_with(kind));
        assert!(asset.header("cache-control").contains("immutable"));
        let request = request(Method::POST, "", &format!("/assets/{name}")).body(Body::empty());
        harness.send(request.unwrap()).await.problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn no_code_gets_into_an_address() {
    let divisions = [Division::new("sales").unwrap()];
    let harness = Harness::dashboard().with_dashboard(Dashboard::new().with_divisions(divisions));
    let (mut codes, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let created = harness.invite().await;
        codes.push(created.code().reveal());
        ids.push(created.invitation().id());
    }
    let code = codes[0].as_str();
    let mut answers = Vec::new();
    for field in ["search", "division", "role", "status", "limit", "cursor"] {
        answers.push(harness.post_form("admin", "/search", &[(field, code), ("limit", "1")]).await);
    }
    for field in ["actor", "division", "invitation", "kind"] {
        answers.push(harness.post_form("admin", "/events", &[(field, code)]).await);
    }
    answers.push(harness.get("admin", "?limit=1").await);
    answers.push(harness.post_form("sales-manager", "/new", &[("email", code)]).await);
    for answer in &answers {
        assert!(!answer.header("location").contains(code));
        for part in answer.text().split("href=\"").chain(answer.text().split("action=\"")).skip(1) {
            let address = part.split('"').next().unwrap_or_default();
            assert!(!codes.iter().any(|code| address.contains(code.as_str())), "{address}");
        }
    }
    // The search itself works, and a found code leads to its invitation.
    let id = ids[0];
    let link = format!("https://example.com/register#{code}");
    let lower = code.to_lowercase();
    for typed in [code, &code[..9], &code[..17], &link, &lower] {
        let found = harness.post_form("sales-manager", "/search", &[("search", typed)]).await;
        assert_eq!(found.leads_to(), format!("{MOUNT}/{id}"), "{typed}");
    }
    // A code without a match is answered directly, without an address.
    let active = [("search", code), ("status", "used")];
    harness.post_form("sales-manager", "/search", &active).await.is(200).says("Nothing matches");
    harness.post_form("operations-manager", "/search", &[("search", code)]).await.is(200);
    let mistyped = code.replacen(|c: char| c.is_alphanumeric(), "U", 1);
    let shown = harness.post_form("sales-manager", "/search", &[("search", &mistyped)]).await;
    assert!(!shown.status.is_redirection(), "a code with a mistake is a code");
}

#[tokio::test]
async fn a_search_has_an_address_unless_it_resembles_a_code() {
    let harness = Harness::dashboard();
    let form = |search| [("search", search), ("status", "all"), ("role", ""), ("limit", "50")];
    for (typed, query) in [
        ("anna", "search=anna"),
        ("j.smith@example.com", "search=j.smith%40example.com"),
        ("anna+1990@example.com", "search=anna%2B1990%40example.com"),
        ("Alexander Hamilton", "search=Alexander+Hamilton"),
        ("7KQ2", "search=7KQ2"),
        ("\u{674e}", "search=%E6%9D%8E"),
        ("a&status=used", "search=a%26status%3Dused"),
    ] {
        let answer = harness.post_form("admin", "/search", &form(typed)).await;
        assert_eq!(answer.leads_to(), format!("{MOUNT}?{query}"));
    }
    for typed in ["7KQ2-ABCD", "7kq2 abcd 9", "https://example.com/register#7KQ2-ABCD"] {
        let page = harness.post_form("admin", "/search", &form(typed)).await.is(200);
        let field = format!("value=\"{}\"", typed.replace('#', "&#35;"));
        assert!(
            page.text().contains(&field) || page.text().contains(&format!("value=\"{typed}\""))
        );
    }
    let users = [("actor", "u-anna"), ("kind", "copy")];
    let answer = harness.post_form("admin", "/events", &users).await;
    assert_eq!(answer.leads_to(), format!("{MOUNT}/events?actor=u-anna&kind=copy"));
    harness.get("admin", "/events?actor=u-anna&kind=copy").await.is(200).says("value=\"u-anna\"");
}

#[tokio::test]
async fn a_code_among_other_text_gets_into_no_address() {
    let harness = Harness::dashboard();
    let code = harness.invite().await.code().reveal();
    let other = harness.invite().await.code().reveal();
    let (code, other) = (code.as_str(), other.as_str());
    let long = format!("{code} {}", "x".repeat(200));
    let unlike = "x".repeat(201);
    for (typed, status) in [
        (format!("Code is {code}"), 200),
        (format!("{code} anna@example.com"), 200),
        (format!("{code}\tanna@example.com\tStaff\tActive"), 200),
        (format!("https://example.com/register#{code} thanks"), 200),
        (format!("{code} {other}"), 200),
        (long, 422),
        (unlike, 422),
    ] {
        let answer = harness.post_form("admin", "/search", &[("search", &typed)]).await.is(status);
        assert_eq!(answer.header("location"), "", "{typed}");
        for part in answer.text().split("href=\"").skip(1) {
            let address = part.split('"').next().unwrap_or_default();
            assert!(!address.contains(&code[..9]) && !address.contains("xxx"), "{address}");
        }
    }
}

#[tokio::test]
async fn a_search_goes_on_over_pages() {
    let harness = Harness::dashboard();
    for n in 0..3 {
        let email = invitation_core::Email::parse(&format!("anna.{n}@example.com")).unwrap();
        let draft = Draft::new().for_email(email);
        harness.service().create(&person("sales-manager").unwrap(), draft).await.unwrap();
    }
    let first =
        harness.post_form("sales-manager", "/search", &[("search", "anna"), ("limit", "2")]).await;
    assert_eq!(first.leads_to(), format!("{MOUNT}?search=anna&limit=2"));
    let page = harness.get("sales-manager", "?search=anna&limit=2").await.is(200).says(">2 codes");
    let next = page.text().split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let next = next.strip_prefix(MOUNT).unwrap();
    assert!(next.starts_with("?search=anna&limit=2&cursor="), "{next}");
    harness.get("sales-manager", next).await.is(200).says("1 code<").says("Previous");
}

#[tokio::test]
async fn html_in_every_free_text_is_only_text() {
    let evil = "<img/src=x onerror=alert(1)>\"'";
    let harness = Harness::dashboard();
    let admin = person("admin").unwrap();
    let division = Division::new(evil).unwrap();
    let draft = Draft::new().with_role(Role::new("staff").unwrap()).in_division(division);
    let created = harness.service().create(&admin, draft).await.unwrap();
    let redeemer = Redeemer::new(UserId::new(evil).unwrap(), Username::new(evil).unwrap());
    harness.service().redeem(&created.code().reveal(), &redeemer).await.unwrap();
    let id = harness.invite().await.invitation().id();
    let reason = [("version", "1"), ("reason", evil)];
    harness.post_form("admin", &format!("/{id}/revoke"), &reason).await.leads_to();
    let shown = created.invitation().id();
    let mut pages = vec![
        harness.get("admin", "").await,
        harness.get("admin", "/events").await,
        harness.get("admin", &format!("/{shown}")).await,
        harness.get("admin", &format!("/{id}")).await,
        harness.get("admin", &format!("/{evil}").replace(['<', '>', '"', ' '], "x")).await,
        harness.post_form("admin", "/search", &[("search", evil), ("division", evil)]).await,
        harness.post_form("admin", "/search", &[("status", evil), ("limit", evil)]).await,
        harness.post_form("admin", "/events", &[("actor", evil), ("invitation", evil)]).await,
    ];
    for field in ["email", "email_domain", "role", "division", "expires_in_days", "max_uses"] {
        pages.push(harness.post_form("admin", "/new", &[(field, evil), ("key", evil)]).await);
    }
    for page in pages {
        assert!(!page.text().contains("<img"), "{}", page.text());
        assert!(!page.text().contains("\"'\""), "{}", page.text());
    }
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.test")],
        &[
            ("origin", "https://evil.test"),
            ("x-forwarded-host", "evil.test"),
            ("host", "evil.test"),
        ],
    ];
    for headers in foreign {
        for path in ["/new".to_owned(), format!("/{id}/copy"), format!("/{id}/delete")] {
            let mut request = request(Method::POST, "admin", &path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = harness.send(request.body(Body::from("version=1")).unwrap()).await;
            answer.is(403).says("That came from another site");
        }
    }
    harness.get("admin", &format!("/{id}")).await.is(200);
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_forms() {
    let harness = Harness::dashboard();
    let post = |kind: &str, body: Vec<u8>| {
        let request = request(Method::POST, "admin", "/new").header(header::CONTENT_TYPE, kind);
        harness.send(request.body(Body::from(body)).unwrap())
    };
    post("application/x-www-form-urlencoded", vec![b'a'; 10_000_000]).await.is(413);
    post("application/json", b"{}".to_vec()).await.is(415);
    // A byte that is not UTF-8, and the character that stands for such a byte elsewhere.
    post("application/x-www-form-urlencoded", b"email=%ff".to_vec()).await.is(400);
    post("application/x-www-form-urlencoded", b"email=%ef%bf%bd".to_vec()).await.is(422);
    harness.send(request(Method::PUT, "admin", "/new").body(Body::empty()).unwrap()).await.is(405);
}
