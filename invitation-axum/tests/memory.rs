//! The peak memory of a request. Each case runs in a process of its own, and the kernel reports the
//! peak.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use axum::{
    body::{Body, Bytes},
    http::Method,
};

use self::harness::{Harness, request_to};

mod harness;

/// The environment variable with the name of the case that a child process measures.
const CASE: &str = "INVITATION_MEMORY_CASE";
/// The environment variable with the path of the file that holds the case's body.
const BODY: &str = "INVITATION_MEMORY_BODY";
const MB: usize = 1_000_000;
/// The size limits of bodies: for imports, and for all other requests.
const BULK: usize = 5 * MB;
const PLAIN: usize = MB;

struct Case {
    name: &'static str,
    path: &'static str,
    kind: &'static str,
    body: fn() -> String,
    status: u16,
    /// The allowed peak above the idle process, in bytes.
    peak: usize,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[rustfmt::skip]
const CASES: [Case; 16] = [
    Case { name: "import of plain rows", path: "/api/invitations/bulk", kind: JSON, body: plain_rows, status: 201, peak: 60 * MB },
    Case { name: "import of wide metadata", path: "/api/invitations/bulk", kind: JSON, body: wide_rows, status: 201, peak: 60 * MB },
    Case { name: "import of many small values", path: "/api/invitations/bulk", kind: JSON, body: small_values, status: 422, peak: 60 * MB },
    Case { name: "import of unknown fields", path: "/api/invitations/bulk", kind: JSON, body: unknown_fields, status: 422, peak: 60 * MB },
    Case { name: "import of long texts", path: "/api/invitations/bulk", kind: JSON, body: long_texts, status: 422, peak: 60 * MB },
    Case { name: "import of one long name", path: "/api/invitations/bulk", kind: JSON, body: one_long_name, status: 422, peak: 60 * MB },
    Case { name: "import of nested lists", path: "/api/invitations/bulk", kind: JSON, body: nested_lists, status: 422, peak: 60 * MB },
    Case { name: "import of CSV", path: "/api/invitations/bulk", kind: "text/csv", body: csv_rows, status: 201, peak: 60 * MB },
    Case { name: "import of CSV by the form", path: "/people/invitations/import", kind: "multipart/form-data; boundary=frontier", body: upload, status: 200, peak: 60 * MB },
    Case { name: "import of many parts", path: "/people/invitations/import", kind: "multipart/form-data; boundary=frontier", body: many_parts, status: 400, peak: 60 * MB },
    Case { name: "wide metadata", path: "/api/invitations", kind: JSON, body: || object("metadata", "[", "{},", "0]"), status: 422, peak: 12 * MB },
    Case { name: "nested metadata", path: "/api/invitations", kind: JSON, body: || object("metadata", "", "[", ""), status: 400, peak: 12 * MB },
    Case { name: "metadata of many names", path: "/api/invitations", kind: JSON, body: || object("metadata", "{", "\"a\":1,", "\"b\":1}"), status: 422, peak: 12 * MB },
    Case { name: "a wide text", path: "/api/invitations", kind: JSON, body: || object("role", "[", "[],", "0]"), status: 422, peak: 12 * MB },
    Case { name: "an unknown wide field", path: "/api/invitations", kind: JSON, body: || object("who", "[", "[],", "0]"), status: 422, peak: 12 * MB },
    Case { name: "a form of many fields", path: "/people/invitations/new", kind: FORM, body: || "a&".repeat(PLAIN / 2), status: 400, peak: 12 * MB },
];

/// Returns a body that repeats `middle` until it has the largest allowed size.
fn object(field: &str, before: &str, middle: &str, after: &str) -> String {
    let times = (PLAIN - 100) / middle.len();
    format!("{{\"{field}\":{before}{}{after}}}", middle.repeat(times))
}

fn rows(of: impl Fn(usize) -> String) -> String {
    let rows: Vec<_> = (0..1_000).map(of).collect();
    format!("[{}]", rows.join(","))
}

/// Returns a row with enough metadata that 1,000 of them are 5 MB, white space included.
fn row(n: usize, metadata: &str) -> String {
    let row = format!(
        "{{\"email\":\"anna.{n}@example.com\",\"role\":\"staff\",\"division\":\"sales\",\
         \"metadata\":{metadata}}}"
    );
    let space = " ".repeat((BULK / 1_000 - 2).saturating_sub(row.len()));
    row + &space
}

fn plain_rows() -> String {
    rows(|n| row(n, &format!("{{\"note\":\"{}\"}}", "x".repeat(4_000))))
}

fn wide_rows() -> String {
    rows(|n| row(n, &format!("{{\"a\":[{}0]}}", "0,".repeat(2_000))))
}

fn small_values() -> String {
    rows(|_| format!("[{}0]", "{},".repeat(1_600)))
}

fn unknown_fields() -> String {
    rows(|_| {
        let mut row = "{".to_owned();
        for n in 0..450 {
            write!(row, "\"k{n}\":[0],").unwrap();
        }
        row + "\"k\":0}"
    })
}

fn long_texts() -> String {
    rows(|_| format!("{{\"role\":\"staff\",\"division\":\"{}\"}}", "d".repeat(4_900)))
}

fn one_long_name() -> String {
    format!("[{{\"{}\":1}}]", "k".repeat(BULK - 100))
}

fn nested_lists() -> String {
    let depth = BULK / 2 - 100;
    format!("[{}{}]", "[".repeat(depth), "]".repeat(depth))
}

fn csv_rows() -> String {
    let mut file = "email,role,division,metadata\n".to_owned();
    for n in 0..1_000 {
        let metadata = format!("{{\"\"a\"\":[{}0]}}", "0,".repeat(2_000));
        writeln!(file, "anna.{n}@example.com,staff,sales,\"{metadata}\"").unwrap();
    }
    file
}

fn upload() -> String {
    format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
         {}\r\n--frontier--\r\n",
        csv_rows()
    )
}

