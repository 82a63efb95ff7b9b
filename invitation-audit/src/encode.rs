//! The canonical form of an entry, whose hash is the leaf.
//!
//! Version 1 is a sequence of bytes:
//!
//! ```text
//! entry    = 0x01 kind fields            version 1
//! kind     = 0x01 | 0x02 | 0x03          event | epoch | erasure
//! text     = length bytes                length: 8 bytes, big-endian
//! option   = 0x00 | 0x01 text
//! personal = the commitment, 32 bytes, as a text
//!
//! event    = text(position) text(id) text(at)
//!            option(user) option(role) option(personal name)
//!            text(action) text(outcome) option(reason)
//!            option(invitation) option(division)
//!            option(correlation) option(personal source)
//!            number of details, 8 bytes, big-endian, then for each
//!            text(name) text(personal value)
//! epoch    = text(number) option(position)
//! erasure  = text(index of the entry)
//! ```
//!
//! A position has 24 bytes, an id 16, a number and an index 8, big-endian. A time has 8: its microseconds since 1970, signed,
//! big-endian. Every field has its length in front, so two different entries have different
//! forms.

use invitation_core::{InvitationId, feed::FeedPosition};

use crate::{
    entry::{Content, SealedEvent},
    personal::Personal,
};

const VERSION: u8 = 1;
const EVENT: u8 = 1;
const EPOCH: u8 = 2;
const ERASURE: u8 = 3;

impl Content {
    /// Returns the canonical form of the entry, which the leaf hash covers.
    ///
    /// The form is versioned and never changes for entries that exist. Golden vectors in
    /// `tests/vectors.txt` pin it.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut bytes = Bytes(Vec::with_capacity(512));
        bytes.0.push(VERSION);
        match self {
            Self::Event(event) => {
                bytes.0.push(EVENT);
                bytes.event(event);
            }
            Self::Epoch(epoch) => {
                bytes.0.push(EPOCH);
                bytes.text(epoch.number.to_be_bytes());
                bytes.option(epoch.follows.map(FeedPosition::to_bytes));
            }
            Self::Erasure { entry } => {
                bytes.0.push(ERASURE);
                bytes.text(entry.to_be_bytes());
            }
        }
        bytes.0
    }
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_be_bytes());
    }

    fn text(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.number(text.len());
        self.0.extend_from_slice(text);
    }

    fn option(&mut self, text: Option<impl AsRef<[u8]>>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn event(&mut self, event: &SealedEvent) {
        let commitment = |personal: &Personal| *personal.commitment().as_bytes();
        // Names every field: a new one must get its place, or this does not compile.
        let SealedEvent {
            position,
            id,
            at,
            user,
            role,
            name,
            action,
            outcome,
            reason,
            invitation,
            division,
            correlation,
            source,
            detail,
        } = event;
        self.text(position.to_bytes());
        self.text(id.as_bytes());
        self.text(at.as_micros().to_be_bytes());
        self.option(user.as_ref());
        self.option(role.as_ref());
        self.option(name.as_ref().map(commitment));
        self.text(action);
        self.text(outcome);
        self.option(reason.as_ref());
        self.option(invitation.as_ref().map(InvitationId::as_bytes));
        self.option(division.as_ref());
        self.option(correlation.as_ref());
        self.option(source.as_ref().map(commitment));
        self.number(detail.len());
        for (name, value) in detail {
            self.text(name);
            self.text(commitment(value));
        }
    }
}
