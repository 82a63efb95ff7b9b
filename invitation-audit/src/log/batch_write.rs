//! The order in which a batch reaches the disk.

use std::{
    fs::File,
    io::{self, Write},
};

/// A file whose writes can be made to survive a crash of the machine.
pub(super) trait Durable: Write {
    /// Returns when all earlier writes survive a crash.
    fn sync(&mut self) -> io::Result<()>;
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes the lines of the entries, and the line of their checkpoint when these survive a crash.
///
/// A disk may write the blocks of one request in any order. After a crash, a checkpoint without
/// its entries would make an interrupted batch look like a log that was altered.
pub(super) fn write_batch(
    file: &mut impl Durable,
    entries: &str,
    checkpoint: &str,
) -> io::Result<()> {
    if !entries.is_empty() {
        file.write_all(entries.as_bytes())?;
        file.sync()?;
    }
    file.write_all(checkpoint.as_bytes())?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose unsynced bytes a crash loses. It keeps what each sync found.
    #[derive(Default)]
    struct Recorder {
        written: String,
        synced: Vec<String>,
    }

    impl Write for Recorder {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Durable for Recorder {
        fn sync(&mut self) -> io::Result<()> {
            self.synced.push(self.written.clone());
            Ok(())
        }
    }

    #[test]
    fn entries_are_synced_before_their_checkpoint_is_written() {
        for (entries, synced) in
            [("entries\n", &["entries\n", "entries\ncheckpoint\n"][..]), ("", &["checkpoint\n"])]
        {
            let mut file = Recorder::default();
            write_batch(&mut file, entries, "checkpoint\n").unwrap();
            assert_eq!(file.synced, synced);
        }
    }
}
