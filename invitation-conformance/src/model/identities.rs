//! The people, divisions, roles and addresses of a sequence.

use std::sync::LazyLock;

use invitation_core::{
    Actor, CorrelationId, Division, Email, EmailDomain, Inviter, Redeemer, RequestContext, Role,
    UserId, Username, VerifiedEmail,
};

/// The divisions of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DivisionName {
    Sales,
    Operations,
    Hr,
}

impl DivisionName {
    pub(super) fn division(self) -> Division {
        // In the order of the variants.
        static ALL: LazyLock<[Division; 3]> = LazyLock::new(|| {
            ["sales", "operations", "hr"]
                .map(|name| Division::new(name).expect("a fixed name is valid"))
        });
        ALL[self as usize].clone()
    }
}

/// The roles of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RoleName {
    Staff,
    Manager,
    Admin,
    /// A role that only one of the policies knows.
    Lead,
    /// A role that no policy knows.
    Wizard,
}

impl RoleName {
    pub(super) fn role(self) -> Role {
        // In the order of the variants.
        static ALL: LazyLock<[Role; 5]> = LazyLock::new(|| {
            ["staff", "manager", "admin", "lead", "wizard"]
                .map(|name| Role::new(name).expect("a fixed name is valid"))
        });
        ALL[self as usize].clone()
    }
}

/// The users who manage invitations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ActingUser {
    Admin,
    /// An administrator who reaches all divisions and is based in operations.
    BasedAdmin,
    SalesManager,
    OperationsManager,
    SalesLead,
    SalesStaff,
}

impl ActingUser {
    pub(super) fn user(self) -> UserId {
        // In the order of the variants.
        static ALL: LazyLock<[UserId; 6]> = LazyLock::new(|| {
            [
                "u-admin",
                "u-based-admin",
                "u-sales-manager",
                "u-operations-manager",
                "u-sales-lead",
                "u-sales-staff",
            ]
            .map(|name| UserId::new(name).expect("a fixed name is valid"))
        });
        ALL[self as usize].clone()
    }

    pub(super) fn role(self) -> RoleName {
        match self {
            Self::Admin | Self::BasedAdmin => RoleName::Admin,
            Self::SalesManager | Self::OperationsManager => RoleName::Manager,
            Self::SalesLead => RoleName::Lead,
            Self::SalesStaff => RoleName::Staff,
        }
    }

    /// Returns the only division the user reaches; `None` means all divisions.
    pub(super) fn reach(self) -> Option<DivisionName> {
        match self {
            Self::Admin | Self::BasedAdmin => None,
            Self::SalesManager | Self::SalesLead | Self::SalesStaff => Some(DivisionName::Sales),
            Self::OperationsManager => Some(DivisionName::Operations),
        }
    }

    pub(super) fn reaches(self, division: &Division) -> bool {
        self.reach().is_none_or(|own| own.division() == *division)
    }

    /// Returns the division that applies when a draft names none.
    pub(super) fn home(self) -> Option<DivisionName> {
        match self {
            Self::BasedAdmin => Some(DivisionName::Operations),
            other => other.reach(),
        }
    }

    pub(super) fn actor(self, context: RequestContext) -> Actor {
        let (user, role) = (self.user(), self.role().role());
        let actor = match self.reach() {
            Some(division) => Actor::in_division(user, role, division.division()),
            None => Actor::across_divisions(user, role),
        };
        let actor = match self {
            Self::BasedAdmin => actor.based_in(DivisionName::Operations.division()),
            // The base makes no difference to a user who reaches one division.
            Self::SalesLead => actor.based_in(DivisionName::Hr.division()),
            _ => actor,
        };
        let actor = match self.name() {
            Some(name) => actor.with_name(name),
            None => actor,
        };
        actor.with_context(context)
    }

    /// Returns the name that the host gives the user, if it gives one.
    pub(super) fn name(self) -> Option<Username> {
        let name = match self {
            Self::BasedAdmin => "Olga Meier",
            Self::SalesManager => "u-admin",
            Self::Admin | Self::OperationsManager | Self::SalesLead | Self::SalesStaff => {
                return None;
            }
        };
        Some(Username::new(name).expect("a fixed name is valid"))
    }

