//! Uploads of files to import: their limits of size and time.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Method, header},
};
use futures_util::stream;
use invitation_axum::WebLimits;
use tower::ServiceExt;

use crate::{
    harness::{DASHBOARD, request_to},
    imports::{FILE, Scene},
    support::request,
};

#[tokio::test]
async fn upload_that_is_refused_leaves_no_file() {
    let scene = Scene::with(|imports| imports.with_max_bytes(100_000));
    let large = vec![b'x'; 600_000];
    scene.order("", "text/csv", large.clone()).await.problem(413, "too-large");
    let form = [
        b"--f\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_vec(),
        large,
        b"\r\n--f--\r\n".to_vec(),
    ];
    let kind = "multipart/form-data; boundary=f";
    scene.order("", kind, form.concat()).await.problem(413, "too-large");
    scene.order("", "text/plain", FILE).await.problem(415, "unsupported-media-type");
    for kind in ["text/csv", kind] {
        let gzip = request(Method::POST, "admin", "/imports")
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_ENCODING, "gzip");
        let refused = scene.harness.send(gzip.body(FILE.into()).expect("a request")).await;
        refused.problem(415, "unsupported-media-type");
    }
    scene.order("?mode=some", "text/csv", FILE).await.problem(422, "invalid");
    scene.order("?dry_run=true", "text/csv", FILE).await.problem(422, "invalid");
    let broken = stream::iter([Ok(Bytes::from_static(b"role\n")), Err("the connection broke")]);
    scene.order("", "text/csv", Body::from_stream(broken)).await.problem(400, "malformed");
    assert_eq!(scene.files(), 0);
}

#[tokio::test]
async fn upload_may_take_longer_than_other_requests_but_must_go_on() {
    let short = Duration::from_millis(50);
    let limits =
        WebLimits::default().with_request_time(short).with_body_time(Duration::from_secs(9));
    let mut scene = Scene::new();
    let imports = scene.imports.clone();
    scene.harness = scene.harness.with_web(|web| web.with_limits(limits).with_imports(imports));
    let slow = || {
        stream::unfold(0, |n| async move {
            // Longer than the time of other requests.
            tokio::time::sleep(Duration::from_millis(40)).await;
            (n < 4).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"role,division\n")), n + 1))
        })
    };
    scene.order("", "text/csv", Body::from_stream(slow())).await.is(202);
    // A host may put the library's router behind its own protection.
    let protected = scene.harness.web.protect(scene.harness.app());
    let request = request(Method::POST, "admin", "/imports").header("content-type", "text/csv");
    let request = request.body(Body::from_stream(slow())).expect("a request");
    assert_eq!(protected.oneshot(request).await.expect("an answer").status(), 202);

    let limits = WebLimits::default().with_body_time(short);
    scene.harness = scene.harness.with_web(|web| web.with_limits(limits));
    let stalled = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    scene.order("", "text/csv", stalled()).await.problem(408, "request-timeout");
    // A header of a form that does not end is not kept as a whole.
    let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64_000])));
    let begin = stream::iter([Ok(Bytes::from_static(b"--f\r\nX: "))]);
    let endless = futures_util::StreamExt::chain(begin, endless);
    let kind = "multipart/form-data; boundary=f";
    scene.order("", kind, Body::from_stream(endless)).await.problem(408, "request-timeout");
    assert_eq!(scene.files(), 2, "the first uploads");
}

#[tokio::test]
async fn upload_beyond_its_total_time_is_408_and_leaves_no_file() {
    let limits = WebLimits::default().with_upload_time(Duration::from_millis(200));
    let mut scene = Scene::new();
    let imports = scene.imports.clone();
    scene.harness = scene.harness.with_web(|web| web.with_limits(limits).with_imports(imports));
    // Each piece is in time, and large enough to be written to the spool at once.
    let slow = |head: &'static str| {
        let pieces = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; 400_000])), ()))
        });
        let head = stream::iter([Ok(Bytes::from_static(head.as_bytes()))]);
        Body::from_stream(futures_util::StreamExt::chain(head, pieces))
    };
    let form = "multipart/form-data; boundary=f";
    let head = "--f\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    scene.order("", "text/csv", slow("role\n")).await.problem(408, "request-timeout");
    scene.order("", form, slow(head)).await.problem(408, "request-timeout");
    let upload = request_to(DASHBOARD, Method::POST, "admin", "/imports")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, form);
    scene.harness.send(upload.body(slow(head)).expect("a request")).await.is(408);
    assert_eq!(scene.files(), 0);
}

#[tokio::test]
async fn form_with_many_fields_in_front_of_the_file_is_refused() {
    let scene = Scene::new();
    let field = "--f\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nx\r\n".repeat(1_000);
    let file = format!(
        "{field}--f\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{FILE}\r\n--f--\r\n"
    );
    let kind = "multipart/form-data; boundary=f";
    scene.order("", kind, file).await.problem(400, "malformed");
    assert_eq!(scene.files(), 0);
}
