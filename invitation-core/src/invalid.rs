//! Input that is well formed but breaks a bound, told by the name of its field.

use std::{error::Error as StdError, fmt};

/// One value that was not accepted, by the name of its field.
///
/// It is safe to show to whoever sent the value: it says what is expected and
/// never repeats what was given.
///
/// ```
/// use invitation_core::Division;
///
/// let refused = Division::new("").unwrap_err();
/// assert_eq!(refused.field(), "division");
/// assert_eq!(refused.to_string(), "division: must not be empty");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    line: Option<usize>,
    field: &'static str,
    message: String,
}

impl Invalid {
    /// `field` was not accepted; `message` completes the sentence "the value …".
    #[must_use]
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { line: None, field, message: message.into() }
    }

    /// The same refusal for item `line` (counted from 0) of a batch.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Which item of a batch it is about, counted from 0; none outside a batch.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The field's name, in `snake_case`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with the value.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "item {line}, ")?;
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl StdError for Invalid {}

/// Everything that was not accepted in one call: at least one [`Invalid`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidInput(Vec<Invalid>);

impl InvalidInput {
    /// `found` holds at least one.
    pub(crate) fn new(found: Vec<Invalid>) -> Self {
        Self(found)
    }

    /// The same for item `line` (counted from 0) of a batch.
    pub(crate) fn at_line(self, line: usize) -> Vec<Invalid> {
        self.0.into_iter().map(|error| error.at_line(line)).collect()
    }

    /// The refused values, in the order in which they were looked at.
    #[must_use]
    pub fn errors(&self) -> &[Invalid] {
        &self.0
    }
}

impl From<Invalid> for InvalidInput {
    fn from(one: Invalid) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for InvalidInput {
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

impl StdError for InvalidInput {}
