//! The stored forms of a code under a keyring.

use invitation_core::{
    CodeFormat, Entropy, EntropyError, InvitationCode, InvitationId, OsEntropy, SealedCode,
    Sealing, UnsealCause,
    code::keyring::{KeyId, Keyring},
};
use proptest::prelude::*;

use crate::{first_ring, id, overlapping_ring, secret};

/// A source that counts up.
#[derive(Debug)]
struct CountingFrom(u8);

impl Entropy for CountingFrom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = self.0.wrapping_add(u8::try_from(n).map_err(EntropyError::new)?);
        }
        Ok(())
    }
}

/// A source that fails.
#[derive(Debug)]
struct Exhausted;

impl Entropy for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new("no entropy"))
    }
}

fn code() -> InvitationCode {
    CodeFormat::default().generate(&OsEntropy).expect("random")
}

fn invitation(last: u8) -> InvitationId {
    let mut bytes = *b"\x01\x23\x45\x67\x89\x01\x70\x00\x80\0\0\0\0\0\0\0";
    bytes[15] = last;
    InvitationId::from_bytes(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn cause(sealing: &Sealing, invitation: InvitationId, sealed: &SealedCode) -> UnsealCause {
    let refused = sealing.open(invitation, sealed, &CodeFormat::default()).unwrap_err();
    assert_eq!(refused.invitation(), invitation);
    refused.cause().clone()
}

/// The expected bytes were computed by another implementation of HKDF, HMAC and
/// XChaCha20-Poly1305. Rows in databases have these forms, so they must never change.
#[test]
fn stored_forms_are_the_golden_vectors() {
    let code = CodeFormat::default().generate(&CountingFrom(0)).expect("counted");
    assert_eq!(*code.reveal(), *"0123-4567-89AB-CDEF-GHJK-MNPM");
    let sealing = Sealing::keyring(Keyring::new(id("2026-01"), &secret(0)));
    let digests: Vec<_> = sealing.digests(&code).iter().map(|d| hex(d.as_bytes())).collect();
    assert_eq!(digests, [DIGEST, UNKEYED]);
    assert_eq!(hex(sealing.digest(&code).as_bytes()), DIGEST);
    assert_eq!(hex(sealing.tag(&code).as_bytes()), TAG);
    let sealed = sealing.seal(invitation(1), &code, &CountingFrom(0x40)).expect("counted");
    assert_eq!(hex(sealed.as_bytes()), SEALED);
    assert_eq!(sealed.key_id(), Some("2026-01"));
    assert_eq!(sealing.open(invitation(1), &sealed, &CodeFormat::default()), Ok(code));
}

const DIGEST: &str = "f7a2056c4aa2e69fc594710ef58a59847693c84ac242358bb2c49ad83f56573a";
const UNKEYED: &str = "70b8c360dc0d1bcdc02362ea22cd0fc4c4f7e46ce443506b2b322bb901d839e2";
const TAG: &str = "c2caf917ad277a75";
const SEALED: &str = "0107323032362d3031404142434445464748494a4b4c4d4e4f50515253545556577784e5b46a\
    b8727ef15dae9d2eb83a8693716563e4bd2ac5939f23bf691bd0a03883848f23800b11";

#[test]
fn sealed_code_of_the_longest_format_and_id_fits_its_column() {
    let format = CodeFormat::new(CodeFormat::MAX_SYMBOLS).expect("the longest");
    let longest = KeyId::new("k".repeat(KeyId::MAX_BYTES)).expect("the longest");
    let sealing = Sealing::keyring(Keyring::new(longest, &secret(1)));
    let code = format.generate(&OsEntropy).expect("random");
    let sealed = sealing.seal(invitation(1), &code, &OsEntropy).expect("random");
    assert!(sealed.as_bytes().len() <= SealedCode::MAX_BYTES, "{}", sealed.as_bytes().len());
    assert_eq!(sealing.open(invitation(1), &sealed, &format), Ok(code));
}

#[test]
fn same_code_is_sealed_differently_each_time() {
    let (sealing, code) = (Sealing::keyring(first_ring()), code());
    let seal = || sealing.seal(invitation(1), &code, &OsEntropy).expect("random");
    assert_ne!(seal(), seal());
    let restarted = Sealing::keyring(first_ring());
    assert_eq!(restarted.digest(&code), sealing.digest(&code), "a code is found after a restart");
}

#[test]
fn sealing_without_randomness_fails() {
    let code = code();
    assert!(Sealing::keyring(first_ring()).seal(invitation(1), &code, &Exhausted).is_err());
    assert!(Sealing::readable().seal(invitation(1), &code, &Exhausted).is_ok());
    assert!(Sealing::hash_only().seal(invitation(1), &code, &Exhausted).is_ok());
}

#[test]
fn older_key_finds_and_opens_what_it_sealed() {
    let code = code();
    let before = Sealing::keyring(first_ring());
    let after = Sealing::keyring(overlapping_ring());
    let sealed = before.seal(invitation(1), &code, &OsEntropy).expect("random");
    let format = CodeFormat::default();
    assert!(after.digests(&code).contains(&before.digest(&code)));
    assert_ne!(after.digest(&code), before.digest(&code), "new rows get the new key");
    assert_ne!(after.tag(&code), before.tag(&code));
    assert_eq!(after.open(invitation(1), &sealed, &format).as_ref(), Ok(&code));
    // Step 1 of a rotation: a process that seals under the first key reads the second.
    let newer = after.seal(invitation(1), &code, &OsEntropy).expect("random");
    let prepared = first_ring().with_older(id("k2"), &secret(2)).expect("another key");
    let prepared = Sealing::keyring(prepared);
    assert!(prepared.digests(&code).contains(&after.digest(&code)));
    assert_eq!(prepared.open(invitation(1), &newer, &format), Ok(code));
}

#[test]
fn missing_key_is_named_as_unknown_or_retired() {
    let code = code();
    let before = Sealing::keyring(first_ring());
    let hashed = Sealing::keyed_hash_only(first_ring());
    let retired = || Keyring::new(id("k2"), &secret(2)).with_retired(id("k1")).expect("an id");
    for sealing in [before.clone(), hashed] {
        let sealed = sealing.seal(invitation(1), &code, &OsEntropy).expect("random");
        let unknown = Sealing::keyring(Keyring::new(id("k2"), &secret(2)));
        for without in [unknown, Sealing::readable(), Sealing::hash_only()] {
            let found = cause(&without, invitation(1), &sealed);
            assert_eq!(found, UnsealCause::UnknownKey("k1".into()), "{without:?}");
            assert!(!without.digests(&code).contains(&before.digest(&code)));
        }
        let without = Sealing::keyring(retired());
        assert_eq!(cause(&without, invitation(1), &sealed), UnsealCause::RetiredKey("k1".into()));
        let refused = without.open(invitation(1), &sealed, &CodeFormat::default()).unwrap_err();
        assert_eq!(refused.key_id(), Some("k1"));
        assert!(refused.to_string().ends_with("the key with the id k1 is retired"), "{refused}");
        assert!(!without.digests(&code).contains(&before.digest(&code)));
    }
}

#[test]
fn key_with_the_id_of_another_opens_nothing() {
    let sealed = Sealing::keyring(first_ring()).seal(invitation(1), &code(), &OsEntropy);
    let impostor = Sealing::keyring(Keyring::new(id("k1"), &secret(9)));
    let found = cause(&impostor, invitation(1), &sealed.expect("random"));
    assert_eq!(found, UnsealCause::Damaged);
}

#[test]
fn unkeyed_row_is_read_until_only_keyed_ones_are() {
    let code = code();
    let (plain, sealing) = (Sealing::readable(), Sealing::keyring(first_ring()));
    let sealed = plain.seal(invitation(1), &code, &OsEntropy).expect("not random");
    assert!(sealing.digests(&code).contains(&plain.digest(&code)));
    assert_eq!(sealing.open(invitation(1), &sealed, &CodeFormat::default()).as_ref(), Ok(&code));
    let strict = sealing.keyed_only();
    assert_eq!(strict.digests(&code), [strict.digest(&code)]);
    assert_eq!(cause(&strict, invitation(1), &sealed), UnsealCause::Unkeyed);
}

#[test]
fn hash_only_form_contains_no_code() {
    let code = code();
    for (sealing, key) in
        [(Sealing::hash_only(), None), (Sealing::keyed_hash_only(first_ring()), Some("k1"))]
    {
        let sealed = sealing.seal(invitation(1), &code, &OsEntropy).expect("random");
        assert!(sealed.as_bytes().len() <= 4, "a header only");
        assert_eq!(sealed.key_id(), key);
        assert_eq!(cause(&sealing, invitation(1), &sealed), UnsealCause::NotKept);
    }
}

#[test]
fn debug_shows_neither_secrets_nor_codes() {
    let sealing = Sealing::keyring(overlapping_ring());
    let sealed = sealing.seal(invitation(1), &code(), &OsEntropy).expect("random");
    let shown = format!("{sealing:?} {sealed:?} {:?}", secret(1));
    assert!(!shown.contains(&*secret(1).reveal_hex()), "{shown}");
    assert!(shown.contains("KeyId(\"k2\")") && shown.contains("SealedCode(…)"), "{shown}");
}

proptest! {
    /// A flipped bit anywhere in the stored bytes is an error.
    #[test]
    fn flipped_bit_of_sealed_bytes_is_an_error(at in 0_usize..10_000, bit in 0_u8..8) {
        let sealing = Sealing::keyring(first_ring());
        let sealed = sealing.seal(invitation(1), &code(), &OsEntropy).expect("random");
        let mut bytes = sealed.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let opened = sealing.open(
            invitation(1), &SealedCode::from_bytes(bytes), &CodeFormat::default(),
        );
        prop_assert!(opened.is_err(), "byte {at}, bit {bit}");
    }

    /// The bytes of one row do not open as the code of another.
    #[test]
    fn flipped_bit_of_the_invitation_is_an_error(at in 0_usize..16, bit in 0_u8..8) {
        let sealing = Sealing::keyring(first_ring());
        let sealed = sealing.seal(invitation(1), &code(), &OsEntropy).expect("random");
        let mut other = *invitation(1).as_bytes();
        other[at] ^= 1 << bit;
        let found = cause(&sealing, InvitationId::from_bytes(other), &sealed);
        prop_assert_eq!(found, UnsealCause::Damaged);
    }

    /// Damage of any other kind is an error, never a panic.
    #[test]
    fn arbitrary_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..130)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 1 + *first % 3;
        }
        let sealed = SealedCode::from_bytes(bytes);
        let sealing = Sealing::keyring(overlapping_ring());
        prop_assert!(sealing.open(invitation(1), &sealed, &CodeFormat::default()).is_err());
    }
}
