//! Another system: a directory of accounts, here a text file. It creates only one account
//! per key, however often it is called.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use invitation::reserve::ReservationId;

use crate::{
    Result,
    registration::{Account, Accounts},
};

/// A directory of accounts in a file.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Opens the directory in this file.
    pub(crate) fn open(path: PathBuf) -> Self {
        Self(path)
    }

    fn read(&self) -> Result<Vec<Account>> {
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

impl Accounts for Directory {
    async fn create(&self, key: ReservationId, name: &str, role: &str) -> Result {
        if self.read()?.iter().any(|account| account.key == key) {
            return Ok(());
        }
        self.write(&format!("create {key} {name} {role}"))
    }

    async fn activate(&self, key: ReservationId) -> Result {
        self.write(&format!("activate {key}"))
    }

    async fn remove(&self, key: ReservationId) -> Result {
        self.write(&format!("remove {key}"))
    }

    async fn all(&self) -> Result<Vec<Account>> {
        self.read()
    }
}
