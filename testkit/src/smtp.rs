//! A mail server.

use std::{fs, io, net::TcpStream, path::PathBuf, process::Command, sync::OnceLock};

use crate::{
    programs::{missing, run},
    server::{Program, Server, Setup},
};

/// A private SMTP server: aiosmtpd, which keeps each mail as a file. Its mails outlive a
/// [crash](Server::stop_now).
///
/// The local part of an address decides what becomes of a mail to it: one that begins with
/// `refused` is refused for good, with `deferred` the first time, and with `slow` it is accepted
/// after 300 ms.
pub type Smtp = Server<SmtpProgram>;

/// The program of the SMTP server.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum SmtpProgram {}

/// The distribution's own Python: only that one has the package.
const PYTHON: &str = "/usr/bin/python3";

impl Program for SmtpProgram {
    type Options = ();

    const USER: &'static str = "daemon";

    fn prepare(setup: &Setup<'_>, (): &()) -> io::Result<Command> {
        let has_package = run(Command::new(PYTHON).args(["-c", "import aiosmtpd"]));
        has_package.map_err(|_| missing("aiosmtpd", "python3-aiosmtpd"))?;
        let mut command = setup.user.command(PYTHON.as_ref());
        command.args(["-c", include_str!("smtp.py")]);
        command.arg(setup.path()).arg(setup.port.to_string());
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    }

    fn shared() -> &'static OnceLock<Smtp> {
        static SHARED: OnceLock<Smtp> = OnceLock::new();
        &SHARED
    }
}

/// A mail that the server accepted, decoded by Python's `email`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReceivedMail {
    /// The recipients of the envelope.
    pub recipients: String,
    /// The header `To`.
    pub to: String,
    /// The header `Message-ID`.
    pub message_id: String,
    /// The header `Subject`.
    pub subject: String,
    /// The header `List-Unsubscribe`; empty if there is none.
    pub unsubscribe: String,
    /// The plain text.
    pub text: String,
    /// The text in HTML; empty if there is none.
    pub html: String,
}

impl Smtp {
    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port())
    }

    /// Returns the mails that the server accepted, oldest first.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn mails(&self) -> io::Result<Vec<ReceivedMail>> {
        let mut files = self.mail_files()?;
        files.sort();
        files.iter().map(|file| parsed(&fs::read_to_string(file)?)).collect()
    }

    /// Returns the number of mails that the server accepted, without reading them.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn count(&self) -> io::Result<usize> {
        Ok(self.mail_files()?.len())
    }

    fn mail_files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.folder())?.collect::<io::Result<Vec<_>>>()?;
        let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "mail"));
        Ok(files)
    }
}

fn parsed(text: &str) -> io::Result<ReceivedMail> {
    let parts: Vec<_> = text.split('\u{1f}').map(str::to_owned).collect();
    let [recipients, to, message_id, subject, unsubscribe, text, html] = parts
        .try_into()
        .map_err(|_| io::Error::other("the server wrote another number of parts"))?;
    Ok(ReceivedMail { recipients, to, message_id, subject, unsubscribe, text, html })
}
