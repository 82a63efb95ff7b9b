//! Query plans of documents: each query uses its intended index, and reads few rows. On PostgreSQL
//! that holds with and without statistics, but for a removal.

use std::num::NonZeroU32;

use invitation_core::{
    Division, InvitationId, PageRequest, Scope, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState, Documents,
    },
};
use invitation_sqlx::{
    PgStore, SqliteStore,
    sqlx::{self, PgPool},
};

use super::{TURN, explaining, log, plan, statements, unanalyzed::rows};

const DOCUMENTS: u32 = 20_000;

/// The page and the limit of each query.
const LIMIT: u32 = 50;

/// The maximum number of rows that a step of a plan returns: the candidates of a page whose filter
/// no index serves, and one more.
const MAX_ROWS: u64 = 201;

/// The statement after which PostgreSQL has statistics.
const ANALYZE: &str = "VACUUM ANALYZE invitation_documents";

#[derive(Clone, Copy, Debug)]
enum Question {
    One,
    Due,
    Newest,
    MiddlePage,
    State,
    StateOfDivision,
    Division,
    Invitation,
    Replace,
    Remove,
}

/// Each query with the indexes that serve it.
const QUESTIONS: [(Question, &[&str]); 10] = [
    (Question::One, &["documents_pkey"]),
    (Question::Due, &["documents_due"]),
    (Question::Newest, &["documents_newest"]),
    (Question::MiddlePage, &["documents_newest"]),
    (Question::State, &["documents_state"]),
    (Question::StateOfDivision, &["documents_state"]),
    (Question::Division, &["documents_division"]),
    (Question::Invitation, &["documents_invitation"]),
    (Question::Replace, &["documents_pkey"]),
    // PostgreSQL finds old documents in the order of creation if most of them are in the state.
    (Question::Remove, &["documents_pkey"]),
];

fn kind() -> DocumentKind {
    DocumentKind::new("mail").unwrap()
}

fn state(name: &str) -> DocumentState {
    DocumentState::new(name).unwrap()
}

fn at(n: u32) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + i64::from(n)).unwrap()
}

/// Returns a document of one of three states: one of a hundred has failed, one of twenty is due.
fn document(n: u32) -> Document {
    let name = match n % 100 {
        7 => "failed",
        n if n % 20 == 0 => "queued",
        _ => "sent",
    };
    let key = DocumentKey::new(kind(), format!("{n:06}")).unwrap();
    let mut id = [7; 16];
    id[..4].copy_from_slice(&(n / 3).to_be_bytes());
    Document {
        division: Some(Division::new(["sales", "hr"][usize::from(n % 300 == 7)]).unwrap()),
        invitation: Some(InvitationId::from_bytes(id)),
        due: (name == "queued").then(|| at(n)),
        ..Document::new(key, state(name), at(n))
    }
}

async fn fill(store: &impl Documents) {
    let all: Vec<_> = (0..DOCUMENTS).map(document).collect();
    for some in all.chunks(Document::MAX_BATCH) {
        store.add_documents(some).await.unwrap();
    }
}

async fn ask(store: &impl Documents, question: Question) {
    let limit = NonZeroU32::new(LIMIT).unwrap();
    let every = DocumentFilter::all(kind());
    let of_state = DocumentFilter { state: Some(state("failed")), ..every.clone() };
    let hr = Scope::Division(Division::new("hr").unwrap());
    let list = async |scope: &Scope, filter: &DocumentFilter, after| {
        let page = PageRequest { after, limit: LIMIT };
        store.list_documents(scope, filter, &page).await.unwrap()
    };
    match question {
        Question::One => {
            let found = store.document(&document(7).key).await.unwrap();
            assert_eq!(found, Some(document(7)));
        }
        Question::Due => {
            let due = store.due_documents(&kind(), Timestamp::MAX, limit).await.unwrap();
            assert_eq!(due.len(), 50);
        }
        Question::Newest => {
            assert_eq!(list(&Scope::All, &every, None).await.items.len(), 50);
        }
        Question::MiddlePage => {
            let id = DocumentName::new("010000").unwrap();
            let after = Some(invitation_core::Position { at: at(10_000), id });
            let page = list(&Scope::All, &every, after).await;
            assert_eq!(page.items.first(), Some(&document(9_999)));
        }
        Question::State => {
            assert_eq!(list(&Scope::All, &of_state, None).await.items.len(), 50);
        }
        Question::StateOfDivision => {
            let page = list(&hr, &of_state, None).await;
            assert!(page.items.len() > 10 && page.items.len() <= 50, "{}", page.items.len());
        }
        Question::Division => {
            assert_eq!(list(&hr, &every, None).await.items.len(), 50);
        }
        Question::Invitation => {
            let filter = DocumentFilter { invitation: document(7).invitation, ..every };
            assert_eq!(list(&Scope::All, &filter, None).await.items.len(), 3);
        }
        Question::Replace => {
            let stored = store.document(&document(8).key).await.unwrap().unwrap();
            let next = stored.next(state("sent"));
            assert!(store.replace_documents(&[next], &[]).await.unwrap());
        }
        Question::Remove => {
            let removed =
                store.remove_documents(&kind(), &state("sent"), at(15_000), limit, None).await;
            assert_eq!(removed.unwrap(), LIMIT);
        }
    }
}

