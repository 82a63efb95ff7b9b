//! The dashboard at other paths, also at a path with parameters, and paths that are not text.

use axum::{Router, body::Body, http::Method};
use http_body_util::BodyExt;
use invitation_axum::Dashboard;
use invitation_core::{BatchId, Division, Draft, Role};
use tower::ServiceExt;

use crate::{
    harness::request_to,
    support::{Answer, Harness, person},
};

/// Sends a request to the dashboard that `app` has at `mount`.
async fn send(app: &Router, method: Method, mount: &str, path: &str, form: &str) -> Answer {
    let request = request_to(mount, method, "admin", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("routers do not fail");
    let (parts, body) = response.into_parts();
    Answer::new(parts, body.collect().await.expect("a body").to_bytes())
}

/// Asserts that every link and form of a page leads below `mount`.
fn assert_links_are_below(mount: &str, page: &Answer) {
    let text = page.text();
    let addresses: Vec<_> = ["href=\"", "action=\"", "src=\""]
        .iter()
        .flat_map(|attribute| text.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().expect("an end"))
        .filter(|address| !address.starts_with('#'))
        .collect();
    assert!(!addresses.is_empty(), "{text}");
    for address in addresses {
        let rest = address.strip_prefix(mount);
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])),
            "{address}"
        );
    }
}

/// Creates two invitations of a batch.
async fn batch(harness: &Harness) -> BatchId {
    let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
    let draft = draft.in_division(Division::new("sales").expect("a division"));
    let admin = person("admin").expect("a person");
    let created = harness.service().create_many(&admin, vec![draft.clone(), draft]).await;
    created.expect("an administrator may")[0].invitation().batch().expect("a batch")
}

#[tokio::test]
async fn mount_path_with_a_parameter_is_the_base_of_every_link() {
    // The names are those of parameters of the dashboard, too.
    for pattern in ["{tenant}", "{id}", "{change}", "{import}"] {
        let harness = Harness::dashboard();
        let id = harness.invite().await.invitation().id();
        let batch = batch(&harness).await;
        let dashboard = harness.web.dashboard(Dashboard::new());
        let app = Router::new()
            .nest_service(&format!("/{pattern}/invitations"), dashboard.clone())
            .nest(&format!("/in/{pattern}"), Router::new().nest_service("/list", dashboard));
        for mount in ["/acme/invitations", "/a%20b/invitations", "/in/acme/list"] {
            for path in ["", "?status=used", "/", "/new", "/events", "/import", "/nowhere"] {
                let page = send(&app, Method::GET, mount, path, "").await;
                assert_links_are_below(mount, &page.is(if path == "/nowhere" { 404 } else { 200 }));
            }
            for rest in ["", "/edit", "/revoke", "/rotate", "/delete"] {
                let page = send(&app, Method::GET, mount, &format!("/{id}{rest}"), "").await;
                assert_links_are_below(mount, &page.is(200));
            }
            let page =
                send(&app, Method::GET, mount, &format!("/batches/{batch}/revoke"), "").await;
            assert_links_are_below(mount, &page.is(200));
            let found = send(&app, Method::POST, mount, "/search", "status=used").await;
            assert_eq!(found.leads_to(), format!("{mount}?status=used"));
            let copied = send(&app, Method::POST, mount, &format!("/{id}/copy"), "").await;
            assert_links_are_below(mount, &copied.is(200));
            let back = send(&app, Method::GET, mount, &format!("/{id}/copy"), "").await;
            assert_eq!(back.leads_to(), format!("{mount}/{id}"));
        }
        let mount = "/acme/invitations";
        let revoked = send(&app, Method::POST, mount, &format!("/{id}/revoke"), "version=1").await;
        assert_eq!(revoked.leads_to(), format!("{mount}/{id}?done=revoked"));
    }
}

#[tokio::test]
async fn path_that_is_not_utf8_is_not_found() {
    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    let broken = format!("/{id}/%FF");
    for path in ["/%FF", "/%FF/copy", "/%FF/edit", "/%FF/revoke", "/batches/%FF/revoke", &broken] {
        let page = harness.get("admin", path).await.is(404).says("<h1>Not found</h1>");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    for path in ["/%FF/copy", "/%FF/edit", "/%FF/revoke", "/batches/%FF/revoke", &broken] {
        harness.post_form("admin", path, &[("version", "1")]).await.is(404);
    }
    // A role without the right is refused, whatever the id is.
    harness.get("sales-manager", "/%FF/edit").await.is(403);
}
