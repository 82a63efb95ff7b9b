//! The sealer: appends the events of a feed to a log.

use std::{
    collections::{BTreeSet, HashSet},
    num::NonZeroU32,
};

use invitation_core::{
    StoreError, Timestamp, UserId,
    code::{Entropy, EntropyError, OsEntropy},
    feed::{CursorName, Feed, FeedCursors, FeedPage, follow},
};

use crate::{
    checkpoint::{CheckpointError, SignedCheckpoint},
    entry::{Content, Entry, SealedEvent},
    key::{LogKey, LogPublicKey},
    log::{Batch, LogError, LogOffset, LogStore},
    verify::{Entries, Finding, PAGE, Progress, Verifier, read_to_end},
};

/// The largest number of erasures for one checkpoint.
const PAGE_OF_ERASURES: usize = 500;

/// Appends the events of a feed to a log, and signs a checkpoint behind each page.
///
/// The first call of [`seal`](Self::seal), and each one after a failure, verifies the log and
/// finds the last sealed event in it. The log itself is the only record of the progress, so a
/// sealer that is killed at any moment neither loses nor repeats an event.
///
/// Several sealers may work on one log: the log store lets one of them append at a time.
///
/// Call [`seal`](Self::seal) from a task of its own, for example every few seconds:
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
/// # use invitation::{
/// #     MemoryStore,
/// #     audit_log::{LogKey, MemoryLog, SealError, Sealer},
/// #     code::OsEntropy,
/// # };
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, log) = (MemoryStore::new(), MemoryLog::new());
/// # let key = LogKey::generate("example.com/invitations", &OsEntropy)?;
/// let mut sealer = Sealer::new(&store, &log, key);
/// while sealer.seal().await?.more {}
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sealer<F, L> {
    feed: F,
    log: L,
    key: LogKey,
    earlier_keys: Vec<LogPublicKey>,
    anchor: Option<SignedCheckpoint>,
    entropy: Box<dyn Entropy>,
    page: NonZeroU32,
    state: Option<State>,
}

/// The end of the log.
#[derive(Clone, Debug)]
struct State {
    progress: Progress,
    end: LogOffset,
}

/// What one call of [`Sealer::seal`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Sealed {
    /// The number of entries that it appended.
    pub appended: u64,
    /// The number of entries of the log.
    pub size: u64,
    /// The newest checkpoint; none if the log is empty. Save it elsewhere, as the anchor of
    /// later verifications.
    pub checkpoint: Option<SignedCheckpoint>,
    /// The time of the newest sealed event; none if the log has no event.
    pub newest: Option<Timestamp>,
    /// Whether there may be more to seal already.
    pub more: bool,
}

