//! A million codes, drawn by several processes at the same time: no code comes twice.

use std::{
    env, fs,
    process::{Child, Command},
};

use invitation_core::{CodeFormat, OsEntropy};

/// The variable with the file that a child process writes its codes to.
const FILE: &str = "CODES_OF_A_CHILD";
const PROCESSES: usize = 4;
const EACH: usize = 250_000;

/// The program of the child processes.
#[test]
fn one_of_the_processes() {
    let Ok(file) = env::var(FILE) else { return };
    let format = CodeFormat::default();
    let codes = format.generate_many(EACH, &OsEntropy).expect("the system has randomness");
    let text: String = codes.iter().map(|code| code.reveal().to_string()).collect();
    fs::write(file, text).expect("it is written");
}

#[test]
fn million_codes_of_four_processes_are_all_different() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |n: usize| folder.path().join(n.to_string());
    let start = |n| {
        let mut command = Command::new(env::current_exe().expect("a test has a path"));
        command.args(["--exact", "one_of_the_processes"]).env(FILE, file(n));
        command.spawn().expect("it starts")
    };
    let processes: Vec<Child> = (0..PROCESSES).map(start).collect();
    for mut process in processes {
        assert!(process.wait().expect("it ends").success());
    }
    let texts: Vec<_> = (0..PROCESSES).map(|n| fs::read(file(n)).expect("its codes")).collect();
    let length = "XXXX-XXXX-XXXX-XXXX-XXXX-XXXX".len();
    let mut codes: Vec<&[u8]> = texts.iter().flat_map(|text| text.chunks_exact(length)).collect();
    assert_eq!(codes.len(), PROCESSES * EACH);
    codes.sort_unstable();
    assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
}
