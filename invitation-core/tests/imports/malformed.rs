//! Malformed files: each ends with a clear error that names the line, in bounded time and memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::import::{
    OutcomeKind::{self, Created, Invalid},
    file::FileFormat::{self, Csv, JsonLines},
    jobs::{ImportState, MemorySpool, Spool, SpoolError, SpoolFile, SpoolPart},
};

use crate::{HEADER, Scene};

/// Imports a file, and returns the reason of its failure with the line, the outcome and the errors
/// of each row.
async fn imported(
    format: FileFormat,
    bytes: &[u8],
) -> (Option<String>, Vec<(usize, OutcomeKind, String)>) {
    let scene = Scene::new(MemorySpool::new());
    let id = scene.order(format, bytes).await;
    let _ = scene.run().await.expect("a run");
    let job = scene.job(id).await;
    let reason = job.reason().map(str::to_owned);
    let expected = if reason.is_some() { ImportState::Failed } else { ImportState::Done };
    assert_eq!(job.state(), expected);
    let rows = scene.rows(id).await;
    let rows = rows.into_iter().map(|row| (row.line, row.outcome, row.errors.join("; ")));
    (reason, rows.collect())
}

fn row(n: usize) -> String {
    format!("p{n}@example.com,staff,sales\n")
}

#[tokio::test]
async fn file_that_cannot_be_read_on_fails_with_its_line() {
    let good = format!("{HEADER}{}", row(0));
    let utf_16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let latin = [good.as_bytes(), b"S\xfcd@example.com,staff,S\xfcd Nord\xf6stlich\n"].concat();
    for (format, bytes, says, created) in [
        (Csv, b"\n".into(), "the file has no rows", 0),
        (JsonLines, b"\n".into(), "the file has no rows", 0),
        (Csv, HEADER.into(), "the file has no rows", 0),
        (Csv, format!("{HEADER}\r\n,,\n\"\"\n").into(), "the file has no rows", 0),
        (JsonLines, b"\n \r\n\r".into(), "the file has no rows", 0),
        (Csv, b"email,role,email\na,b,c\n".into(), "line 1, email: is named twice", 0),
        (Csv, b"\nemail,E-Mail\na,b\n".into(), "line 2, E-Mail: means the same column as email", 0),
        (Csv, b"email,who\na,b\n".into(), "line 1, who: is no column", 0),
        (Csv, b"email,,role\na,b,c\n".into(), "line 1: column 2 has no name", 0),
        (Csv, format!("{good}\"p1@example.com,staff\n").into(), "line 3: a quotation mark", 1),
        (Csv, format!("\"email,role\n{}", row(0)).into(), "line 1: a quotation mark", 0),
        (Csv, format!("{good}\0{}", row(1)).into(), "line 3 contains a NUL character", 0),
        (JsonLines, b"{}\n{\"role\": \"\0\"}\n".into(), "line 2 contains a NUL character", 0),
        (Csv, ",".repeat(1_000_000).into(), "line 1 has more than 100 columns", 0),
        (Csv, "a,".repeat(1_000_000).into(), "line 1 has more than 100 columns", 0),
        (Csv, format!("{good}{}", "a,".repeat(1_000_000)).into(), "line 3 has more than 100", 1),
        (Csv, format!("{good}{}", "a".repeat(40_000)).into(), "line 3 is longer than 32768", 1),
        (Csv, latin, "it looks like windows-1252, line 3); save it as UTF-8", 0),
        (Csv, utf_16(&good), "UTF-16 without a byte order mark", 0),
        (Csv, b"\xff\xfe\0\0r\0\0\0".into(), "UTF-32", 0),
    ] {
        let start: String = String::from_utf8_lossy(&bytes).chars().take(60).collect();
        let (reason, rows) = imported(format, &bytes).await;
        let reason = reason.unwrap_or_else(|| panic!("{start:?} is done: {rows:?}"));
        assert!(reason.contains(says), "{start:?}: {reason} is not {says}");
        let number = rows.iter().filter(|(_, outcome, _)| *outcome == Created).count();
        assert_eq!(number, created, "{start:?}: {reason}");
    }
}

