//! A mixed population of invitations, the same for every store.

use std::num::NonZeroU32;

use invitation_core::{Binding, Inviter, Record, Revocation, Timestamp};

use super::{
    factory::Factory,
    samples::{at, division, domain, email, later, role, start, user},
};

/// Returns the time at which the population is read: some invitations have expired by
/// then.
pub(crate) fn read_time() -> Timestamp {
    later(start(), 1_000)
}

const EMAILS: [&str; 8] = [
    "Anna.Lind+hr@Example.com",
    "anna_marie@example.org",
    "joanna@exämple.com",
    "li.nd100@sub.example.com",
    "o'brien@example.com",
    "ab-cd.ef@x1.org",
    "j.smith@example.com",
    "anna+1@example.com",
];

const NAMES: [&str; 14] = [
    "Anna Lind",
    "Zo\u{eb} \u{c9}COLE",
    "Zoe\u{308} e\u{301}cole",
    "100%_real",
    "\u{130}stanbul STRASSE",
    "stra\u{df}e \u{3a3}\u{391}\u{3a3}",
    "漢字 かな",
    "*anna*",
    "李",
    "O\u{2019}Neil-Smith J.",
    "J.SMITH@example.com",
    "anna+1@ex\u{e4}mple.com",
    "हिन्दी สมชาย",
    "a b c d e f g 1 2 3 7 x",
];

/// Returns invitations of all statuses, roles, divisions, inviters, bindings and times,
/// unsorted. Many are created at the same instant, and some are deleted.
pub(crate) fn population(factory: &Factory, size: usize) -> Vec<Record> {
    (0..size).map(|n| member(factory, n)).collect()
}

fn member(factory: &Factory, n: usize) -> Record {
    // Each field varies with its own period. The periods have no common divisor where
    // fields must occur in all combinations.
    let pick = |salt: usize, of: usize| (n.wrapping_mul(2_654_435_761) >> salt) % of;
    let micros = |number: usize| i64::try_from(number).expect("a small number");
    let max_uses = [1, 1, 2, 3][pick(3, 4)];
    let uses = [0, 0, 1, max_uses][pick(5, 4)];
    let used_at = later(start(), micros(n));
    let name = NAMES[pick(7, NAMES.len())];
    Record {
        binding: match pick(9, 4) {
            0 => Binding::Anyone,
            1 => Binding::Domain(domain(["example.com", "anna.org"][pick(11, 2)])),
            _ => Binding::Address(email(EMAILS[pick(12, EMAILS.len())])),
        },
        role: role(["staff", "staff", "manager", "Staff"][pick(13, 4)]),
        division: division(["sales", "hr", "Sales"][n % 3]),
        inviter: match pick(15, 4) {
            0 => Inviter::System,
            k => {
                let id = user(["u-admin", "u-1", "u-10"][k - 1]);
                Inviter::User { user: id, role: role("admin"), name: None }
            }
        },
        created_at: at(start().as_micros() - 50 + micros(pick(4, 12))),
        expires_at: later(read_time(), [-5, -1, 0, 1, 2, 86_400_000_000][pick(17, 6)]),
        max_uses: NonZeroU32::new(max_uses).expect("not zero"),
        uses,
        last_use: (uses > 0).then(|| invitation_core::Redemption {
            username: invitation_core::Username::new(name).expect("a username"),
            ..factory.redemption("somebody", used_at)
        }),
        revocation: (pick(19, 5) == 0).then(|| Revocation { at: start(), reason: None }),
        deleted_at: (pick(21, 9) == 0).then(start),
        version: 1 + u64::from(uses),
        ..factory.invitation()
    }
}

/// Returns the invitations that a filter matches, newest first: the specification, in
/// memory.
pub(crate) fn matching(population: &[Record], meant: impl Fn(&Record) -> bool) -> Vec<Record> {
    let mut chosen: Vec<_> = population.iter().filter(|one| meant(one)).cloned().collect();
    chosen.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    chosen
}
