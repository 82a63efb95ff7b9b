//! The results of imports: who opens them, what that records, and files that cannot be had.

use axum::{body::Body, http::Method};
use http_body_util::BodyExt;
use invitation_axum::FolderSpool;
use invitation_core::{MemoryStore, import::jobs::Imports};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    imports::{FILE, Scene, id},
    support::{Answer, Harness, request},
};

/// Sends a request for the result of an import, with the header of a browser if there is one.
async fn ask(scene: &Scene, method: Method, path: &str, site: Option<&str>) -> Answer {
    let mut request = request(method, "admin", path);
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    scene.harness.send(request.body(Body::empty()).expect("a request")).await
}

async fn copies(scene: &Scene) -> usize {
    let events = scene.get("/events?kind=copy").await.is(200).json();
    events["items"].as_array().expect("items").len()
}

#[tokio::test]
async fn head_of_a_result_copies_nothing() {
    let scene = Scene::new();
    let path = format!("/imports/{}/result", id(&scene.order("", "text/csv", FILE).await));
    ask(&scene, Method::HEAD, &path, None).await.is(409);
    let _ = scene.run().await;
    let head = ask(&scene, Method::HEAD, &path, None).await.is(200);
    assert_eq!((copies(&scene).await, head.bytes.len()), (0, 0));
    let full = ask(&scene, Method::GET, &path, None).await.is(200);
    assert_eq!(copies(&scene).await, 1);
    for name in ["content-type", "content-disposition", "content-length"] {
        assert_eq!(head.headers.get(name), full.headers.get(name), "{name}");
    }
    let unknown = "/imports/0197a3c0-0000-7000-8000-000000000001/result";
    ask(&scene, Method::HEAD, unknown, None).await.is(404);
}

#[tokio::test]
async fn page_of_another_site_copies_nothing() {
    let scene = Scene::new();
    let path = format!("/imports/{}/result", id(&scene.order("", "text/csv", FILE).await));
    let _ = scene.run().await;
    for site in ["cross-site", "same-site"] {
        let refused = ask(&scene, Method::GET, &path, Some(site)).await;
        refused.problem(403, "forbidden");
    }
    assert_eq!(copies(&scene).await, 0);
    for site in [Some("same-origin"), Some("none"), None] {
        ask(&scene, Method::GET, &path, site).await.is(200);
    }
    assert_eq!(copies(&scene).await, 3);
}

#[tokio::test]
async fn upload_without_a_place_for_its_file_says_when_to_come_again() {
    let scene = Scene::new();
    let folder = scene.folder.path().join("spool");
    let spool = FolderSpool::open(&folder).expect("a spool").with_max_bytes(10);
    let full = Imports::new(MemoryStore::new(), spool);
    let harness = Harness::api().with_web(|web| web.with_imports(full));
    let order = |harness: Harness| async move {
        let request = request(Method::POST, "admin", "/imports").header("content-type", "text/csv");
        harness.send(request.body(Body::from(FILE)).expect("a request")).await
    };
    let refused = order(harness).await;
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "60");

    // The folder is gone, and a file is in its place.
    std::fs::remove_dir_all(&folder).expect("it is there");
    std::fs::write(&folder, "").expect("a file");
    let refused = scene.order("", "text/csv", FILE).await;
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "5");
}

#[tokio::test]
async fn result_of_another_machine_is_unavailable_here() {
    let scene = Scene::new();
    let path = format!("/imports/{}", id(&scene.order("", "text/csv", FILE).await));
    let _ = scene.run().await;
    std::fs::remove_dir_all(scene.folder.path().join("spool")).expect("it is there");
    let result = scene.get(&format!("{path}/result")).await;
    result.problem(503, "unavailable");
    assert_eq!(result.header("retry-after"), "5");
    // Nothing was copied.
    assert_eq!(scene.get("/events?kind=copy").await.json()["items"], json!([]));
}

#[tokio::test]
async fn result_that_breaks_off_does_not_look_complete() {
    let scene = Scene::new();
    let path = format!("/imports/{}/result", id(&scene.order("", "text/csv", FILE).await));
    let _ = scene.run().await;
    // The last outcome, which is on the second page, cannot be read.
    for file in std::fs::read_dir(scene.folder.path().join("spool")).expect("a folder") {
        let file = file.expect("a file").path();
        if file.extension().is_some_and(|part| part == "results") {
            let mut kept = std::fs::read(&file).expect("outcomes");
            let end = kept.len() - 2;
            kept[end] = b'x';
            std::fs::write(&file, kept).expect("it is written");
        }
    }
    let request = request(Method::GET, "admin", &path).body(Body::empty()).expect("a request");
    let response = scene.harness.app().oneshot(request).await.expect("routers do not fail");
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_err());
}