#[tokio::test]
async fn file_of_an_unusual_program_is_read() {
    let one = format!("{HEADER}{}", row(0));
    let utf_16: Vec<u8> =
        format!("\u{feff}{one}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, lines) in [
        (format!("\u{feff}{one}").into_bytes(), vec![2]),
        (utf_16, vec![2]),
        (format!("{HEADER}{}{}", row(0), row(1)).replace('\n', "\r\n").into(), vec![2, 3]),
        (format!("{HEADER}{}{}", row(0), row(1)).replace('\n', "\r").into(), vec![2, 3]),
        (format!("\r\n\n{HEADER}\n,,\r{}\n\n\"\",,\n{}", row(0), row(1)).into(), vec![6, 10]),
        (one.trim_end().into(), vec![2]),
        (format!("{HEADER}p@example.com,staff,\"'=sales\"\n").into(), vec![2]),
        (format!("{HEADER}p@example.com,staff,=1+1\n").into(), vec![2]),
        (format!("sep=,\n{one}").into(), vec![3]),
    ] {
        let (reason, rows) = imported(Csv, &bytes).await;
        let expected: Vec<_> =
            lines.into_iter().map(|line| (line, Created, String::new())).collect();
        assert_eq!((reason, rows), (None, expected), "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn apostrophe_of_an_exported_formula_is_taken_away() {
    let scene = Scene::new(MemorySpool::new());
    let text = format!("{HEADER}p@example.com,staff,'=sales\nq@example.com,staff,'sales\n");
    let id = scene.order(Csv, text.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    let rows = scene.rows(id).await;
    let divisions: Vec<_> = rows
        .iter()
        .map(|row| row.invitation.as_ref().expect("it is created").division().as_str())
        .collect();
    assert_eq!(divisions, ["=sales", "'sales"]);
}

#[tokio::test]
async fn row_that_cannot_be_read_is_named_and_the_others_are_created() {
    let header = "email,role,division,max_uses,expires_in_days,metadata\n";
    for (row, says) in [
        ("p@example.com,staff,sales", "has 3 cells where there are 6 columns"),
        ("p@example.com,staff,sales,1,1,,x", "has 7 cells where there are 6 columns"),
        ("p@example.com,staff,sales,4294967296,1,", "max_uses: must be a whole number"),
        ("p@example.com,staff,sales,-1,1,", "max_uses: must be a whole number"),
        ("p@example.com,staff,sales,1.5,1,", "max_uses: must be a whole number"),
        ("p@example.com,staff,sales,0,1,", "max_uses: must be 1 or more"),
        ("p@example.com,staff,sales,4294967295,1,", "max_uses: must be"),
        ("p@example.com,staff,sales,1,4294967295,", "expires_in_days: must be"),
        ("p@example.com,staff,sales,1,0,", "expires_in_days: must be"),
        ("p@example.com,staff,sales,1,1,\"{\"\"a\"\": 1} x\"", "metadata: must be a JSON object"),
        ("p@example.com,staff,sales,1,1,[]", "metadata: must be a JSON object"),
        ("p@example.com,st\"aff,sales,1,1,", "a quotation mark stands in a cell"),
        ("\"p@example.com\" x,staff,sales,1,1,", "there is text behind a closing quotation mark"),
    ] {
        let text = format!("{header}{row}\nq@example.com,staff,sales,,,\n");
        let (reason, rows) = imported(Csv, text.as_bytes()).await;
        assert_eq!(reason, None, "{row}");
        let [(2, Invalid, said), (3, Created, _)] = &*rows else { panic!("{row}: {rows:?}") };
        assert!(said.starts_with(says), "{row}: {said} is not {says}");
    }
    let deep =
        format!("{{\"metadata\": {{\"a\": {}1{}}}}}", "[".repeat(30_000), "]".repeat(30_000));
    let two_bindings = "{\"email\": \"a@example.com\", \"email_domain\": \"example.com\"}";
    let two_expiries = "{\"expires_at\": \"2030-01-01T00:00:00Z\", \"expires_in_days\": 3}";
    let list = "[null, null, \"staff\", \"sales\", null, null, null, null]";
    for (line, says) in [
        ("{\"email\": {\"a\": 1}}", "email: invalid type: map, expected a string"),
        ("{\"role\": [[[[1]]]]}", "role: invalid type: sequence, expected a string"),
        ("{\"who\": {\"a\": {}}}", "who: unknown field `who`"),
        ("{\"role\": \"staff\", \"role\": \"staff\"}", "duplicate field `role`"),
        ("{\"max_uses\": 4294967296}", "max_uses: invalid value: integer `4294967296`"),
        ("{\"max_uses\": -1}", "max_uses: invalid value: integer `-1`"),
        ("{\"max_uses\": 1.5}", "max_uses: invalid type: floating point `1.5`"),
        ("{\"max_uses\": 1e999}", "is no JSON object"),
        ("{\"max_uses\": 0}", "max_uses: must be 1 or more"),
        (two_bindings, "email_domain: must not be given together with email"),
        (two_expiries, "expires_in_days: must not be given together with expires_at"),
        ("{\"expires_at\": \"tomorrow\"}", "expires_at: must be"),
        ("{\"metadata\": {\"a\": 1e999}}", "metadata: must be a JSON object"),
        (&deep, "metadata: must be a JSON object"),
        ("{} {}", "is no JSON object"),
        ("{}x", "is no JSON object"),
        ("{\"role\": \"staff\"", "is no JSON object"),
        ("[]", "is no JSON object"),
        (list, "is no JSON object"),
        ("null", "is no JSON object"),
        ("\u{feff}{}", "is no JSON object"),
        ("role,division", "is no JSON object"),
    ] {
        let text = format!("\n{line}\n{{\"role\": \"staff\", \"division\": \"sales\"}}\n");
        let (reason, rows) = imported(JsonLines, text.as_bytes()).await;
        assert_eq!(reason, None, "{line:.60}");
        let [(2, Invalid, said), (3, Created, _)] = &*rows else { panic!("{line:.60}: {rows:?}") };
        assert!(said.starts_with(says), "{line:.60}: {said} is not {says}");
        assert!(said.len() < 600, "{} bytes", said.len());
        assert!(!said.contains(" at line "), "the line is that of the file: {said}");
    }
}

/// A spool whose file of rows is a gigabyte: its begin, and then one piece again and again.
#[derive(Debug)]
struct Gigabyte {
    begin: &'static str,
    piece: Vec<u8>,
    reads: Arc<AtomicUsize>,
    results: MemorySpool,
}

#[async_trait]
impl Spool for Gigabyte {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.results.write(file, at, bytes).await
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.results.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        if file.part() == SpoolPart::Results {
            return self.results.read(file, at, max).await;
        }
        self.reads.fetch_add(1, Ordering::SeqCst);
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let (begin, piece) = (self.begin.as_bytes(), &*self.piece);
        let bytes = if at < begin.len() { &begin[at..] } else { piece };
        let left = 1_000_000_000_usize.saturating_sub(at);
        Ok(bytes[..bytes.len().min(max).min(left)].to_vec())
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.results.remove(file).await
    }
}

#[tokio::test]
async fn line_of_a_gigabyte_is_refused_after_a_few_reads() {
    let filler = |text: &str| text.repeat(64 * 1_024).into_bytes();
    for (format, begin, piece, says) in [
        (Csv, "", filler("x"), "line 1 is longer than 32768 bytes"),
        (Csv, "role,division\nstaff,sales\n", filler("x"), "line 3 is longer than 32768 bytes"),
        (Csv, "role,division\nstaff,sales\n", filler("x,"), "line 3 has more than 100 columns"),
        (Csv, "role,division\nstaff,sales\n", filler(","), "line 3 has more than 100 columns"),
        (Csv, "role,division\nstaff,sales\n\"", filler("x\n"), "line 3: a cell is longer than"),
        (Csv, "role,division\nstaff,sales\n", filler(" "), "line 3 is longer than 32768 bytes"),
        (Csv, "role,division\nstaff,sales\n\"", filler("\"\""), "line 3 is longer than 32768"),
        (JsonLines, "{}\n", filler("["), "line 2 is longer than 131072 bytes"),
        (JsonLines, "{}\n", filler(" "), "line 2 is longer than 131072 bytes"),
    ] {
        let reads = Arc::new(AtomicUsize::new(0));
        let results = MemorySpool::new();
        let scene = Scene::new(Gigabyte { begin, piece, reads: Arc::clone(&reads), results });
        let id = scene.order(format, b"role").await;
        let _ = scene.run().await.expect("a run");
        let job = scene.job(id).await;
        assert_eq!(job.state(), ImportState::Failed);
        let reason = job.reason().expect("a reason");
        assert!(reason.contains(says), "{reason} is not {says}");
        assert_eq!(scene.rows(id).await.len(), usize::from(!begin.is_empty()), "{says}");
        assert!(reads.load(Ordering::SeqCst) <= 6, "{says}: {reads:?} reads");
    }
}
