//! The forms that other programs and later versions read: canonical entries, checkpoints,
//! keys, lines.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    env,
    fmt::Write as _,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use invitation_audit::{
    Checkpoint, CheckpointError, Content, Entry, Frontier, KeyError, LineError, LogKey,
    LogPublicKey, Personal, Readable, Record, Salt, SealedEvent, SignedCheckpoint, TreeHash,
};
use invitation_core::feed::{FeedEpoch, FeedPosition};
use proptest::prelude::*;

use self::support::{Fixed, event, events, key, performers, position, public, sealed};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// One content of each kind, and their names.
fn contents() -> Vec<(&'static str, Content)> {
    let sealed = |event| Content::Event(Box::new(SealedEvent::new(&event, &Fixed(1)).unwrap()));
    let [system, actor, redeemer] = performers();
    let follows = Some(FeedPosition { epoch: 1, transaction: 2, sequence: 3 });
    vec![
        ("event of the system", sealed(event(1, system))),
        ("event of an actor", sealed(event(2, actor))),
        ("event of a redeemer", sealed(event(3, redeemer))),
        ("event without optional fields", sealed(events(8)[7].clone())),
        ("epoch", Content::Epoch(FeedEpoch { number: 2, follows })),
        ("epoch of an empty store", Content::Epoch(FeedEpoch { number: 2, follows: None })),
        ("erasure", Content::Erasure { entry: 2 }),
    ]
}

/// The vectors pin version 1 for ever: logs that exist must stay verifiable.
#[test]
fn canonical_form_is_that_of_the_vectors() {
    let mut text = String::new();
    let mut tree = Frontier::default();
    for (index, (name, content)) in contents().into_iter().enumerate() {
        let entry = Entry::new(index as u64, content);
        tree.push(entry.leaf);
        let canonical = hex(&entry.content.to_canonical());
        let line = Record::Entry(entry.clone()).to_line().unwrap();
        writeln!(text, "{name}\ncanonical {canonical}\nleaf {}\nline {line}", entry.leaf).unwrap();
    }
    let checkpoint = SignedCheckpoint::sign(&key(), tree.size(), tree.root());
    write!(text, "checkpoint of these, key {}\n{}", public(), checkpoint.as_str()).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors.txt");
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&file).unwrap());
}

#[test]
fn every_line_is_read_back_and_no_other_spelling_of_it() {
    for (index, (_, content)) in contents().into_iter().enumerate() {
        let record = Record::Entry(Entry::new(index as u64, content));
        let line = record.to_line().unwrap();
        assert_eq!(Record::from_line(&line).unwrap(), record);
        for other in [line.replacen(':', ": ", 1), format!(" {line}"), format!("{line}\n")] {
            assert!(matches!(Record::from_line(&other), Err(LineError::Spelling)), "{other}");
        }
    }
    for other in ["", "\n", "{}\n", "[]\n", "{\"index\":0}\n", "{\"checkpoint\":\"\"}\n"] {
        assert!(Record::from_line(other).is_err(), "{other}");
    }
}

#[test]
fn erased_value_keeps_its_commitment_and_nothing_else() {
    let personal = |value: &str, salt| {
        Personal::Readable(Readable { value: value.into(), salt: Salt::from_bytes([salt; 16]) })
    };
    let anna = personal("anna", 1);
    let erased = anna.erased();
    assert_eq!(erased.commitment(), anna.commitment());
    assert_eq!(erased.value(), None);
    assert_ne!(erased.commitment(), personal("ben", 1).commitment());
    assert_ne!(erased.commitment(), personal("anna", 2).commitment());

    let (_, Content::Event(event)) = &contents()[2] else { panic!() };
    let mut without = event.clone();
    without.name = without.name.map(|name| name.erased());
    let (before, after) = (Content::Event(event.clone()), Content::Event(without));
    assert_eq!(after.leaf_hash(), before.leaf_hash(), "the leaf stays");
    let line = Record::Entry(Entry::new(0, after)).to_line().unwrap();
    assert!(!line.contains("anna"));
    assert!(Record::from_line(&line).is_ok());
}

/// The example of the Go package `sumdb/note`, by the same key.
const GO_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n";
const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn key_of_another_implementation_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, GO_SECRET).unwrap();
    let key = LogKey::read_file(&path).unwrap();
    assert_eq!(key.public_key().to_string(), GO_PUBLIC);
    assert_eq!(GO_PUBLIC.parse::<LogPublicKey>().unwrap(), *key.public_key());
}

#[test]
fn checkpoint_of_another_implementation_is_read() {
    // The example of C2SP tlog-checkpoint.
    let note = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+\
        xeMcTOAYQ8=\n";
    let signed = SignedCheckpoint::parse(note).unwrap();
    assert_eq!(signed.verify(&[public()]).unwrap_err(), CheckpointError::UnknownKey);
}

