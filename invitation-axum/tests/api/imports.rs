//! Imports as jobs: ordering, watching, cancelling and their results.

use std::{num::NonZeroU32, time::Duration};

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_axum::FolderSpool;
use invitation_core::{
    Limits, MemoryStore,
    import::jobs::{ImportRun, Imports},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Harness, request};

/// A host with imports in a folder. Its parts have four rows.
pub(crate) struct Scene {
    pub(crate) harness: Harness,
    pub(crate) imports: Imports,
    pub(crate) folder: TempDir,
}

pub(crate) const FILE: &str = "E-Mail;Role;Division\nanna@example.com;staff;=sales\nben;staff;sales\n\
                    ANNA@example.com;staff;sales\n;staff;sales\n;root;sales\n";

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|imports| imports)
    }

    pub(crate) fn with(set: impl FnOnce(Imports) -> Imports) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = FolderSpool::open(folder.path().join("spool")).expect("a spool");
        let imports = set(Imports::new(MemoryStore::new(), spool));
        let served = imports.clone();
        let limits = Limits::default().with_batch(NonZeroU32::MIN.saturating_add(3));
        let harness = Harness::api()
            .with_service(|service| service.with_limits(limits))
            .with_web(|web| web.with_imports(served));
        Self { harness, imports, folder }
    }

    pub(crate) async fn order(&self, query: &str, kind: &str, body: impl Into<Body>) -> Answer {
        self.order_with_key(query, kind, body, None).await
    }

    async fn order_with_key(
        &self,
        query: &str,
        kind: &str,
        body: impl Into<Body>,
        key: Option<&str>,
    ) -> Answer {
        let request = request(Method::POST, "admin", &format!("/imports{query}"));
        let request = request.header(header::CONTENT_TYPE, kind);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        self.harness.send(request.body(body.into()).expect("a request")).await
    }

    pub(crate) async fn run(&self) -> ImportRun {
        self.imports.run(self.harness.service()).await.expect("a run")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.harness.get("admin", path).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        let request = request(Method::POST, "admin", path).body(Body::empty());
        self.harness.send(request.expect("a request")).await
    }

    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("spool")).expect("a folder").count()
    }
}

