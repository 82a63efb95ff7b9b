//! The page of a list.

use invitation_core::{Cursor, Paging};
use utoipa::IntoParams;

use super::{Given, QueryErrors, QueryParams};

/// The page parameters of a list.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The maximum number of items; 50 by default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, nullable = false)]
    pub(crate) limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(nullable = false)]
    pub(crate) cursor: Option<String>,
}

impl QueryParams for PageQuery {
    type Parsed = Paging;

    fn take(given: &mut Given) -> Self {
        Self { limit: given.take("limit"), cursor: given.take("cursor") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Paging {
        let number = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            Paging::first(text.parse().ok().filter(|_| digits).unwrap_or(0))
        };
        let paging = errors.check("limit", self.limit.as_deref(), number).unwrap_or_default();
        let cursor = errors.check("cursor", self.cursor.as_deref(), str::parse::<Cursor>);
        cursor.map_or(paging, |cursor| paging.after(cursor))
    }
}
