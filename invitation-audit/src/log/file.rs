//! A log in a file of JSON Lines.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    num::NonZeroU32,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Batch, LogError, LogOffset, LogPage, LogStore};
use crate::line::{LineError, Record};

/// What the line of a checkpoint begins with.
const CHECKPOINT: &[u8] = b"{\"checkpoint\":";

/// A log in a file: one JSON object a line, which is also the form of an
/// [export](crate::export).
///
/// The checkpoint is the last line of a batch. A batch without it was interrupted: the log
/// ends before it, and the next batch takes its place.
///
/// The calls block their thread while they write and sync the file. Run the sealer on a task
/// or a thread of its own.
#[derive(Debug)]
pub struct FileLog {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// The number of bytes up to the last checkpoint.
    end: u64,
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
    /// open for writing; [`LogError::Other`] if the file cannot be opened or read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = path.as_ref();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(LogError::other)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => LogError::Locked,
            std::fs::TryLockError::Error(error) => LogError::other(error),
        })?;
        sync_folder(path).map_err(LogError::other)?;
        let end = end_of_last_batch(&file).map_err(LogError::other)?;
        Ok(Self { state: Mutex::new(State { file, end }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // `end` moves only after a complete write, so a poisoned state is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a new file survive a crash of the machine.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Other systems cannot open a folder as a file.
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Returns the number of bytes up to the end of the last checkpoint.
fn end_of_last_batch(file: &File) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut read, mut end) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut reader).take(FileLog::MAX_LINE).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(end);
        }
        read += length as u64;
        if line.starts_with(CHECKPOINT) && line.ends_with(b"\n") {
            end = read;
        }
    }
}

impl State {
    fn append(&mut self, lines: &str) -> io::Result<u64> {
        // Removes what an interrupted batch left.
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.end += lines.len() as u64;
        Ok(self.end)
    }

    fn read(&mut self, from: u64, limit: u32) -> Result<LogPage, LogError> {
        self.file.seek(SeekFrom::Start(from)).map_err(LogError::other)?;
        let rest = self.end.saturating_sub(from);
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
        lines.push_str(&Record::Checkpoint(batch.checkpoint.clone()).to_line()?);
        let mut state = self.state();
        if end.0 != state.end {
            return Err(LogError::Conflict);
        }
        state.append(&lines).map(LogOffset).map_err(LogError::other)
    }

    async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError> {
        self.state().read(from.0, limit.get())
    }
}
