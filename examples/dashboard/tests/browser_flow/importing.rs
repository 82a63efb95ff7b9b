//! The import of a file by an administrator in the browser: the upload, the first lines, the
//! progress and the result.

use std::fmt::Write as _;

use invitation_testkit::Look;

use crate::Scene;

const ROWS: usize = 3_000;

#[tokio::test]
async fn administrator_imports_a_file_and_downloads_its_result() {
    let scene = Scene::open().await;
    let window = scene.window(Look::default()).await;
    scene.sign_in(&window, "admin").await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("people.csv");
    let mut text = String::from("email,role,division\n");
    for n in 0..ROWS {
        writeln!(text, "person{n}@example.com,staff,sales").expect("a string takes all");
    }
    text.push_str("nobody,staff,sales\n");
    std::fs::write(&path, text).expect("a file");

    window.click("Import").await;
    window.follow("Import a large file").await;
    let file = path.to_str().expect("a path");
    window.find("#inv-file").await.send_keys(file).await.expect("a file is chosen");
    window.follow("Upload").await;
    window.until("return document.body.textContent.includes('50 lines in order')").await;
    window.follow("Start the import").await;
    // The bar is on the page from the start, and moves to its end without a reload.
    let watch = "const value = () => document.querySelector('#inv-progress').value;\
                 window.least = value();\
                 setInterval(() => { window.least = Math.min(window.least, value()); }, 20);";
    window.client().execute(watch, vec![]).await.expect("a script");
    window.until("return document.querySelector('.inv-state').textContent === 'Done'").await;
    window.until("return document.querySelector('#inv-progress').value === 100").await;
    window.until("return window.least < 100").await;
    window.keep("import-done").await;

    let fetched = "(async () => {\
                     const link = document.querySelector('[data-inv-actions] a');\
                     const response = await fetch(link.href);\
                     const rows = (await response.text()).split('\\r\\n');\
                     window.created = rows.filter((row) => row.includes(',created,')).length;\
                     window.invalid = rows.filter((row) => row.includes(',invalid,')).length;\
                   })()";
    window.client().execute(fetched, vec![]).await.expect("a script");
    let counts = format!("return window.created === {ROWS} && window.invalid === 1");
    window.until(&counts).await;

    scene.at(&window, "/invitations/events?kind=import").await;
    window.says("tbody td:nth-child(3)", &["Import", "Import", "Import"]).await;
    window.close().await;
}
