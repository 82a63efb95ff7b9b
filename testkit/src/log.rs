//! Captured log output of a program.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// All text written to this log or to a clone of it.
#[derive(Clone, Default, Debug)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns a writer factory for a logger; every writer is a clone of this log.
    pub fn writer(&self) -> impl Fn() -> Self + use<> {
        let own = self.clone();
        move || own.clone()
    }

    /// Returns all captured text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written()).into_owned()
    }

    /// Returns all captured text and clears the log.
    #[must_use]
    pub fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.written())).into_owned()
    }

    /// Clears the log.
    pub fn clear(&self) {
        self.written().clear();
    }

    fn written(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
