//! The journal file: a header, then one line for each atomic step.
//!
//! A line is the checksum of the step in eight hexadecimal digits, a space, the step as
//! JSON, and a line feed. The encoded JSON contains neither line feeds nor zero bytes, so
//! the end of a line is unambiguous. Each checksum continues that of the previous line,
//! which also detects lines that were lost, doubled or moved.
//!
//! A line is on the disk before the next one begins. A crash can therefore tear only the
//! last line. Its step was never acknowledged, so the line is dropped. Any other invalid
//! line was damaged later, and opening the file fails.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
};

use invitation::{StoreError, StoreErrorKind};

use crate::codec::Unreadable;

const HEADER: &[u8] = b"invitation journal 1\n";

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    /// The length up to which the file is valid and on the disk.
    length: u64,
    /// The checksum of all lines so far.
    sum: u32,
    broken: bool,
}

impl Journal {
    /// Opens or creates the file, and passes each step to `replay`, in order. The caller
    /// must make sure that no other process has it open.
    pub(crate) fn open(
        path: &Path,
        replay: impl FnMut(&str) -> Result<(), Unreadable>,
    ) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        {
            // The journal contains codes, so only its owner may read it.
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(unavailable)?;
        let mut journal = Self { file, length: 0, sum: 0, broken: false };
        let on_disk = journal.read_all(path, replay)?;
        journal.mend(path, on_disk).map_err(unavailable)?;
        Ok(journal)
    }

    /// Reads all complete lines, and returns the length of the file.
    fn read_all(
        &mut self,
        path: &Path,
        mut replay: impl FnMut(&str) -> Result<(), Unreadable>,
    ) -> Result<u64, StoreError> {
        let corrupt = |at: u64, why: &Unreadable| {
            let why = format!("{}, from byte {at} on: {why}", path.display());
            StoreError::new(StoreErrorKind::Corrupt, "open").because(why)
        };
        let on_disk = self.file.metadata().map_err(unavailable)?.len();
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(unavailable)? == 0 {
                return Ok(on_disk);
            }
            let at = self.length;
            let read = if at == 0 {
                if line == HEADER { Ok((self.sum, "")) } else { Err(unreadable("no header")) }
            } else {
                read_line(self.sum, &line)
            };
            match read {
                Ok((sum, step)) => {
                    if at > 0 {
                        replay(step).map_err(|why| corrupt(at, &why))?;
                    }
                    self.sum = sum;
                    self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
                }
                Err(why) => {
                    let last = reader.fill_buf().map_err(unavailable)?.is_empty();
                    // A file with another beginning is no journal, and must not be
                    // truncated.
                    let torn = last && is_torn(&line) && (at > 0 || HEADER.starts_with(&line));
                    return if torn { Ok(on_disk) } else { Err(corrupt(at, &why)) };
                }
            }
        }
    }

    /// Truncates a torn line, and writes the header of an empty file.
    fn mend(&mut self, path: &Path, on_disk: u64) -> io::Result<()> {
        if self.length < on_disk {
            self.file.set_len(self.length)?;
        }
        if self.length == 0 {
            self.file.write_all(HEADER)?;
            self.length = u64::try_from(HEADER.len()).unwrap_or(u64::MAX);
        }
        self.file.sync_all()?;
        // A new file survives a crash only after its folder is synced.
        if cfg!(unix)
            && let Some(folder) = path.parent()
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Writes a step, and returns when it is on the disk.
    pub(crate) fn append(&mut self, operation: &'static str, step: &str) -> Result<(), StoreError> {
        self.append_by(operation, step, |file, line| {
            file.write_all(line)?;
            file.sync_data()
        })
    }

    /// The same with an injected `write`, so that tests can make it fail.
    pub(crate) fn append_by(
        &mut self,
        operation: &'static str,
        step: &str,
        write: impl FnOnce(&mut File, &[u8]) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        self.usable(operation)?;
        let sum = crc32(self.sum, step.as_bytes());
        let line = format!("{sum:08x} {step}\n");
        let Err(failure) = write(&mut self.file, line.as_bytes()) else {
            self.sum = sum;
            self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
            return Ok(());
        };
        // Remove a partly written line, so that it does not reappear on opening: the caller
        // gets the error "nothing was done".
        let undone = self.file.set_len(self.length).and_then(|()| self.file.sync_all());
        self.broken = undone.is_err();
        let kind =
            if self.broken { StoreErrorKind::OutcomeUnknown } else { StoreErrorKind::Unavailable };
        Err(StoreError::new(kind, operation).because(failure))
    }

    /// Returns an error if memory and file may differ. Only opening the file again resolves
    /// that; until then no answer from memory is reliable.
    pub(crate) fn usable(&self, operation: &'static str) -> Result<(), StoreError> {
        if self.broken {
            let why = "a write failed and could not be undone: open the store anew";
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation).because(why));
        }
        Ok(())
    }
}

/// Returns the checksum up to and including this line, and its step.
fn read_line(sum: u32, line: &[u8]) -> Result<(u32, &str), Unreadable> {
    let text = line.strip_suffix(b"\n").ok_or_else(|| unreadable("no end of line"))?;
    let text = str::from_utf8(text).map_err(|_| unreadable("no text"))?;
    let (written, step) = text.split_once(' ').ok_or_else(|| unreadable("no checksum"))?;
    let sum = crc32(sum, step.as_bytes());
    if written == format!("{sum:08x}") {
        Ok((sum, step))
    } else {
        Err(unreadable("wrong checksum"))
    }
}

/// Returns whether a crash can have left the last line like this: without its end, or with
/// zeros in place of a block that did not reach the disk before a later one.
fn is_torn(line: &[u8]) -> bool {
    !line.ends_with(b"\n") || line.contains(&0)
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(why.into())
}

fn unavailable(cause: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "open").because(cause)
}

/// Continues the CRC-32 `sum` (IEEE 802.3, as in zlib) with `bytes`.
fn crc32(sum: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let (mut table, mut n) = ([0; 256], 0);
        while n < 256_u32 {
            let (mut entry, mut bit) = (n, 0);
            while bit < 8 {
                entry = (entry >> 1) ^ if entry & 1 == 1 { 0xedb8_8320 } else { 0 };
                bit += 1;
            }
            table[n as usize] = entry;
            n += 1;
        }
        table
    };
    let step = |crc: u32, &byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ TABLE[usize::from(low ^ byte)]
    };
    !bytes.iter().fold(!sum, step)
}
