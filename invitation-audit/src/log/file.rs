//! A log in a file of JSON Lines.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use invitation_core::UserId;

use super::{
    Batch, LogError, LogOffset, LogPage, LogStore,
    batch_write::write_batch,
    lock::{keep_access, open_locked, sync_folder},
};
use crate::line::{LineError, Record};

/// What the line of a checkpoint begins with.
const CHECKPOINT: &[u8] = b"{\"checkpoint\":";
/// What the line of an entry begins with.
const ENTRY: &[u8] = b"{\"index\":";

/// A log in a file: one JSON object a line, which is also the form of an
/// [export](crate::export).
///
/// The checkpoint is the last line of a batch. A batch without it was interrupted: the log
/// ends before it, and the next batch takes its place. The checkpoint is written when its entries
/// survive a crash of the machine, so a batch costs two syncs.
///
/// An erasure writes the file anew beside the old one, and then replaces it. Do not verify the
/// log at the same time. The blocks of the old file may remain on the disk for a while. On Unix
/// the new file keeps owner and permissions, if the process may set them: else it is readable by
/// the process's own user only.
///
/// A lock on the file lets one process write it. On systems other than Unix, do not open the log
/// while another process erases: the lock may be one of the replaced file.
///
/// The calls block their thread while they write and sync the file. Run the sealer on a task
/// or a thread of its own.
#[derive(Debug)]
pub struct FileLog {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    file: File,
    /// The part up to the last checkpoint.
    extent: Extent,
}

/// The length of a log.
#[derive(Clone, Copy, Default, Debug)]
struct Extent {
    bytes: u64,
    entries: u64,
}

impl FileLog {
    /// The longest line that is read, in bytes.
    pub const MAX_LINE: u64 = 1 << 20;