/// The reason why nothing was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log store failed. The batch may have been stored if it is [`LogError::Other`]; the
    /// next call finds out.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log is not as it was sealed. The sealer does not extend it.
    #[error("the log is not as it was sealed: {0}")]
    Tampered(Finding),
    /// The anchor is not signed by the key of the log.
    #[error(transparent)]
    Anchor(#[from] CheckpointError),
    /// The feed is not in order: an event or an epoch does not follow the last sealed one.
    #[error("the feed of the store is not in order")]
    Order,
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl<F: Feed, L: LogStore> Sealer<F, L> {
    /// Returns a sealer of this feed, which extends a log or begins it.
    #[must_use]
    pub fn new(feed: F, log: L, key: LogKey) -> Self {
        Self {
            feed,
            log,
            key,
            earlier_keys: Vec::new(),
            anchor: None,
            entropy: Box::new(OsEntropy),
            page: PAGE,
            state: None,
        }
    }

    /// Sets a saved checkpoint, which the log must contain. Without one, the sealer does not
    /// notice that the log was rolled back, and seals the removed events again.
    #[must_use]
    pub fn with_anchor(self, saved: SignedCheckpoint) -> Self {
        Self { anchor: Some(saved), ..self }
    }

    /// Accepts the checkpoints of an earlier key of the same origin, up to the first one of a newer
    /// key. With several earlier keys, set the newest one first.
    ///
    /// Save the first checkpoint of the new key as an [anchor](Self::with_anchor). Without it, the
    /// thief of an earlier key can cut off the checkpoints of the new one.
    #[must_use]
    pub fn with_earlier_key(mut self, key: LogPublicKey) -> Self {
        self.earlier_keys.push(key);
        self
    }

    /// Sets the largest number of events for one checkpoint. A verification names the place
    /// of a rewritten event by the checkpoints around it. The default is 500.
    #[must_use]
    pub fn with_page_size(self, page: NonZeroU32) -> Self {
        Self { page, ..self }
    }

    /// Sets the source of the salts. The default is the operating system's.
    #[must_use]
    pub fn with_entropy(self, entropy: impl Entropy + 'static) -> Self {
        Self { entropy: Box::new(entropy), ..self }
    }

    /// Seals one page of events. Reads one page of the feed and appends one batch; the first
    /// call, and each one after a failure, also reads the log once.
    ///
    /// If another sealer was faster, it appends nothing and returns [`Sealed::more`].
    ///
    /// # Errors
    ///
    /// [`SealError`]. A later call continues from what the log has.
    pub async fn seal(&mut self) -> Result<Sealed, SealError> {
        // Taken out: after a failure, or if this future is dropped, the state is read anew.
        let state = match self.state.take() {
            Some(state) => state,
            None => self.read_log().await?,
        };
        let page = self.feed.feed(state.progress.end(), self.page).await?;
        let more = page.more;
        let contents = self.contents(&state.progress, &page)?;
        let Some((batch, progress)) = self.batch(&state.progress, contents)? else {
            return Ok(self.sealed(0, state, more));
        };
        match self.log.append(state.end, &batch).await {
            Ok(end) => {
                let appended = batch.entries.len() as u64;
                Ok(self.sealed(appended, State { progress, end }, more))
            }
            Err(LogError::Conflict) => {
                let sealed = self.sealed(0, state, true);
                self.state = None;
                Ok(sealed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Seals one page of events as [`seal`](Self::seal) does, and then moves the cursor of this
    /// name behind the last sealed event. The cursor keeps events in the store until they are
    /// sealed: see [`Invitations::purge_events`](invitation_core::Invitations::purge_events).
    ///
    /// A host that purges events calls this instead of `seal`, the first time before its first
    /// purge. The log stays the record of the progress, so a cursor that is behind it does no
    /// harm.
    ///
    /// Two calls to the store more than `seal`, or one if nothing was sealed.
    ///
    /// # Errors
    ///
    /// As `seal`.
    pub async fn seal_with_cursor(&mut self, name: &CursorName) -> Result<Sealed, SealError>
    where
        F: FeedCursors,
    {
        let sealed = self.seal().await?;
        // Without a state, another sealer was faster: it moves the cursor.
        if let Some(state) = &self.state {
            follow(&self.feed, name, state.progress.last).await?;
        }
        Ok(sealed)
    }

    /// Erases the personal values of a user from the log. The user id stays. Returns the number of
    /// erased entries. It erases
    ///
    /// - all values of the sealed events that the user performed;
    /// - the masked address of the sealed events that the store names in its events about the
    ///   [erasure](invitation_core::erasure) of the user.
    ///
    /// Other values of events that others performed stay. So do the positions and ids in the events
    /// of purges and erasures, which later calls read.
    ///
    /// The store's own events are not touched. Erase the user from the store first
    /// ([`Invitations::erase_person`](invitation_core::Invitations::erase_person)), seal until
    /// nothing is left, and then call this. Until then, the verification of the store names the
    /// events that the store has erased. Events that were not sealed before are sealed as the store
    /// has them, without the values.
    ///
    /// The log first records which entries it erases, and then erases them. If the call fails,
    /// repeat it. Reads the log three times, and replaces its storage once, for which a
    /// [`FileLog`](crate::FileLog) reads it once more. Takes 8 bytes of memory for each erased
    /// entry, and 16 for each event that the store names.
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
    /// # use invitation::{
    /// #     Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, SystemActor,
    /// #     UserId, Username,
    /// #     audit_log::{LogKey, MemoryLog, Sealer},
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (store, log) = (MemoryStore::new(), MemoryLog::new());
    /// # let invitations = Invitations::new(&store);
    /// # let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
    /// # let created = invitations.create(&SystemActor::for_bootstrap(), draft).await?;
    /// # let code = created.code().reveal();
    /// # let key = LogKey::from_seed("example.com/invitations", &[7; 32])?;
    /// let anna = UserId::new("u-7")?;
    /// invitations.redeem(&code, &Redeemer::new(anna.clone(), Username::new("anna")?)).await?;
    ///
    /// let mut sealer = Sealer::new(&store, &log, key);
    /// sealer.seal().await?;
    /// assert_eq!(sealer.erase_user(&anna).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SealError`]; [`LogError::Conflict`] if another sealer was faster.
    pub async fn erase_user(&mut self, user: &UserId) -> Result<u64, SealError> {
        // The erasure makes the offset of the state invalid.
        self.state = None;
        let mut state = self.read_log().await?;
        let erasable = self.readable_entries_of(user).await?;
        let indexes: Vec<u64> = erasable.iter().copied().collect();
        for page in indexes.chunks(PAGE_OF_ERASURES) {
            let contents = page.iter().map(|entry| Content::Erasure { entry: *entry }).collect();
            if let Some((batch, progress)) = self.batch(&state.progress, contents)? {
                let end = self.log.append(state.end, &batch).await?;
                state = State { progress, end };
            }
        }
        if !erasable.is_empty() {
            self.log.erase(&erasable, user).await?;
        }
        Ok(erasable.len() as u64)
    }

    /// Returns the entries that have personal values of a user left.
    async fn readable_entries_of(&self, user: &UserId) -> Result<BTreeSet<u64>, LogError> {
        let (mut found, mut named) = (BTreeSet::new(), HashSet::new());
        let mut entries = Entries::new(&self.log);
        while let Some(entry) = entries.next().await? {
            named.extend(entry.content.event().into_iter().flat_map(|own| own.erased_events(user)));
        }
        let mut entries = Entries::new(&self.log);
        while let Some(entry) = entries.next().await? {
            let is_erasable = |event: &SealedEvent| {
                let is_own = event.user.as_deref() == Some(user.as_str());
                (is_own || named.contains(&event.id)) && event.has_values_of(user)
            };
            if entry.content.event().is_some_and(is_erasable) {
                found.insert(entry.index);
            }
        }
        Ok(found)
    }

    fn sealed(&mut self, appended: u64, state: State, more: bool) -> Sealed {
        let State { progress, .. } = self.state.insert(state);
        let (size, checkpoint) = (progress.tree.size(), progress.checkpoint.clone());
        Sealed { appended, size, checkpoint, newest: progress.newest, more }
    }

    async fn read_log(&self) -> Result<State, SealError> {
        let keys = [self.key.public_key().clone()].into_iter().chain(self.earlier_keys.clone());
        let mut verifier = Verifier::new(keys);
        if let Some(anchor) = &self.anchor {
            verifier = verifier.with_anchor(anchor)?;
        }
        let (verifier, end) = read_to_end(&self.log, verifier).await?;
        let progress = verifier.into_progress().map_err(SealError::Tampered)?;
        Ok(State { progress, end })
    }

    /// Returns what a page of the feed adds to the log.
    fn contents(&self, before: &Progress, page: &FeedPage) -> Result<Vec<Content>, SealError> {
        let is_new = page.epoch.number != before.epoch;
        let epoch = is_new.then_some(Content::Epoch(page.epoch)).into_iter();
        let mut contents: Vec<_> = epoch.collect();
        for event in &page.events {
            let event = SealedEvent::new(event, &*self.entropy)?;
            contents.push(Content::Event(Box::new(event)));
        }
        Ok(contents)
    }

    /// Returns a batch, and the log with it; none if there is nothing to append.
    fn batch(
        &self,
        before: &Progress,
        contents: Vec<Content>,
    ) -> Result<Option<(Batch, Progress)>, SealError> {
        if contents.is_empty() {
            return Ok(None);
        }
        let mut progress = before.clone();
        let mut entries = Vec::with_capacity(contents.len());
        for content in contents {
            if !progress.follows(&content) {
                return Err(SealError::Order);
            }
            let entry = Entry::new(progress.tree.size(), content);
            progress.push(&entry);
            entries.push(entry);
        }
        let size = progress.tree.size();
        let checkpoint = SignedCheckpoint::sign(&self.key, size, progress.tree.root());
        progress.signed = size;
        progress.checkpoint = Some(checkpoint.clone());
        Ok(Some((Batch { entries, checkpoint }, progress)))
    }
}
