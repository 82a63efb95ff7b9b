//! Verifies an exported log offline, with the public key and a saved checkpoint.
//!
//! ```sh
//! cargo run -p invitation-audit --example verify_log -- LOG PUBLIC_KEY [CHECKPOINT]
//! ```
//!
//! `LOG` is the file of a `FileLog`, or an export. `PUBLIC_KEY` and `CHECKPOINT` are files
//! with the text of the key and of the checkpoint. The exit code is 0 only for a log that is
//! valid by the checkpoint. Without arguments, the program makes a log, verifies it, alters
//! it, and verifies it again.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::ExitCode,
    time::Instant,
};

use invitation_audit::{
    FileLog, LogKey, Sealer, SignedCheckpoint, Verdict, Verifier, verify_lines,
};
use invitation_core::{
    Division, Draft, Invitations, MemoryStore, Role, SystemActor, code::OsEntropy,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let paths: Vec<&Path> = arguments.iter().map(Path::new).collect();
    let verdict = match paths[..] {
        [] => return demonstrate().await.map(|()| ExitCode::SUCCESS),
        [log, key] => verify(log, key, None)?,
        [log, key, checkpoint] => verify(log, key, Some(checkpoint))?,
        _ => return Err("usage: verify_log LOG PUBLIC_KEY [CHECKPOINT]".into()),
    };
    Ok(match verdict {
        Verdict::Valid { .. } => ExitCode::SUCCESS,
        Verdict::Unanchored { .. } | Verdict::Tampered(_) => ExitCode::FAILURE,
    })
}

/// Verifies a log by these files, and prints the verdict.
fn verify(log: &Path, key: &Path, checkpoint: Option<&Path>) -> Result<Verdict, Box<dyn Error>> {
    let mut verifier = Verifier::new([fs::read_to_string(key)?.trim_end().parse()?]);
    if let Some(checkpoint) = checkpoint {
        let anchor = SignedCheckpoint::parse(&fs::read_to_string(checkpoint)?)?;
        verifier = verifier.with_anchor(&anchor)?;
    }
    let now = Instant::now();
    let verdict = verify_lines(BufReader::new(File::open(log)?), verifier)?;
    println!("{verdict}");
    if let Verdict::Valid { sealed, .. } | Verdict::Unanchored { sealed } = verdict {
        eprintln!("{sealed} entries in {:.1?}", now.elapsed());
    }
    Ok(verdict)
}

/// Makes a log of three events, verifies it, and alters it in two ways.
async fn demonstrate() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new();
    let invitations = Invitations::new(&store);
    for division in ["sales", "sales", "operations"] {
        let draft =
            Draft::new().with_role(Role::new("staff")?).in_division(Division::new(division)?);
        invitations.create(&SystemActor::for_bootstrap(), draft).await?;
    }

    let folder = tempfile::tempdir()?;
    let (log, public, saved) =
        (folder.path().join("log"), folder.path().join("key"), folder.path().join("checkpoint"));
    let key = LogKey::generate("example.com/invitations", &OsEntropy)?;
    fs::write(&public, key.public_key().to_string())?;
    let sealed = Sealer::new(&store, FileLog::open(&log)?, key).seal().await?;
    let checkpoint = sealed.checkpoint.ok_or("nothing was sealed")?;
    fs::write(&saved, checkpoint.as_str())?;
    println!("{}", checkpoint.as_str());

    let verdict = verify(&log, &public, None)?;
    assert_eq!(verdict, Verdict::Unanchored { sealed: 3 });
    let verdict = verify(&log, &public, Some(&saved))?;
    assert_eq!(verdict, Verdict::Valid { anchored: 3, sealed: 3 });

    let intact = fs::read_to_string(&log)?;
    println!("\nthe second event is moved to another division");
    fs::write(&log, altered(&intact, 1, "sales", "marketing"))?;
    assert!(matches!(verify(&log, &public, Some(&saved))?, Verdict::Tampered(_)));

    println!("\nthe log is replaced by an older copy, which was empty");
    fs::write(&log, "")?;
    assert!(matches!(verify(&log, &public, Some(&saved))?, Verdict::Tampered(_)));
    Ok(())
}

/// Returns the text with a word of one line replaced.
fn altered(text: &str, line: usize, word: &str, other: &str) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    lines
        .map(|(n, text)| if n == line { text.replace(word, other) } else { text.to_owned() })
        .collect()
}