/// Fills a database, and then runs `prepare` on it.
async fn postgres_reads_few_documents(prepare: &'static str) {
    let _turn = TURN.lock().await;
    let log = log();
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    let off = "ALTER TABLE invitation_documents SET (autovacuum_enabled = off)";
    sqlx::raw_sql(off).execute(store.pool()).await.unwrap();
    fill(&store).await;
    sqlx::raw_sql(prepare).execute(store.pool()).await.unwrap();
    let store = PgStore::new(explaining(&url).await);
    for (question, indexes) in QUESTIONS {
        // Without statistics PostgreSQL may read all documents of the kind for a removal.
        if matches!(question, Question::Remove) && prepare != ANALYZE {
            continue;
        }
        // Repeated often enough for PostgreSQL to switch to generic plans.
        for _ in 0..8 {
            log.clear();
            ask(&store, question).await;
            let plans = log.take();
            for index in indexes {
                assert!(plans.contains(&format!("invitation_{index} ")), "{question:?}:\n{plans}");
            }
            let most = rows(&plans).max_by_key(|(rows, _)| *rows);
            let (most, line) = most.unwrap_or_else(|| panic!("{question:?} tells rows:\n{plans}"));
            assert!(most <= MAX_ROWS, "{question:?}: {line} in\n{plans}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_few_documents_of_an_analyzed_table() {
    postgres_reads_few_documents(ANALYZE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_few_documents_of_an_unanalyzed_table() {
    postgres_reads_few_documents("SELECT 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_uses_the_intended_indexes_of_documents() {
    let _turn = TURN.lock().await;
    let log = log();
    let store = SqliteStore::in_memory().await.unwrap();
    fill(&store).await;
    for (question, indexes) in QUESTIONS {
        log.clear();
        ask(&store, question).await;
        let mut plans = String::new();
        for statement in statements(&log.take()) {
            plans.push_str(&plan(store.pool(), &statement).await);
        }
        for index in indexes {
            let name = match *index {
                "documents_pkey" => "sqlite_autoindex_invitation_documents_1".to_owned(),
                index => format!("invitation_{index}"),
            };
            assert!(plans.contains(&name), "{question:?} is to use {name}:\n{plans}");
        }
        assert!(!plans.contains("SCAN i\n"), "{question:?}:\n{plans}");
        assert!(!plans.contains("TEMP B-TREE"), "{question:?} sorts:\n{plans}");
    }
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread")]
async fn mariadb_reads_few_documents() {
    // The other tests read the statements in the log of the process.
    let _turn = TURN.lock().await;
    let url = invitation_testkit::MariaDb::shared().create_database();
    let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = invitation_sqlx::MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    fill(&store).await;
    let rows_read = async || super::mariadb::rows_read(&mut pool.acquire().await.unwrap()).await;
    let none = rows_read().await;
    let none = rows_read().await - none;
    for (question, _) in QUESTIONS {
        let before = rows_read().await;
        ask(&store, question).await;
        let read = rows_read().await - before - none;
        assert!(read <= 2 * MAX_ROWS, "{question:?} read {read} rows");
    }
}
