//! A spool of imports in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use invitation_core::import::jobs::{Spool, SpoolError, SpoolFile};

/// A [spool](Spool) that keeps the files of imports in a folder.
///
/// The files contain addresses. On Unix only the user of the host's program can read them. The
/// machines of one host either share the folder, or each works on its own uploads.
///
/// ```
/// use invitation_axum::FolderSpool;
///
/// let folder = std::env::temp_dir().join(format!("folder-spool-{}", std::process::id()));
/// let spool = FolderSpool::open(&folder)?;
/// assert!(folder.is_dir());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FolderSpool {
    folder: Arc<Path>,
}

impl FolderSpool {
    /// Opens a spool in this folder, and creates the folder if it does not exist.
    ///
    /// # Errors
    ///
    /// When the folder cannot be created.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Removes the files that were not written since an instant, and returns their number. A crash
    /// during an upload leaves such a file.
    ///
    /// Choose an instant before that of
    /// [`Imports::remove_ended`](invitation_core::import::jobs::Imports::remove_ended): an import
    /// whose file is gone is never worked on. The call blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or a file cannot be removed.
    pub fn remove_older(&self, than: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() && metadata.modified()? < than {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Runs a step on a file on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        file: SpoolFile,
        step: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let path = self.folder.join(file.to_string());
        let done = tokio::task::spawn_blocking(move || step(&path)).await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Err(SpoolError::Missing),
            Ok(Err(error)) => Err(SpoolError::because(error)),
            Err(error) => Err(SpoolError::because(error)),
        }
    }
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(at == 0);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.len() < at {
        return Err(ErrorKind::NotFound.into());
    }
    file.set_len(at)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[async_trait]
impl Spool for FolderSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.blocking(file, move |path| write_at(path, at, &bytes)).await
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.blocking(file, |path| {
            File::open(path)?.sync_all()?;
            // The name of a new file is durable only with its folder.
            match path.parent() {
                Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        self.blocking(file, move |path| {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(at))?;
            let mut bytes = Vec::new();
            file.take(max as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
        .await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        match self.blocking(file, |path| fs::remove_file(path)).await {
            Err(SpoolError::Missing) => Ok(()),
            other => other,
        }
    }
}