pub(crate) fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn file_is_imported_in_the_background_with_its_result_to_download() {
    let scene = Scene::new();
    let ordered = scene.order("", "text/csv; charset=utf-8", FILE).await.is(202);
    let job = ordered.json();
    let id = job["id"].as_str().expect("an id");
    assert_eq!(ordered.headers["location"], format!("/api/invitations/imports/{id}"));
    assert_eq!((&job["state"], &job["format"]), (&json!("queued"), &json!("csv")));
    assert_eq!((&job["mode"], &job["duplicates"]), (&json!("best_effort"), &json!("skip")));
    assert_eq!(job["bytes"], FILE.len());
    let path = format!("/imports/{id}");
    scene.get(&format!("{path}/result")).await.problem(409, "conflict");

    assert_eq!(scene.run().await, ImportRun::Worked);
    let job = scene.get(&path).await.is(200).json();
    assert_eq!((&job["state"], &job["reason"]), (&json!("done"), &Value::Null));
    assert_eq!(job["progress"]["rows"], 5);
    for (name, number) in
        [("created", 2), ("invalid", 1), ("skipped", 1), ("forbidden", 1), ("warnings", 2)]
    {
        assert_eq!(job["progress"][name], number, "{name}");
    }

    let answer = scene.get(&format!("{path}/result")).await.is(200);
    let disposition = answer.headers["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(disposition, format!("attachment; filename=\"import-{id}.csv\""));
    let text = answer.text();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("\u{feff}line,outcome,id,email,role,division,expires_at,code,link,errors,warnings")
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let outcomes: Vec<_> = rows.iter().map(|row| (row[0], row[1])).collect();
    let expected = [
        ("2", "created"),
        ("3", "invalid"),
        ("4", "skipped"),
        ("5", "created"),
        ("6", "forbidden"),
    ];
    assert_eq!(outcomes, expected);
    // A cell that begins a formula is made harmless.
    assert_eq!((rows[0][3], rows[0][5]), ("anna@example.com", "'=sales"));
    let code = rows[0][7];
    assert!(rows[0][8].ends_with(&format!("/register#{code}")), "{}", rows[0][8]);
    scene.harness.redeem(rows[3][7], "eva").await.expect("a code that works");
    // The message has a comma, so the file quotes it.
    assert!(rows[1][9].starts_with("\"E-Mail: must be"), "{}", rows[1][9]);
    assert_eq!(rows[2][10], "E-Mail: is the same mailbox as in line 2");

    // The batch of the invitations is the id, and one event says that its codes were copied.
    let items = scene.get(&format!("?batch={id}")).await.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(2));
    let copies = scene.get("/events?kind=copy").await.json()["items"].clone();
    assert_eq!(copies.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn json_lines_and_forms_are_accepted() {
    let scene = Scene::new();
    let lines = "{\"role\": \"staff\", \"division\": \"sales\"}\n{\"who\": 1}\n";
    let job = scene.order("?mode=best_effort", "application/jsonl", lines).await.is(202);
    assert_eq!(job.json()["format"], "json_lines");
    let form = |name: &str, field: &str, content: &str| {
        format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n\
             --frontier\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\
             \r\n\r\n{content}\r\n--frontier--\r\n"
        )
    };
    let kind = "multipart/form-data; boundary=frontier";
    for (name, format, content) in [("a.JSONL", "json_lines", lines), ("a.csv", "csv", FILE)] {
        let job = scene.order("", kind, form(name, "file", content)).await.is(202).json();
        assert_eq!((&job["format"], &job["bytes"]), (&json!(format), &json!(content.len())));
    }
    scene.order("", kind, form("a.csv", "files", FILE)).await.problem(400, "malformed");
    scene.order("", kind, form("a.csv", "file", "")).await.invalid(&["/file"]);
    scene.order("", kind, "--frontier\r\nContent-").await.problem(400, "malformed");
    scene.order("", "multipart/form-data", "").await.problem(415, "unsupported-media-type");
    let _ = scene.run().await;
    let items = scene.get("/imports?limit=2").await.is(200).json();
    assert_eq!(items["items"].as_array().map(Vec::len), Some(2));
    let next = items["next_cursor"].as_str().expect("a third import");
    let rest = scene.get(&format!("/imports?cursor={next}")).await.is(200).json();
    assert_eq!(
        (rest["items"].as_array().map(Vec::len), &rest["next_cursor"]),
        (Some(1), &Value::Null)
    );
    scene.get("/imports?cursor=nonsense").await.problem(422, "invalid");
}

#[tokio::test]
async fn request_under_a_key_orders_one_import() {
    let scene = Scene::new();
    let ordered = scene.order_with_key("", "text/csv", FILE, Some("k")).await.is(202);
    let again = scene.order_with_key("", "text/csv", FILE, Some("k")).await.is(202);
    assert_eq!(id(&ordered), id(&again));
    assert_eq!(scene.files(), 1, "the file that was sent again is removed");
    let other = scene.order_with_key("?mode=atomic", "text/csv", FILE, Some("k")).await;
    other.problem(409, "idempotency-key-reused");
    assert_eq!(scene.files(), 1);
}

#[tokio::test]
async fn atomic_import_names_its_mistakes_and_creates_nothing() {
    let scene = Scene::new();
    let job = scene.order("?mode=atomic&duplicates=create", "text/csv", FILE).await.is(202).json();
    assert_eq!((&job["mode"], &job["duplicates"]), (&json!("atomic"), &json!("create")));
    let _ = scene.run().await;
    let path = format!("/imports/{}", job["id"].as_str().expect("an id"));
    let job = scene.get(&path).await.json();
    assert_eq!(job["state"], "failed");
    assert_eq!(scene.get("").await.json()["items"], json!([]));
    let result = scene.get(&format!("{path}/result")).await.is(200);
    result.says("\r\n3,invalid,,,,,,,,\"E-Mail: must be");
}