    /// Opens a log for writing, or creates an empty one. It reads the file once, to find its
    /// last checkpoint, and changes nothing. On Unix only the owner can read a new file.
    ///
    /// # Errors
    ///
    /// [`LogError::Locked`] if another process, or another `FileLog` of this one, has the file
    /// open for writing; [`LogError::Unreadable`] if the file is no log: the next batch would
    /// take the place of its content; [`LogError::Other`] if it cannot be opened or read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = path.as_ref();
        let file = open_locked(path)?;
        sync_folder(path).map_err(LogError::other)?;
        let extent = whole_batches(&file)?;
        let path = path.to_owned();
        Ok(Self { state: Mutex::new(State { path, file, extent }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The extent changes only after a complete write, so a poisoned state is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the extent up to the end of the last checkpoint. Refuses a file in which something else
/// than an interrupted batch follows.
fn whole_batches(file: &File) -> Result<Extent, LogError> {
    let mut reader = BufReader::new(file);
    let (mut read, mut whole) = (Extent::default(), Extent::default());
    let mut line = Vec::new();
    let mut is_batch = true;
    loop {
        line.clear();
        let limited = (&mut reader).take(FileLog::MAX_LINE).read_until(b'\n', &mut line);
        let length = limited.map_err(LogError::other)?;
        if length == 0 && is_batch {
            return Ok(whole);
        }
        if length == 0 {
            return Err(LineError::Kind.into());
        }
        if read.bytes == whole.bytes {
            is_batch = begins_batch(&line, whole);
        }
        read.bytes += length as u64;
        read.entries += u64::from(line.starts_with(ENTRY));
        if line.starts_with(CHECKPOINT) && line.ends_with(b"\n") {
            (whole, is_batch) = (read, true);
        }
    }
}

/// Returns whether an interrupted batch may begin with this line.
fn begins_batch(line: &[u8], whole: Extent) -> bool {
    let begins = |start: &[u8]| line.starts_with(start) || start.starts_with(line);
    // After a crash of the machine, blocks that were not written yet may read as zeros.
    let is_unwritten = whole.bytes > 0 && line.starts_with(&[0]);
    begins(ENTRY) || begins(CHECKPOINT) || is_unwritten
}

impl State {
    fn append(&mut self, lines: &str, count: usize, checkpoint: &str) -> io::Result<u64> {
        // Removes what an interrupted batch left.
        self.file.set_len(self.extent.bytes)?;
        self.file.seek(SeekFrom::Start(self.extent.bytes))?;
        write_batch(&mut self.file, lines, checkpoint)?;
        self.extent.bytes += (lines.len() + checkpoint.len()) as u64;
        self.extent.entries += count as u64;
        Ok(self.extent.bytes)
    }

    /// Writes a copy of the log with these entries erased, and puts it in place of the log.
    fn erase(&mut self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".erasing");
        let beside = PathBuf::from(beside);
        // An interrupted erasure may have left a file there.
        let copy = open_locked(&beside)?;
        copy.set_len(0).map_err(LogError::other)?;
        let mut writer = BufWriter::new(copy);
        self.file.seek(SeekFrom::Start(0)).map_err(LogError::other)?;
        let mut reader = BufReader::new((&self.file).take(self.extent.bytes));
        let mut bytes = 0;
        while let Some(line) = read_line(&mut reader)? {
            let record = Record::from_line(&line)?;
            let line =
                if record.is_one_of(entries) { record.erased(user).to_line()? } else { line };
            writer.write_all(line.as_bytes()).map_err(LogError::other)?;
            bytes += line.len() as u64;
        }
        let copy = writer.into_inner().map_err(|error| LogError::other(error.into_error()))?;
        keep_access(&self.file, &copy).map_err(LogError::other)?;
        copy.sync_all().map_err(LogError::other)?;
        fs::rename(&beside, &self.path).map_err(LogError::other)?;
        (self.file, self.extent.bytes) = (copy, bytes);
        sync_folder(&self.path).map_err(LogError::other)
    }

    fn read(&mut self, from: u64, limit: u32) -> Result<LogPage, LogError> {
        self.file.seek(SeekFrom::Start(from)).map_err(LogError::other)?;
        let rest = self.extent.bytes.saturating_sub(from);
        let mut reader = BufReader::new((&mut self.file).take(rest));
        let mut page = LogPage { records: Vec::new(), next: LogOffset(from) };
        for _ in 0..limit {
            match read_line(&mut reader).and_then(|line| line.as_deref().map(parsed).transpose()) {
                Ok(None) => break,
                Ok(Some((record, length))) => {
                    page.records.push(record);
                    page.next.0 += length;
                }
                // The next call begins with this line and reports it.
                Err(_) if !page.records.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }
}

fn parsed(line: &str) -> Result<(Record, u64), LogError> {
    Ok((Record::from_line(line)?, line.len() as u64))
}

/// Reads one line, with its line feed; none at the end.
pub(crate) fn read_line(reader: &mut impl BufRead) -> Result<Option<String>, LogError> {
    let mut line = String::new();
    match reader.take(FileLog::MAX_LINE).read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) if line.ends_with('\n') => Ok(Some(line)),
        Ok(_) => Err(LineError::Incomplete.into()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(LineError::Incomplete.into())
        }
        Err(error) => Err(LogError::other(error)),
    }
}

#[async_trait]
impl LogStore for FileLog {
    async fn append(&self, end: LogOffset, batch: &Batch) -> Result<LogOffset, LogError> {
        let mut lines = String::new();
        for entry in &batch.entries {
            lines.push_str(&Record::Entry(entry.clone()).to_line()?);
        }
        let checkpoint = Record::Checkpoint(batch.checkpoint.clone()).to_line()?;
        let mut state = self.state();
        let next = batch.entries.first().map_or(state.extent.entries, |entry| entry.index);
        if (end.0, next) != (state.extent.bytes, state.extent.entries) {
            return Err(LogError::Conflict);
        }
        let end = state.append(&lines, batch.entries.len(), &checkpoint);
        end.map(LogOffset).map_err(LogError::other)
    }

    async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError> {
        self.state().read(from.0, limit.get())
    }

    async fn erase(&self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError> {
        self.state().erase(entries, user)
    }
}
