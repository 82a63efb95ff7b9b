//! A page of a list as JSON.

/// Defines the body of a page: the doc comment and the name of its schema are those of the OpenAPI
/// description.
macro_rules! page_body {
    ($(#[$about:meta])* $body:ident as $schema:ident of $item:ty) => {
        $(#[$about])*
        #[derive(serde::Serialize, utoipa::ToSchema)]
        #[schema(as = $schema)]
        pub(crate) struct $body {
            /// The items of the page. A page may hold fewer than `limit` although more follow.
            items: Vec<$item>,
            /// The cursor of the next page; `null` if nothing follows.
            #[schema(required)]
            next_cursor: Option<String>,
        }

        impl $body {
            /// Returns the response with a page.
            pub(super) fn of<T>(
                page: &invitation_core::Page<T>,
                item: impl FnMut(&T) -> $item,
            ) -> axum::Json<Self> {
                let items = page.items().iter().map(item).collect();
                let next_cursor = page.next().map(|cursor| cursor.to_string());
                axum::Json(Self { items, next_cursor })
            }

            /// Returns the response to a request whose query names the page: an error about a value
            /// says that the value was in the query, not in the body as usual.
            pub(super) fn answer<T>(
                page: Result<invitation_core::Page<T>, impl Into<crate::problem::Problem>>,
                item: impl FnMut(&T) -> $item,
            ) -> Result<axum::Json<Self>, crate::problem::Problem> {
                let page = page.map_err(|error| error.into().about_the_query())?;
                Ok(Self::of(&page, item))
            }
        }
    };
}
pub(super) use page_body;