#[tokio::test]
async fn import_is_cancelled_until_it_has_ended() {
    let scene = Scene::new();
    let path = format!("/imports/{}", id(&scene.order("", "text/csv", FILE).await));
    for _ in 0..2 {
        let job = scene.post(&format!("{path}/cancel")).await.is(200).json();
        assert_eq!(job["state"], "cancelled");
    }
    let cancel = format!("{path}/cancel");
    let body = json!({"reason": "a mistake"});
    scene.harness.post_json("admin", &cancel, &body).await.invalid(&["/reason"]);
    let form = request(Method::POST, "admin", &cancel).header("content-type", "text/plain");
    let answer = scene.harness.send(form.body(Body::from("x")).expect("a request")).await;
    answer.problem(415, "unsupported-media-type");
    assert_eq!(scene.run().await, ImportRun::Idle);
    assert_eq!(scene.get("").await.json()["items"], json!([]));
    scene.get(&format!("{path}/result")).await.is(200);
    let path = format!("/imports/{}", id(&scene.order("", "text/csv", FILE).await));
    let _ = scene.run().await;
    scene.post(&format!("{path}/cancel")).await.problem(409, "conflict");
}

#[tokio::test]
async fn only_those_who_import_see_imports_and_only_where_they_are_served() {
    let scene = Scene::new();
    let known = id(&scene.order("", "text/csv", FILE).await);
    let unknown = "0197a3c0-0000-7000-8000-000000000001";
    let routes = |id: &str| {
        [
            (Method::POST, "/imports".to_owned()),
            (Method::GET, "/imports".to_owned()),
            (Method::GET, format!("/imports/{id}")),
            (Method::GET, format!("/imports/{id}/result")),
            (Method::POST, format!("/imports/{id}/cancel")),
        ]
    };
    let send = async |harness: &Harness, who: &str, (method, path): &(Method, String)| {
        let request = request(method.clone(), who, path);
        // Only the order of an import takes a file.
        let request = if path == "/imports" && method == Method::POST {
            request.header("content-type", "text/csv").body(Body::from(FILE))
        } else {
            request.body(Body::empty())
        };
        harness.send(request.expect("a request")).await
    };
    let none = Harness::api();
    for route in &routes(&known) {
        send(&scene.harness, "", route).await.problem(401, "unauthenticated");
        send(&scene.harness, "sales-manager", route).await.problem(403, "forbidden");
        send(&none, "admin", route).await.problem(404, "not-found");
    }
    for wrong in [unknown, "nonsense"] {
        for route in &routes(wrong)[2..] {
            send(&scene.harness, "admin", route).await.problem(404, "not-found");
        }
    }
}

#[tokio::test]
async fn spool_keeps_its_files_from_other_users_and_removes_old_ones() {
    let scene = Scene::new();
    scene.order("", "text/csv", FILE).await.is(202);
    let folder = scene.folder.path().join("spool");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| {
            std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777
        };
        assert_eq!(mode(&folder), 0o700);
        let file = std::fs::read_dir(&folder).expect("a folder").next().expect("a file");
        assert_eq!(mode(&file.expect("a file").path()), 0o600);
    }
    let spool = FolderSpool::open(&folder).expect("a spool");
    let hour = Duration::from_hours(1);
    let now = std::time::SystemTime::now();
    assert_eq!(spool.remove_older(now - hour).expect("a number"), 0);
    assert_eq!(spool.remove_older(now + hour).expect("a number"), 1);
    assert_eq!(scene.files(), 0);
    // Without its file the import waits for the machine that has it.
    assert_eq!(scene.run().await, ImportRun::Idle);
}