#[test]
fn secret_key_is_written_once_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = LogKey::create_file(&path, "example.com/log", &Fixed(3)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let read = LogKey::read_file(&path).unwrap();
    assert_eq!(read.public_key(), key.public_key());
    let secret = text.rsplit('+').next().unwrap().trim_end();
    assert!(secret.len() > 40 && !format!("{key:?}").contains(secret));
    let again = LogKey::create_file(&path, "example.com/log", &Fixed(4));
    assert!(matches!(again, Err(KeyError::File(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for damaged in ["", "PRIVATE+KEY+", &text.replacen("log+", "lag+", 1), &text[12..]] {
        fs::write(&path, damaged).unwrap();
        let error = LogKey::read_file(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}

#[test]
fn key_file_has_the_whole_key_from_its_first_moment() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..100 {
        let path = folder.path().join("key");
        let is_done = AtomicBool::new(false);
        let (first, created) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                loop {
                    let is_last = is_done.load(Ordering::SeqCst);
                    let read = fs::read_to_string(&path).ok();
                    if read.is_some() || is_last {
                        break read;
                    }
                }
            });
            let created = LogKey::create_file(&path, "example.com/log", &Fixed(number));
            is_done.store(true, Ordering::SeqCst);
            (reader.join().unwrap(), created)
        });
        created.unwrap();
        assert_eq!(first, fs::read_to_string(&path).ok(), "{number}");
        assert!(LogKey::create_file(&path, "example.com/log", &Fixed(200)).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn origin_that_a_note_cannot_carry_is_refused() {
    for origin in ["", "a b", "a+b", "a\nb", "a\u{a0}b", &"x".repeat(256)] {
        assert!(matches!(LogKey::from_seed(origin, &[1; 32]), Err(KeyError::Origin)), "{origin}");
    }
    assert!(LogKey::from_seed(&"x".repeat(255), &[1; 32]).is_ok());
    let public = public().to_string();
    let other_id = public.replacen("+a", "+b", 1);
    let other_name = public.replacen("example", "elsewhere", 1);
    assert!(other_id != public && public.parse::<LogPublicKey>().is_ok());
    for text in ["", "a", "a+b", "a+00000000+AQ==", &other_id, &other_name] {
        assert!(matches!(text.parse::<LogPublicKey>(), Err(KeyError::Text)), "{text}");
    }
}

#[tokio::test]
async fn altered_byte_of_a_checkpoint_is_refused() {
    let (_, signed) = sealed(events(5), 8).await;
    let keys = [public()];
    assert_eq!(signed.verify(&keys).unwrap().size, 5);
    for byte in 0..signed.as_str().len() {
        let mut note = signed.as_str().as_bytes().to_vec();
        note[byte] ^= 1;
        let Ok(note) = String::from_utf8(note) else { continue };
        let accepted = SignedCheckpoint::parse(&note);
        assert!(accepted.is_err() || accepted.unwrap().verify(&keys).is_err(), "{note}");
    }
}

#[tokio::test]
async fn signatures_of_witnesses_do_not_count_and_do_not_disturb() {
    let (_, signed) = sealed(events(5), 8).await;
    let other = LogKey::from_seed("witness.example", &[5; 32]).unwrap();
    let Checkpoint { size, root, .. } = signed.verify(&[public()]).unwrap().clone();
    let witness = SignedCheckpoint::sign(&other, size, root);
    let line = witness.as_str().lines().last().unwrap();
    let both = SignedCheckpoint::parse(&format!("{}{line}\n", signed.as_str())).unwrap();
    assert_eq!(both.verify(&[public()]).unwrap().size, size);
    let error = both.verify(std::slice::from_ref(other.public_key())).unwrap_err();
    assert_eq!(error, CheckpointError::Origin);
}

proptest! {
    /// Two events differ in their canonical form exactly if a field differs.
    #[test]
    fn canonical_forms_are_equal_only_for_equal_events(
        one in prop::collection::vec("[a-c]{0,3}", 6),
        other in prop::collection::vec("[a-c]{0,3}", 6),
    ) {
        let with = |texts: &[String]| {
            let (_, Content::Event(event)) = contents().swap_remove(1) else { panic!() };
            let some = |text: &String| Some(text.clone()).filter(|text| !text.starts_with('c'));
            Content::Event(Box::new(SealedEvent {
                user: some(&texts[0]),
                role: some(&texts[1]),
                action: texts[2].clone(),
                outcome: texts[3].clone(),
                reason: some(&texts[4]),
                division: some(&texts[5]),
                ..*event
            }))
        };
        let (one, other) = (with(&one), with(&other));
        prop_assert_eq!(one.to_canonical() == other.to_canonical(), one == other);
    }

    #[test]
    fn any_text_is_read_as_no_record_or_as_itself(text in ".{0,60}") {
        prop_assert!(Record::from_line(&text).is_err());
        prop_assert!(SignedCheckpoint::parse(&text).is_err());
        prop_assert!(text.parse::<LogPublicKey>().is_err());
        prop_assert!(TreeHash::from_text(&text).is_none_or(|hash| hash.to_string() == text));
    }

    #[test]
    fn texts_of_any_characters_survive_a_line(value in any::<String>(), name in any::<String>()) {
        let (_, Content::Event(event)) = contents().swap_remove(2) else { panic!() };
        let value = Personal::new(&value, &Fixed(2)).unwrap();
        let event = SealedEvent {
            name: Some(value.clone()),
            division: Some(name.clone()),
            detail: vec![(name, value)],
            position: position(u64::MAX / 10),
            ..*event
        };
        let record = Record::Entry(Entry::new(7, Content::Event(Box::new(event))));
        prop_assert_eq!(Record::from_line(&record.to_line().unwrap()).unwrap(), record);
    }
}
