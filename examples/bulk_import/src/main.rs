//! Imports a CSV or JSON Lines file of any size: a progress bar, the mistakes line by line, and a
//! summary.
//!
//! ```text
//! cargo run -p bulk_import -- people.csv
//! ```
//!
//! The first line of a CSV file names the columns, such as `email,role,division`.
//!
//! - `DATABASE_URL` names the store: `sqlite:…`, `postgres://…`, `redis://…` or, with the feature
//!   `redis-tls`, `rediss://…`. The default is the SQLite file `bulk_import.db`.
//! - `IMPORT_ID` continues an import that was stopped: the program prints the id at its start.
//!   Nothing is created twice.

mod store;

use std::{
    env,
    error::Error as StdError,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use indicatif::{ProgressBar, ProgressStyle};
use invitation::{
    BatchId, Invitations, Store, SystemActor,
    import::{
        ImportRow, OutcomeKind, PartedImport, RowOutcome,
        file::{FileFormat, FileReader, FileRow, RowMistake},
    },
};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// The number of bytes that are read at a time.
const PIECE: usize = 64 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result {
    let path = env::args_os().nth(1).map(PathBuf::from).ok_or("usage: bulk_import FILE")?;
    let invitations = Invitations::new(store::open().await?);
    let id = match env::var("IMPORT_ID") {
        Ok(id) => id.parse()?,
        Err(_) => invitations.new_batch()?,
    };
    println!("import {id}");
    let summary = import(&invitations, id, &path).await?;
    println!("{summary}");
    Ok(())
}

/// The numbers of rows by outcome.
#[derive(Default)]
struct Summary {
    created: u64,
    skipped: u64,
    others: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { created, skipped, others } = self;
        write!(f, "{created} created, {skipped} skipped, {others} with mistakes")
    }
}

/// Imports a file part by part: neither the file nor its rows are in memory as a whole.
async fn import<S: Store>(
    invitations: &Invitations<S>,
    id: BatchId,
    path: &Path,
) -> Result<Summary> {
    let mut file = File::open(path)?;
    let is_json = path.extension().is_some_and(|end| end == "jsonl" || end == "ndjson");
    let format = if is_json { FileFormat::JsonLines } else { FileFormat::Csv };
    let bar = ProgressBar::new(file.metadata()?.len()).with_style(ProgressStyle::with_template(
        "{bar:40} {percent:>3} %  {bytes} of {total_bytes}  {msg}",
    )?);

    let part_rows = usize::try_from(invitations.limits().batch().get())?;
    let mut reader = FileReader::new(format);
    let mut importer = Importer { invitations, import: None, id, summary: Summary::default() };
    let (mut rows, mut piece, mut read) = (Vec::new(), vec![0; PIECE], 1);
    while read > 0 {
        read = file.read(&mut piece)?;
        if read == 0 {
            reader.finish()?;
        } else {
            reader.push(&piece[..read])?;
        }
        while let Some(row) = reader.next_row()? {
            rows.push(row);
            if rows.len() == part_rows {
                importer.part(&bar, &reader, std::mem::take(&mut rows)).await?;
            }
        }
        bar.inc(u64::try_from(read)?);
    }
    if !rows.is_empty() {
        importer.part(&bar, &reader, rows).await?;
    }
    bar.finish();
    Ok(importer.summary)
}

struct Importer<'a, S> {
    invitations: &'a Invitations<S>,
    id: BatchId,
    import: Option<PartedImport>,
    summary: Summary,
}

impl<S: Store> Importer<'_, S> {
    /// Imports a part, and prints the mistakes in it above the bar.
    async fn part(&mut self, bar: &ProgressBar, reader: &FileReader, rows: Vec<FileRow>) -> Result {
        let import = self.import.get_or_insert_with(|| {
            PartedImport::new(self.id).expecting_addresses(reader.expects_addresses())
        });
        let (mut asked, mut places) = (Vec::new(), Vec::new());
        for FileRow { line, draft, .. } in rows {
            let (row, mistakes) = match draft {
                Ok(draft) => (ImportRow::Draft(draft), Vec::new()),
                Err(unread) => (unread.row, unread.mistakes),
            };
            asked.push(row);
            places.push((line, mistakes));
        }
        // The system may create invitations in every division.
        let system = SystemActor::new("bulk_import")?;
        let imported = self.invitations.import_part(&system, import, asked).await?;
        for ((line, mistakes), row) in places.iter().zip(imported.rows()) {
            match row.outcome.kind() {
                OutcomeKind::Created => self.summary.created += 1,
                OutcomeKind::Skipped => self.summary.skipped += 1,
                _ => {
                    self.summary.others += 1;
                    bar.suspend(|| {
                        println!("line {line}: {}", said(reader, mistakes, &row.outcome));
                    });
                }
            }
        }
        bar.set_message(format!("{} created", self.summary.created));
        Ok(())
    }
}

/// Returns why a row was not created.
fn said(reader: &FileReader, mistakes: &[RowMistake], outcome: &RowOutcome) -> String {
    let of_field = |field: &str, message: &str| format!("{} {message}", reader.spelling(field));
    match outcome {
        RowOutcome::Invalid(found) => {
            let said = found.errors().iter();
            said.map(|error| of_field(error.field(), error.message()))
                .collect::<Vec<_>>()
                .join("; ")
        }
        RowOutcome::Refused(refused) => refused.to_string(),
        _ => {
            let said = mistakes.iter();
            said.map(|one| of_field(&one.field, &one.message)).collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use invitation::{Criteria, MemoryStore, Paging, Status};

    use super::*;

    #[tokio::test]
    async fn import_that_is_repeated_with_its_id_creates_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        let mut text = String::from("E-Mail;Role;Division\n");
        for n in 0..2_500 {
            writeln!(text, "p{n}@example.com;staff;sales").unwrap();
        }
        text.push_str("nobody;staff;sales\np7@example.com;staff;sales\n");
        std::fs::write(&path, text).unwrap();

        let invitations = Invitations::new(MemoryStore::new());
        let id = invitations.new_batch().unwrap();
        for _ in 0..2 {
            let summary = import(&invitations, id, &path).await.unwrap();
            assert_eq!(summary.to_string(), "2500 created, 1 skipped, 1 with mistakes");
            let system = SystemActor::for_bootstrap();
            let counts = invitations.counts(&system, &Criteria::new()).await.unwrap();
            assert_eq!(counts.of(Status::Active), 2_500);
        }
        let (system, batch) = (SystemActor::for_bootstrap(), Criteria::new().in_batch(id));
        let page = invitations.list(&system, &batch, Paging::first(1).unwrap());
        assert_eq!(page.await.unwrap().items().len(), 1);
    }
}
