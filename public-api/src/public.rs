//! The public part of an item: no bodies, no private fields, no documentation.

use proc_macro2::Span;
use syn::{
    Attribute, Block, Field, Fields, Ident, ImplItem, Item, ItemImpl, ItemMacro, ItemStruct,
    TraitItem, Type, parse_quote, punctuated::Punctuated, token::Comma,
};

use crate::{
    macros::{without_attributes, without_bodies},
    names::is_public,
};

/// The name of the field that stands for all private ones. `printed` replaces the field by `..`.
pub(crate) const PRIVATE: &str = "private_fields";

/// The attributes that are part of the API. All others are documentation or configure lints.
const KEPT: [&str; 8] =
    ["cfg", "default", "derive", "from", "macro_export", "must_use", "non_exhaustive", "serde"];

/// Returns the public part of an item, without its documentation.
pub(crate) fn item(item: &Item) -> Item {
    let mut item = item.clone();
    match &mut item {
        Item::Struct(one) => structure(one),
        Item::Enum(one) => {
            keep_api_attributes(&mut one.attrs);
            for variant in &mut one.variants {
                keep_api_attributes(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| keep_api_attributes(&mut field.attrs));
            }
        }
        Item::Trait(one) => {
            keep_api_attributes(&mut one.attrs);
            one.items.iter_mut().for_each(trait_item);
        }
        Item::Fn(one) => {
            keep_api_attributes(&mut one.attrs);
            *one.block = empty();
        }
        Item::Const(one) => keep_api_attributes(&mut one.attrs),
        Item::Static(one) => keep_api_attributes(&mut one.attrs),
        Item::Type(one) => keep_api_attributes(&mut one.attrs),
        Item::Macro(one) => macro_item(one),
        _ => {}
    }
    item
}

/// Removes the attributes that are not part of the API.
pub(crate) fn keep_api_attributes(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| KEPT.iter().any(|name| attribute.path().is_ident(name)));
    for attribute in attributes {
        // The message of `must_use` is documentation.
        if attribute.path().is_ident("must_use") {
            *attribute = parse_quote!(#[must_use]);
        }
    }
}

fn structure(one: &mut ItemStruct) {
    keep_api_attributes(&mut one.attrs);
    match &mut one.fields {
        Fields::Named(fields) => {
            let all = fields.named.len();
            fields.named = public_fields(&fields.named).collect();
            if fields.named.len() < all {
                let mark = Ident::new(PRIVATE, Span::call_site());
                let field: syn::FieldsNamed = parse_quote!({ #mark: () });
                fields.named.extend(field.named);
            }
        }
        Fields::Unnamed(fields) => {
            for field in &mut fields.unnamed {
                keep_api_attributes(&mut field.attrs);
                if !is_public(&field.vis) {
                    field.ty = Type::Infer(parse_quote!(_));
                }
            }
        }
        Fields::Unit => {}
    }
}

fn public_fields(fields: &Punctuated<Field, Comma>) -> impl Iterator<Item = Field> {
    fields.iter().filter(|field| is_public(&field.vis)).cloned().map(|mut field| {
        keep_api_attributes(&mut field.attrs);
        field
    })
}

fn trait_item(item: &mut TraitItem) {
    match item {
        TraitItem::Fn(one) => {
            keep_api_attributes(&mut one.attrs);
            // A provided method keeps a body, so that it differs from a required one.
            one.default = one.default.as_ref().map(|_| parse_quote!({ "provided" }));
        }
        TraitItem::Const(one) => keep_api_attributes(&mut one.attrs),
        TraitItem::Type(one) => keep_api_attributes(&mut one.attrs),
        _ => {}
    }
}

fn macro_item(one: &mut ItemMacro) {
    keep_api_attributes(&mut one.attrs);
    let keeps = |attribute: &proc_macro2::TokenStream| {
        let first = attribute.clone().into_iter().next().map(|token| token.to_string());
        first.is_some_and(|first| KEPT.contains(&first.as_str()))
    };
    one.mac.tokens = without_bodies(without_attributes(one.mac.tokens.clone(), &keeps));
}

/// Returns the public part of an implementation, or `None` if it has no public part.
pub(crate) fn implementation(one: &ItemImpl) -> Option<ItemImpl> {
    let mut one = one.clone();
    keep_api_attributes(&mut one.attrs);
    if one.trait_.is_some() {
        one.items.retain(|item| matches!(item, ImplItem::Type(_)));
        return Some(one);
    }
    one.items.retain(|item| match item {
        ImplItem::Fn(one) => is_public(&one.vis),
        ImplItem::Const(one) => is_public(&one.vis),
        ImplItem::Type(one) => is_public(&one.vis),
        _ => false,
    });
    for item in &mut one.items {
        match item {
            ImplItem::Fn(one) => {
                keep_api_attributes(&mut one.attrs);
                one.block = empty();
            }
            ImplItem::Const(one) => keep_api_attributes(&mut one.attrs),
            ImplItem::Type(one) => keep_api_attributes(&mut one.attrs),
            _ => {}
        }
    }
    (!one.items.is_empty()).then_some(one)
}

fn empty() -> Block {
    parse_quote!({})
}
