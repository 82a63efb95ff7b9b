//! Previews of the first rows.

use std::num::NonZeroU32;

use invitation_core::import::{
    Duplicates,
    OutcomeKind::{self, Invalid, Skipped, Valid},
    file::FileFormat,
    jobs::{ImportOrder, ImportPreview},
};

use crate::{FILE, GOOD, HEADER, Scene, admin, weak::Weak};

async fn preview(order: ImportOrder, file: &str, max_rows: u32) -> ImportPreview {
    let scene = Scene::new(Weak::default());
    let submitted = scene.submit(order.started_later(), file.as_bytes(), None).await;
    let id = submitted.expect("an order").job.id();
    let max_rows = NonZeroU32::new(max_rows).expect("not zero");
    let preview = scene.imports.preview(&scene.invitations, &admin(), id, max_rows).await;
    assert_eq!(scene.stored().await, 0);
    preview.expect("a preview")
}

fn outcomes(preview: &ImportPreview) -> Vec<OutcomeKind> {
    preview.rows.iter().map(|row| row.outcome).collect()
}

#[tokio::test]
async fn preview_has_at_most_the_rows_of_one_part_and_says_whether_more_follow() {
    let csv = ImportOrder::new(FileFormat::Csv);
    for (file, max_rows, number, has_more) in
        [(FILE, 1, 1, true), (FILE, 100, 2, true), (GOOD, 2, 2, false), (HEADER, 2, 0, false)]
    {
        let preview = preview(csv, file, max_rows).await;
        assert_eq!((preview.rows.len(), preview.has_more), (number, has_more), "{file} {max_rows}");
        let reason = (number == 0).then_some("the file has no rows");
        assert_eq!(preview.reason.as_deref(), reason, "{file}");
    }
}

#[tokio::test]
async fn preview_of_a_malformed_file_has_the_reason_behind_the_rows() {
    let csv = ImportOrder::new(FileFormat::Csv);
    let broken = format!("{HEADER}nobody,staff,sales\n\"open");
    for (file, expected, reason) in [
        (&*broken, vec![Invalid], "line 3: a quotation mark is not closed"),
        ("email,email\n", vec![], "line 1, email: is named twice"),
    ] {
        let preview = preview(csv, file, 2).await;
        assert_eq!(outcomes(&preview), expected);
        assert_eq!((preview.reason.as_deref(), preview.has_more), (Some(reason), false));
    }
}

#[tokio::test]
async fn preview_treats_duplicates_and_rows_without_an_address_as_the_import_will() {
    let csv = ImportOrder::new(FileFormat::Csv);
    let file = format!("{HEADER}A@example.com,staff,sales\na@example.com,staff,operations\n");
    for (duplicates, outcome) in [(Duplicates::Skip, Skipped), (Duplicates::Create, Valid)] {
        let preview = preview(csv.with_duplicates(duplicates), &file, 2).await;
        assert_eq!(outcomes(&preview), [Valid, outcome]);
        assert_eq!(preview.rows[1].warnings, ["email: is the same mailbox as in line 2"]);
    }
    let preview = preview(csv, &format!("{HEADER},staff,sales\n"), 2).await;
    assert_eq!(preview.rows[0].warnings, ["email: is empty: anybody may redeem the code"]);
}