fn many_parts() -> String {
    let part = "--frontier\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    part.repeat(BULK / part.len() - 1) + "--frontier--\r\n"
}

async fn status(harness: &Harness, case: &Case, body: Bytes) -> u16 {
    let request = request_to("", Method::POST, "admin", case.path);
    let request = request.header("content-type", case.kind).body(Body::from(body)).unwrap();
    let answer = harness.send(request).await;
    let (status, length) = (answer.status.as_u16(), answer.bytes.len());
    assert!(status < 400 || length < 100_000, "a problem of {length} bytes");
    status
}

/// Returns a figure of `/proc/self/status`, in bytes.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

/// Measures the case that the environment names, and prints its peak.
async fn measure(name: &str) {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let harness = Harness::api();
    // Warms up: structures that the library sets up once do not count as the request's
    // memory.
    status(&harness, case, Bytes::from_static(b"{}")).await;
    // The body comes from a file. Memory freed while building it here would be reused by
    // the request without being counted.
    let body = Bytes::from(fs::read(std::env::var(BODY).unwrap()).unwrap());
    // Resets the peak, which is counted from here.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    // The body counts, too: it is freed once it has been read.
    let idle = memory("VmRSS") - body.len();
    assert_eq!(status(&harness, case, body).await, case.status, "{name}");
    println!("peak={}", memory("VmHWM").saturating_sub(idle));
}

#[tokio::test]
async fn a_request_takes_a_bounded_amount_of_memory() {
    if let Ok(name) = std::env::var(CASE) {
        return measure(&name).await;
    }
    let file = format!("memory of {}", std::process::id());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    let mut said = String::new();
    let mut is_bounded = true;
    for case in &CASES {
        let body = (case.body)();
        let limit = if case.peak > 20 * MB { BULK } else { PLAIN };
        assert!(body.len() <= limit, "{}: {} bytes", case.name, body.len());
        fs::write(&file, body).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--nocapture", "a_request_takes_a_bounded_amount_of_memory"])
            .env(CASE, case.name)
            .env(BODY, &file)
            // Makes the allocator return free memory instead of keeping it for the next
            // request.
            .env("MALLOC_ARENA_MAX", "1")
            .env("MALLOC_MMAP_THRESHOLD_", "65536")
            .env("MALLOC_TRIM_THRESHOLD_", "65536")
            .output()
            .unwrap();
        fs::remove_file(&file).unwrap();
        let out = String::from_utf8_lossy(&child.stdout);
        let error = String::from_utf8_lossy(&child.stderr);
        let peak = out.lines().find_map(|line| line.split_once("peak=")?.1.parse::<usize>().ok());
        let peak = peak.unwrap_or_else(|| panic!("{}: {out} {error}", case.name));
        is_bounded &= peak <= case.peak;
        writeln!(said, "{}: {} kB of {}", case.name, peak / 1_000, case.peak / 1_000).unwrap();
    }
    println!("{said}");
    assert!(is_bounded, "{said}");
}
