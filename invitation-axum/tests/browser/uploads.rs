//! The import of a large file in the browser, with its progress.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    MemoryStore,
    import::jobs::{Imports, MemorySpool, Spool, SpoolError, SpoolFile, SpoolPart},
};
use invitation_testkit::Look;
use tokio::sync::Semaphore;

use crate::scene::Scene;

/// A spool of which the test allows each piece of the file of rows, behind the first one.
#[derive(Clone, Debug)]
struct GatedSpool {
    files: Arc<MemorySpool>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Spool for GatedSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.files.write(file, at, bytes).await
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        // A look at the first rows reads the first piece only.
        if at > 0 && file.part() == SpoolPart::Rows {
            self.gate.acquire().await.expect("it is open").forget();
        }
        self.files.read(file, at, max).await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files.remove(file).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn import_of_ten_thousand_rows_shows_its_progress_and_its_result() {
    let gate = Arc::new(Semaphore::new(0));
    let spool = GatedSpool { files: Arc::default(), gate: Arc::clone(&gate) };
    let imports = Imports::new(MemoryStore::new(), spool);
    let served = imports.clone();
    let scene = Scene::open_with(Look::default(), |web| web.with_imports(served)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("people.csv");
    let mut text = String::from("email,role,division\n");
    for n in 0..10_000 {
        // About 70 bytes, so that the first piece of 256 KiB is 37 % and the second one ends at 75 %.
        writeln!(text, "{n:05}.{}@example.com,staff,sales", "x".repeat(40)).expect("a text");
    }
    text.push_str("nobody,staff,sales\n");
    std::fs::write(&path, text).expect("a file");

    scene.sign_in("admin").await;
    scene.at("/invitations/import").await;
    scene.follow("Import a large file").await;
    let file = path.to_str().expect("a path");
    scene.find("#inv-file").await.send_keys(file).await.expect("a file is chosen");
    scene.follow("Upload").await;
    scene.until("return document.body.textContent.includes('50 lines in order')").await;
    scene.follow("Start the import").await;
    scene.until("return document.querySelector('.inv-state').textContent === 'Waiting'").await;

    let service = scene.host.service.clone();
    let worker = imports.clone();
    let running = tokio::spawn(async move { worker.run(&service).await });
    // The page follows without a reload, while the worker waits for the rest of the file.
    scene.client().execute("window.stayed = true", Vec::new()).await.expect("a script");
    let stands_between = |least: u32, most: u32| {
        format!(
            "const bar = document.querySelector('#inv-progress');\
             return document.querySelector('.inv-state').textContent === 'Running'\
               && bar.value > {least} && bar.value < {most}"
        )
    };
    scene.until(&stands_between(30, 50)).await;
    scene.is_accessible("import-progress").await;
    gate.add_permits(1);
    scene.until(&stands_between(70, 90)).await;
    scene.keep("import-progress").await;
    gate.add_permits(1_000);
    scene.until("return document.querySelector('.inv-state').textContent === 'Done'").await;
    scene.until("return window.stayed === true").await;
    scene.until("return document.querySelector('#inv-progress').value === 100").await;
    assert!(scene.text(".inv-sub").await.contains("people.csv"));
    let counts = scene.text(".inv-facts").await;
    assert!(counts.contains("10000") && counts.contains("10001"), "{counts}");
    let _ = running.await.expect("the worker ends").expect("a run");

    // The result is a download with as many codes.
    let lines = "const response = await fetch(document.querySelector('[data-inv-actions] a').href);\
                 const text = await response.text();\
                 window.created = text.split('\\r\\n').filter((row) => row.includes(',created,')).length;";
    scene
        .client()
        .execute(&format!("(async () => {{ {lines} }})()"), Vec::new())
        .await
        .expect("a script");
    scene.until("return window.created === 10000").await;
    scene.window.close().await;
}
