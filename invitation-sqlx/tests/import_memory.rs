//! The memory that a large import takes. The test is alone in its program, because it measures the
//! whole process.

#![cfg(all(target_os = "linux", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fmt::Write, fs};

use invitation_conformance::people::admin;
use invitation_core::{
    Invitations, MemoryStore,
    import::{
        file::FileFormat,
        jobs::{ImportOrder, ImportState, Imports, MemorySpool},
    },
};
use invitation_sqlx::SqliteStore;

/// The number of rows. All of them together would take far more than the limit.
const ROWS: usize = 60_000;

/// The limit of the growth, in kilobytes.
const LIMIT: u64 = 64 * 1_024;

/// Returns a value of the process, in kilobytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn import_of_many_rows_takes_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("test.db")).await.unwrap();
    let invitations = Invitations::new(store);
    let imports = Imports::new(MemoryStore::new(), MemorySpool::new());
    let order = ImportOrder::new(FileFormat::Csv);
    let mut upload = imports.upload(&invitations, &admin(), order).await.unwrap();
    upload.write(b"email,role,division,metadata\n").await.unwrap();
    let filler = "x".repeat(200);
    let mut piece = String::new();
    for n in 0..ROWS {
        piece.clear();
        writeln!(piece, "p{n}@example.com,staff,sales,\"{{\"\"note\"\": \"\"{filler}\"\"}}\"")
            .unwrap();
        upload.write(piece.as_bytes()).await.unwrap();
    }
    let id = upload.submit(&invitations, None).await.unwrap().job.id();

    // Begins the highest mark of the memory anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let _ = imports.run(&invitations).await.unwrap();
    let growth = memory("VmHWM:").saturating_sub(before);
    let job = imports.get(&invitations, &admin(), id).await.unwrap();
    assert_eq!((job.state(), job.progress().created), (ImportState::Done, ROWS as u64));
    assert!(growth < LIMIT, "the memory grew by {growth} kB");
}
