//! Another system: a directory of accounts, here a text file. It creates only one account
//! per key, however often it is called.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use invitation::reserve::ReservationId;

use crate::Result;

/// A directory of accounts in a file.
pub(crate) struct Directory(PathBuf);

/// An account in the directory.
pub(crate) struct Account {
    /// The reservation that it was created under.
    pub(crate) key: ReservationId,
    /// The name of the user.
    pub(crate) name: String,
    /// The role of the user.
    pub(crate) role: String,
    /// Whether the user may sign in.
    pub(crate) active: bool,
}

impl Directory {
    /// Opens the directory in this file.
    pub(crate) fn open(path: PathBuf) -> Self {
        Self(path)
    }

    /// Creates an account that may not sign in yet. If the key already has an account, it
    /// stays as it is.
    pub(crate) fn create(&self, key: ReservationId, name: &str, role: &str) -> Result {
        if self.accounts()?.iter().any(|account| account.key == key) {
            return Ok(());
        }
        self.write(&format!("create {key} {name} {role}"))
    }

    /// Lets the user of the account sign in.
    pub(crate) fn activate(&self, key: ReservationId) -> Result {
        self.write(&format!("activate {key}"))
    }

    /// Removes the account.
    pub(crate) fn remove(&self, key: ReservationId) -> Result {
        self.write(&format!("remove {key}"))
    }

    /// Returns all accounts.
    pub(crate) fn accounts(&self) -> Result<Vec<Account>> {
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let mut accounts: Vec<Account> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["create", key, name, role] => accounts.push(Account {
                    key: key.parse()?,
                    name: name.to_owned(),
                    role: role.to_owned(),
                    active: false,
                }),
                ["activate", key] => {
                    let key: ReservationId = key.parse()?;
                    for account in accounts.iter_mut().filter(|account| account.key == key) {
                        account.active = true;
                    }
                }
                ["remove", key] => {
                    let key: ReservationId = key.parse()?;
                    accounts.retain(|account| account.key != key);
                }
                _ => {
                    return Err(
                        format!("the directory has a line that it cannot read: {line}").into()
                    );
                }
            }
        }
        Ok(accounts)
    }

    fn write(&self, line: &str) -> Result {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        Ok(file.sync_all()?)
    }
}