    /// Returns the user as an invitation keeps its inviter and its grantor.
    pub(super) fn inviter(self) -> Inviter {
        Inviter::User { user: self.user(), role: self.role().role(), name: self.name() }
    }
}

/// The creator of invitations: a user or the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Creator {
    User(ActingUser),
    System,
}

/// An e-mail address, in two spellings of the same mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mailbox {
    Anna,
    /// A mailbox other than Anna's: dots and tags distinguish mailboxes.
    AnnaUntagged,
    Bob,
    /// A mailbox other than Bob's: a subdomain is a different domain.
    BobElsewhere,
    Carol,
}

impl Mailbox {
    /// Returns the address in its usual spelling, or in its other one.
    pub(super) fn spelling(self, other: bool) -> &'static str {
        match (self, other) {
            (Self::Anna, false) => "Anna.Lind+hr@Example.com",
            (Self::Anna, true) => "anna.lind+HR@EXAMPLE.COM",
            (Self::AnnaUntagged, false) => "anna.lind@example.com",
            (Self::AnnaUntagged, true) => "ANNA.LIND@Example.com",
            (Self::Bob, false) => "bob@example.com",
            (Self::Bob, true) => "BOB@eXAMPLE.com",
            (Self::BobElsewhere, false) => "bob@mail.example.com",
            (Self::BobElsewhere, true) => "Bob@Mail.example.com",
            (Self::Carol, false) => "carol@exämple.org",
            (Self::Carol, true) => "Carol@XN--EXMPLE-CUA.org",
        }
    }

    pub(super) fn email(self, other: bool) -> Email {
        Email::parse(self.spelling(other)).expect("a fixed address is valid")
    }

    pub(super) fn at(self) -> MailDomain {
        match self {
            Self::Anna | Self::AnnaUntagged | Self::Bob => MailDomain::Example,
            Self::BobElsewhere => MailDomain::MailExample,
            Self::Carol => MailDomain::Umlaut,
        }
    }
}

/// The e-mail domains of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MailDomain {
    Example,
    MailExample,
    Umlaut,
}

impl MailDomain {
    pub(super) fn domain(self) -> EmailDomain {
        let name = match self {
            Self::Example => "Example.com",
            Self::MailExample => "mail.example.com",
            Self::Umlaut => "EXÄMPLE.org",
        };
        EmailDomain::parse(name).expect("a fixed domain is valid")
    }
}

/// A person who presents a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Newcomer {
    /// Which of four people.
    pub(super) person: u8,
    /// Whether the person uses the second of two names.
    pub(super) renamed: bool,
    /// The proved address, and whether it is in its other spelling.
    pub(super) proof: Option<(Mailbox, bool)>,
    /// The division in whose context the code is presented.
    pub(super) division: Option<DivisionName>,
}

impl Newcomer {
    pub(super) fn user(self) -> UserId {
        UserId::new(format!("n-{}", self.person % 4)).expect("a fixed user is valid")
    }

    pub(super) fn username(self) -> Username {
        let name = match (self.person % 4, self.renamed) {
            (0, false) => "anna",
            (1, false) => "Bob.Berg",
            // A name that is an address, in another spelling than the mailbox's.
            (2, false) => "CAROL@Exämple.org",
            // Two people share this name, and one id differs from another name only in
            // case.
            (3, false) => "Anna",
            _ => "renamed person",
        };
        Username::new(name).expect("a fixed name is valid")
    }

    pub(super) fn redeemer(self, context: RequestContext) -> Redeemer {
        let mut redeemer = Redeemer::new(self.user(), self.username()).with_context(context);
        if let Some((mailbox, other)) = self.proof {
            redeemer = redeemer.with_email(VerifiedEmail::vouched_by_host(mailbox.email(other)));
        }
        match self.division {
            Some(division) => redeemer.in_division(division.division()),
            None => redeemer,
        }
    }
}

/// Returns the correlation that ties the events of step `n` to the step.
pub(super) fn context(n: usize) -> RequestContext {
    let correlation = CorrelationId::new(format!("step-{n}")).expect("a number is valid");
    RequestContext { correlation: Some(correlation), source: None }
}
