//! Errors for input that is well formed but violates a limit, with the name of the field.

use std::{error::Error as StdError, fmt};

/// One input value that was not accepted, with the name of its field.
///
/// It is safe to show to the sender of the value: it describes the accepted values and
/// never repeats the input.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::Division;
///
/// let refused = Division::new("").unwrap_err();
/// assert_eq!(refused.field(), "division");
/// assert_eq!(refused.to_string(), "division: must not be empty");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldError {
    line: Option<usize>,
    field: &'static str,
    message: String,
}

impl FieldError {
    /// Returns the error for `field`. `message` completes the sentence "the value …".
    #[must_use]
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { line: None, field, message: message.into() }
    }

    /// Returns the same error for item `line` (counted from 0) of a batch.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Returns the index of the batch item with the error, counted from 0; none outside a
    /// batch.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// Returns the name of the field, in `snake_case`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the description of the error.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "item {line}, ")?;
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl StdError for FieldError {}

/// All input values of one call that were not accepted: at least one [`FieldError`].
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Error, Expiry};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let far = Draft::new().expiring(Expiry::InDays(10_000)).for_uses(u32::MAX.try_into()?);
/// let Err(Error::Invalid(errors)) = invitations.create(&manager, far).await else {
///     panic!("it breaks two limits")
/// };
/// let fields: Vec<_> = errors.errors().iter().map(|error| error.field()).collect();
/// assert_eq!(fields, ["expires_in_days", "max_uses"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    /// Collects the errors of one call. `found` must not be empty.
    pub(crate) fn new(found: Vec<FieldError>) -> Self {
        Self(found)
    }

    /// Returns the same errors for item `line` (counted from 0) of a batch.
    pub(crate) fn at_line(self, line: usize) -> Vec<FieldError> {
        self.0.into_iter().map(|error| error.at_line(line)).collect()
    }

    /// Returns the errors, in the order in which the values were checked.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0
    }
}

impl From<FieldError> for ValidationErrors {
    fn from(one: FieldError) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl StdError for ValidationErrors {}
