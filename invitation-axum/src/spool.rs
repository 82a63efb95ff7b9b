//! A spool of imports in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use invitation_core::import::jobs::{Spool, SpoolError, SpoolFile, SpoolPart};

/// A [spool](Spool) that keeps the files of imports in a folder.
///
/// The files contain addresses. On Unix only the user of the host's program can read them. The
/// machines of one host either share the folder, or each works on its own uploads.
///
/// ```
/// # mod invitation { pub use invitation_axum as web; }
/// use invitation::web::FolderSpool;
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
    max_bytes: u64,
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
        Ok(Self { folder: folder.into(), max_bytes: u64::MAX })
    }

    /// Sets the maximum size of all files together, in bytes. By default there is none.
    ///
    /// An upload that would exceed it ends with [`SpoolError::Full`]: the host answers 503, and the
    /// user sends the file again when older imports are removed. Each upload that runs at the same
    /// time may exceed the maximum by the bytes of one call. Results are written in any case,
    /// because a worker cannot wait for room; they have a few hundred bytes for each row.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
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

/// Returns the number of bytes of all files in a folder.
fn size_of_files(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        match entry?.metadata() {
            Ok(metadata) => bytes = bytes.saturating_add(metadata.len()),
            // Another task has removed the file since.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // What is behind the bytes stays, so the file is not truncated.
    options.write(true).create(at == 0).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.len() < at {
        return Err(ErrorKind::NotFound.into());
    }
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[async_trait]
impl Spool for FolderSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        let max = (file.part() == SpoolPart::Rows).then_some(self.max_bytes);
        let written = self.blocking(file, move |path| {
            let is_room = match (max, path.parent()) {
                (Some(max), Some(folder)) if max < u64::MAX => {
                    size_of_files(folder)?.saturating_add(bytes.len() as u64) <= max
                }
                _ => true,
            };
            if is_room { write_at(path, at, &bytes).map(Ok) } else { Ok(Err(SpoolError::Full)) }
        });
        written.await?
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

#[cfg(test)]
mod tests {
    use invitation_core::{
        Actor, Invitations, MemoryStore, Role, UserId,
        import::{
            file::FileFormat,
            jobs::{ImportError, ImportOrder, Imports},
        },
    };

    use super::*;

    #[tokio::test]
    async fn upload_beyond_the_maximum_of_all_files_is_refused_until_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let spool = FolderSpool::open(folder.path().join("imports")).unwrap();
        let imports = Imports::new(MemoryStore::new(), spool.clone().with_max_bytes(1_000));
        let invitations = Invitations::new(MemoryStore::new());
        let admin =
            Actor::across_divisions(UserId::new("u-0").unwrap(), Role::new("admin").unwrap());
        let upload = async |bytes: usize| {
            let order = ImportOrder::new(FileFormat::Csv);
            let mut upload = imports.upload(&invitations, &admin, order).await?;
            upload.write(&vec![b'x'; bytes]).await?;
            upload.submit(&invitations, None).await
        };
        assert!(upload(600).await.is_ok());
        let refused = upload(401).await;
        assert!(matches!(refused, Err(ImportError::Spool(SpoolError::Full))), "{refused:?}");
        assert!(upload(400).await.is_ok());
        assert!(upload(1).await.is_err());
        let later = SystemTime::now() + std::time::Duration::from_secs(1);
        assert_eq!(spool.remove_older(later).unwrap(), 2);
        assert!(upload(1_000).await.is_ok());
    }

    #[tokio::test]
    async fn bytes_behind_a_repeated_write_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_at(&path, 0, b"abcdef").unwrap();
        write_at(&path, 0, b"ab").unwrap();
        write_at(&path, 2, b"xy").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abxyef");
        assert!(write_at(&path, 7, b"z").is_err());
    }
}
