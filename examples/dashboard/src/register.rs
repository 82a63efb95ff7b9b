//! Registration of a newcomer with a code.
//!
//! An unbound code registers its holder at once. A code that is bound to an address or a
//! domain requires a proof first: the host sends a mail, and the reader of that mail
//! completes the registration.

use std::time::Duration;

use invitation::{
    Checked, Email, Redeemer, Username, VerifiedEmail,
    audit::RequestContext,
    clock::{Clock, SystemClock},
    web::{Problem, ProblemKind},
};

use crate::{
    accounts::Account,
    admission::NotAdmitted,
    app::Host,
    mail::TooManyMails,
    problems::busy,
    registrations::Registration,
    secret::{self, Secret},
};

/// A registration request of a newcomer.
pub(crate) struct Application {
    /// The request, as the audit trail names it.
    pub(crate) request: RequestContext,
    pub(crate) code: Secret,
    pub(crate) username: Username,
    pub(crate) email: Option<Email>,
    /// Distinguishes a repeated request from another one with the same content, if the
    /// client sends it.
    pub(crate) key: Option<String>,
}

/// The result of a registration request.
pub(crate) enum Registered {
    /// The newcomer has an account.
    Done(Account),
    /// A mail has been sent; this is the handle to confirm with.
    ProofAsked(String),
}

impl Host {
    pub(crate) async fn register(&self, application: &Application) -> Result<Registered, Problem> {
        let Application { username, email, .. } = application;
        // The code as the library parses it, whatever its spelling.
        let code = self.invitations.parse_code(application.code.reveal());
        let code = code.map_err(|error| Problem::of_redeeming(&error.into()))?;
        let key = application.key.as_deref().unwrap_or_default();
        let user = self.redeemer_ids.derive(&code, username, email.as_ref(), key);
        let newcomer =
            Redeemer::new(user, username.clone()).with_context(application.request.clone());
        let code = code.reveal();
        // Find out what the code requires, without consuming it. Without the right address,
        // the answer does not reveal whom the code is for. The answer may be outdated by
        // the next line; the redemption checks again.
        let checked = self.invitations.check(&code, &newcomer, email.as_ref()).await;
        match checked.map_err(|error| Problem::of_redeeming(&error))? {
            Checked::ProofOf(address) => {
                let id = self.ask_for_proof(&code, &newcomer, address).await?;
                Ok(Registered::ProofAsked(id))
            }
            // A newcomer who has registered before gets the same answer again.
            Checked::Redeemable | Checked::AlreadyRedeemed(_) => {
                let account = self.admit(&code, &newcomer).await?;
                Ok(Registered::Done(account))
            }
        }
    }

    /// Confirms that the address is the newcomer's. A repeated answer to the same mail
    /// returns the same account. Both parts may be pasted from a mail, with its line
    /// breaks.
    pub(crate) async fn confirm(
        &self,
        request: RequestContext,
        id: &str,
        token: &str,
    ) -> Result<Account, Problem> {
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
        let newcomer = Redeemer::new(registration.account, registration.username)
            .with_email(proof)
            .with_context(request);
        self.admit(code, &newcomer).await
    }

    /// Stores the registration until the mail is answered, and sends that mail to the address.
    async fn ask_for_proof(
        &self,
        code: &str,
        newcomer: &Redeemer,
        address: Email,
    ) -> Result<String, Problem> {
        // Report a taken name now rather than after the mail. The database's unique key
        // still decides at the end.
        let username = newcomer.username();
        let taken = self.records.account_named(username).await.map_err(busy)?;
        if taken.is_some() {
            return Err(username_taken());
        }
        let random = || secret::random().map_err(|error| Problem::of_redeeming(&error.into()));
        let id = random()?;
        // The token contains the code, so that this host stores only a hash of both while
        // it waits.
        let answer = Secret::new(format!("{}.{code}", random()?.reveal()));
        let user = newcomer.user().clone();
        let to = address.clone();
        let registration = Registration::new(&id, &answer, user, username.clone(), address, now());
        // The mail comes after: one without its registration cannot be answered, and counts
        // against the limit of the address.
        self.records.open(&registration, now()).await.map_err(busy)?;
        let asked = self.outbox.ask_to_confirm(&to, &id, &answer, &self.confirm_page(), now());
        if let Err(TooManyMails) = asked {
            self.records.close(&registration.id).await.map_err(busy)?;
            return Err(Problem::new(ProblemKind::TooManyRequests)
                .with_detail("this address or its domain got too many mails, try again later")
                .with_retry_after(Duration::from_mins(15)));
        }
        Ok(registration.id)
    }

    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, Problem> {
        self.admission.admit(code, newcomer).await.map_err(|error| match error {
            NotAdmitted::Invitation(error) => Problem::of_redeeming(&error),
            NotAdmitted::UsernameTaken => username_taken(),
            NotAdmitted::UsernameTakenUseHeld => Problem::new(ProblemKind::UsernameTaken)
                .with_detail("another user has this name; try another one in ten minutes"),
            // The code is redeemed, even if its account was removed: no second account.
            NotAdmitted::AccountGone => Problem::new(ProblemKind::CodeUsed),
            NotAdmitted::Database(error) => busy(error),
        })
    }
}

/// Removes line breaks, spaces and invisible characters from text pasted from a mail. Mail
/// programs break long lines and insert such characters; neither a registration nor a token
/// contains any.
fn pasted(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

fn username_taken() -> Problem {
    Problem::new(ProblemKind::UsernameTaken)
        .with_detail("another user has this name; the code is still good for another one")
}

/// Returns the seconds since the epoch.
fn now() -> i64 {
    SystemClock.now().as_micros() / 1_000_000
}
