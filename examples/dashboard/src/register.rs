//! What happens when a newcomer registers with a code.
//!
//! A code that is bound to nobody lets its holder in at once. One that is bound to an
//! address, or to a domain, takes a proof first: a mail goes out, and whoever reads it
//! gets in.

use std::time::Duration;

use invitation::{
    Checked, Clock, Email, Error, Redeemer, SystemClock, UserId, Username, VerifiedEmail,
    web::{Problem, ProblemKind},
};

use crate::{
    accounts::Account,
    admission::NotAdmitted,
    app::Host,
    problems::{busy, told},
    registrations::Registration,
    secret::{self, Secret, hash},
};

/// What a newcomer asks for.
pub(crate) struct Application {
    pub(crate) code: Secret,
    pub(crate) username: Username,
    pub(crate) email: Option<Email>,
    /// What tells a repeated request from another one with the same content, if the
    /// client says it.
    pub(crate) key: Option<String>,
}

/// What came of it.
pub(crate) enum Registered {
    /// The newcomer is in.
    Done(Account),
    /// A mail has been sent; this is the handle to confirm with.
    ProofAsked(String),
}

impl Host {
    pub(crate) async fn register(&self, application: &Application) -> Result<Registered, Problem> {
        let Application { username, email, .. } = application;
        // As the library reads it, however it was typed.
        let code = self.invitations.parse_code(application.code.reveal());
        let code = code.map_err(|error| told(&error.into()))?.reveal();
        let user = account_id(&code, application)?;
        let newcomer = Redeemer::new(user, username.clone());
        // What the code takes, without consuming it. Whom it is for is told to nobody
        // who does not name the address. What this says may be outdated by the next
        // line; the redemption looks again.
        let checked = self.invitations.check(&code, &newcomer, email.as_ref()).await;
        match checked.map_err(|error| told(&error))? {
            Checked::ProofOf(address) => {
                let id = self.ask_for_proof(&code, &newcomer, address).await?;
                Ok(Registered::ProofAsked(id))
            }
            // Who has registered before gets the same answer again.
            Checked::Redeemable | Checked::AlreadyRedeemed(_) => {
                let account = self.admit(&code, &newcomer).await?;
                Ok(Registered::Done(account))
            }
        }
    }

    /// Confirms that the address is the newcomer's. The same answer to the same mail gets
    /// the same account again. Both parts are taken as people paste them from a mail.
    pub(crate) async fn confirm(&self, id: &str, token: &str) -> Result<Account, Problem> {
        let (id, token) = (pasted(id), Secret::new(pasted(token)));
        let found = self.records.attempt(&id, now()).await.map_err(busy)?;
        let registration = found.ok_or_else(|| {
            Problem::new(ProblemKind::NotFound)
                .with_detail("there is no such registration any more: begin again")
        })?;
        let code = match token.reveal().split_once('.') {
            Some((_, code)) if registration.is_answered_by(&token) => code,
            _ => {
                return Err(Problem::new(ProblemKind::AddressProofRequired)
                    .with_detail("this is not what the mail says"));
            }
        };
        let proof = VerifiedEmail::vouched_by_host(registration.address);
        let newcomer = Redeemer::new(registration.account, registration.username).with_email(proof);
        self.admit(code, &newcomer).await
    }

    /// Sends a mail to the address, and writes down what is to be done when it is
    /// answered.
    async fn ask_for_proof(
        &self,
        code: &str,
        newcomer: &Redeemer,
        address: Email,
    ) -> Result<String, Problem> {
        // Said now rather than after the mail. That it still holds then, the database
        // sees to.
        let username = newcomer.username();
        let taken = self.records.account_named(username).await.map_err(busy)?;
        if taken.is_some() {
            return Err(username_taken());
        }
        let random = || secret::random().map_err(|error| told(&error.into()));
        let id = random()?;
        // The token carries the code, so that this host need not keep the code while
        // it waits: it keeps a hash of both.
        let answer = Secret::new(format!("{}.{code}", random()?.reveal()));
        self.outbox.ask_to_confirm(&address, &id, &answer, &self.confirm_page(), now()).map_err(
            |_| {
                Problem::new(ProblemKind::TooManyRequests)
                    .with_detail("this address got too many mails, try again later")
                    .with_retry_after(Duration::from_mins(15))
            },
        )?;
        let user = newcomer.user().clone();
        let registration = Registration::new(&id, &answer, user, username.clone(), address, now());
        self.records.open(&registration, now()).await.map_err(busy)?;
        Ok(registration.id)
    }

    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, Problem> {
        self.admission.admit(code, newcomer).await.map_err(|error| match error {
            NotAdmitted::Invitation(error) => told(&error),
            NotAdmitted::UsernameTaken => username_taken(),
            // Redeemed once, whatever has become of the account: no second one.
            NotAdmitted::AccountGone => Problem::new(ProblemKind::CodeUsed),
            NotAdmitted::Database(error) => busy(error),
        })
    }
}

/// The id of the account that there will be. It follows from what only the newcomer
/// knows, the code, and from all else that the request says: the same request is the
/// same newcomer, whose lost answer can be repeated. Somebody with another code, or who
/// says anything else, is somebody else, and the name is then taken.
///
/// The answer opens nothing. A host whose newcomers choose a password asks for the same
/// one before it answers again.
fn account_id(code: &str, application: &Application) -> Result<UserId, Problem> {
    let Application { username, email, key, .. } = application;
    let email = email.as_ref().map_or("", |email| email.key().as_str());
    let key = key.as_deref().unwrap_or_default();
    let id = hash(&["account", code, username.as_str(), email, key]);
    UserId::new(id).map_err(|error| told(&Error::from(error)))
}

/// What was pasted from a mail, without line breaks, spaces and characters that nobody
/// sees: mail programs break long lines and put such characters in. Neither a registration
/// nor a token has any of them.
fn pasted(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

fn username_taken() -> Problem {
    Problem::new(ProblemKind::UsernameTaken)
        .with_detail("somebody has this name already; the code is still good for another one")
}

/// In seconds since the epoch.
fn now() -> i64 {
    SystemClock.now().as_micros() / 1_000_000
}
