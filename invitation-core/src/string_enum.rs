//! The macro for enums that are stored and shown as fixed strings.

/// Declares an enum whose variants are stored and shown as fixed strings.
macro_rules! string_enum {
    (
        $(#[$doc:meta])* $name:ident, $field:literal
        { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All variants of this enum.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the string under which the variant is stored and shown. It never
            /// changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::field_error::FieldError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(crate::field_error::FieldError::new($field, "is not a known word")),
                }
            }
        }
    };
}
pub(crate) use string_enum;
