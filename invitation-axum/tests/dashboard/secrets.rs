//! What must not leak, and what must not get in.

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_axum::Dashboard;
use invitation_core::{Division, Draft, Redeemer, Role, UserId, Username};

use crate::support::{Answer, World, person, request};

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
    let world = World::new();
    let id = world.created().await.invitation().id;
    for path in ["", "/new", "/events", "/nowhere", "?rows=x", "?cursor=x", "/events?action=x"] {
        assert_hardened(&world.get("admin", path).await);
    }
    for word in ["", "/edit", "/revoke", "/rotate", "/delete", "/reinstate"] {
        assert_hardened(&world.get("admin", &format!("/{id}{word}")).await);
    }
    assert_hardened(&world.get("", "").await);
    assert_hardened(&world.post("admin", "/new", &[("email", "x")]).await);
    assert_hardened(&world.post("admin", &format!("/{id}/copy"), &[]).await);
}

#[tokio::test]
async fn assets_are_kept_for_good_under_addresses_of_their_content() {
    let world = World::new();
    let page = world.get("admin", "").await;
    for (attribute, kind) in [("href", "text/css"), ("src", "text/javascript")] {
        let tag = format!("{attribute}=\"{}/assets/", crate::support::MOUNT);
        let rest = &page.text()[page.text().find(&tag).unwrap() + tag.len()..];
        let name = rest.split('"').next().unwrap();
        let asset = world.get("", &format!("/assets/{name}")).await.is(200);
        assert!(asset.header("content-type").starts_with(kind));
        assert!(asset.header("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn no_code_gets_into_an_address() {
    let divisions = [Division::new("sales").unwrap()];
    let world = World::with(Dashboard::new().with_divisions(divisions));
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(world.created().await.code().reveal());
    }
    let code = codes[0].as_str();
    let mut answers = Vec::new();
    for field in ["search", "division", "role", "status", "rows", "cursor"] {
        answers.push(world.post("admin", "/search", &[(field, code), ("rows", "1")]).await);
    }
    for field in ["user", "division", "invitation", "action"] {
        answers.push(world.post("admin", "/events", &[(field, code)]).await);
    }
    answers.push(world.get("admin", "?rows=1").await);
    answers.push(world.post("sales-manager", "/new", &[("email", code)]).await);
    for answer in &answers {
        assert!(!answer.header("location").contains(code));
        for part in answer.text().split("href=\"").chain(answer.text().split("action=\"")).skip(1) {
            let address = part.split('"').next().unwrap_or_default();
            assert!(!codes.iter().any(|code| address.contains(code.as_str())), "{address}");
        }
    }
    // The search itself works.
    let found = world.post("sales-manager", "/search", &[("search", code)]).await.is(200);
    found.says("1 code<").says(&format!("value=\"{code}\""));
    // And in an address it is not even looked at.
    world.get("sales-manager", &format!("?search={code}")).await.is(200).says("3 codes<");
}

#[tokio::test]
async fn a_search_goes_on_over_pages_without_an_address() {
    let world = World::new();
    for n in 0..3 {
        let email = invitation_core::Email::parse(&format!("anna.{n}@example.com")).unwrap();
        let draft = Draft::new().for_email(email);
        world.service.create(&person("sales-manager").unwrap(), draft).await.unwrap();
    }
    let first = [("search", "anna"), ("rows", "2")];
    let page = world.post("sales-manager", "/search", &first).await.is(200);
    let hidden = |name: &str| {
        let at = page.text().find(&format!("type=\"hidden\" name=\"{name}\" value=\"")).unwrap();
        page.text()[at..].split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (cursor, back) = (hidden("cursor"), hidden("back"));
    assert_eq!(hidden("search"), "anna");
    let second =
        [("search", "anna"), ("rows", "2"), ("cursor", cursor.as_str()), ("back", back.as_str())];
    world.post("sales-manager", "/search", &second).await.is(200).says("1 code<").says("Previous");
}

#[tokio::test]
async fn html_in_every_free_text_is_only_text() {
    let evil = "<img/src=x onerror=alert(1)>\"'";
    let world = World::new();
    let admin = person("admin").unwrap();
    let division = Division::new(evil).unwrap();
    let draft = Draft::new().with_role(Role::new("staff").unwrap()).in_division(division);
    let created = world.service.create(&admin, draft).await.unwrap();
    let redeemer = Redeemer::new(UserId::new(evil).unwrap(), Username::new(evil).unwrap());
    world.service.redeem(&created.code().reveal(), &redeemer).await.unwrap();
    let id = world.created().await.invitation().id;
    let reason = [("version", "1"), ("reason", evil)];
    world.post("admin", &format!("/{id}/revoke"), &reason).await.leads_to();
    let shown = created.invitation().id;
    let mut pages = vec![
        world.get("admin", "").await,
        world.get("admin", "/events").await,
        world.get("admin", &format!("/{shown}")).await,
        world.get("admin", &format!("/{id}")).await,
        world.get("admin", &format!("/{evil}").replace(['<', '>', '"', ' '], "x")).await,
        world.post("admin", "/search", &[("search", evil), ("division", evil)]).await,
        world.post("admin", "/search", &[("status", evil), ("rows", evil)]).await,
        world.post("admin", "/events", &[("user", evil), ("invitation", evil)]).await,
    ];
    for field in ["email", "email_domain", "role", "division", "expires_in_days", "max_uses"] {
        pages.push(world.post("admin", "/new", &[(field, evil), ("key", evil)]).await);
    }
    for page in pages {
        assert!(!page.text().contains("<img"), "{}", page.text());
        assert!(!page.text().contains("\"'\""), "{}", page.text());
    }
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let world = World::new();
    let id = world.created().await.invitation().id;
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
            let answer = world.send(request.body(Body::from("version=1")).unwrap()).await;
            answer.is(403).says("That came from another site");
        }
    }
    world.get("admin", &format!("/{id}")).await.is(200);
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_forms() {
    let world = World::new();
    let post = |kind: &str, body: Vec<u8>| {
        let request = request(Method::POST, "admin", "/new").header(header::CONTENT_TYPE, kind);
        world.send(request.body(Body::from(body)).unwrap())
    };
    post("application/x-www-form-urlencoded", vec![b'a'; 10_000_000]).await.is(413);
    post("application/json", b"{}".to_vec()).await.is(415);
    world.send(request(Method::PUT, "admin", "/new").body(Body::empty()).unwrap()).await.is(405);
}
