//! Deserialization that reads a struct from a JSON object only.
//!
//! serde's derived structs are also read from an array, whose elements are then the fields in the
//! order of their declaration. A client that sends an array by mistake would thus change fields that
//! it does not name.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A deserializer that reads a struct from an object only. Other types are read as by `D`.
pub(crate) struct Objects<D>(pub(crate) D);

/// Forwards methods that take a visitor, with their further arguments.
macro_rules! forward {
    ($($method:ident($($name:ident: $kind:ty),*))*) => {
        $(
            fn $method<V: Visitor<'de>>(self, $($name: $kind,)* receiver: V)
            -> Result<V::Value, D::Error> {
                self.0.$method($($name,)* receiver)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        receiver: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Object(receiver))
    }

    fn deserialize_option<V: Visitor<'de>>(self, receiver: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Inside(receiver))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        receiver: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Inside(receiver))
    }

    forward! {
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str()
        deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_unit()
        deserialize_seq() deserialize_map() deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The visitor of a struct, without its way to read an array.
struct Object<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Object<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(fields)
    }
}

/// The visitor of a type that has another one inside, such as an option.
struct Inside<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(value))
    }

    /// `serde_json` gives a `RawValue` to the visitor of a newtype in this way.
    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(fields)
    }
}
