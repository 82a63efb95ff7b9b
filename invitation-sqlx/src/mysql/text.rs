//! Text in binary columns, which the driver's own text types refuse to read.

use sqlx::{
    Decode, Encode, MySql, Type,
    encode::IsNull,
    error::BoxDynError,
    mysql::{MySqlTypeInfo, MySqlValueRef},
};

/// UTF-8 text in a binary column.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(unnameable_types, reason = "an associated type of a sealed trait")]
pub struct Utf8(String);

impl From<String> for Utf8 {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Utf8> for String {
    fn from(text: Utf8) -> Self {
        text.0
    }
}

impl Type<MySql> for Utf8 {
    fn type_info() -> MySqlTypeInfo {
        <[u8] as Type<MySql>>::type_info()
    }

    fn compatible(ty: &MySqlTypeInfo) -> bool {
        <[u8] as Type<MySql>>::compatible(ty)
    }
}

impl Encode<'_, MySql> for Utf8 {
    fn encode_by_ref(&self, buf: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        <&[u8] as Encode<'_, MySql>>::encode(self.0.as_bytes(), buf)
    }
}

impl<'r> Decode<'r, MySql> for Utf8 {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<'r, MySql>>::decode(value)?;
        Ok(Self(str::from_utf8(bytes)?.to_owned()))
    }
}
