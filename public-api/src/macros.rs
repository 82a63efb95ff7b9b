//! The `macro_rules!` macros that the inspected crate defines and calls itself.
//!
//! No macro is expanded. The name of the type that a call declares is found in the tokens of
//! the definition and of the call.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use syn::{Item, ItemMacro};

use crate::modules::Crate;

/// The definitions of the inspected crate's macros, by the macro's name.
pub(crate) struct Macros<'a>(BTreeMap<String, &'a ItemMacro>);

impl<'a> Macros<'a> {
    /// Collects the macros of all modules.
    pub(crate) fn of(krate: &'a Crate) -> Self {
        let items = krate.modules.values().flat_map(|module| &module.items);
        Self(
            items
                .filter_map(|item| match item {
                    Item::Macro(item) => Some((item.ident.as_ref()?.to_string(), item)),
                    _ => None,
                })
                .collect(),
        )
    }

    /// Returns the definition of the macro that `call` calls, or `None` if another crate
    /// defines it.
    pub(crate) fn definition(&self, call: &ItemMacro) -> Option<&'a ItemMacro> {
        // `syn` has one type for calls and definitions. Only a definition has a name here.
        if call.ident.is_some() {
            return None;
        }
        self.0.get(&call.mac.path.get_ident()?.to_string()).copied()
    }

    /// Returns `definition` and the definitions of the macros that it calls, directly or
    /// through another macro.
    pub(crate) fn with_called_macros(&self, definition: &'a ItemMacro) -> Vec<&'a ItemMacro> {
        let mut found = vec![definition];
        let mut looked_at = 0;
        // A macro that is found already is not added again: macros may call each other.
        while let Some(definition) = found.get(looked_at).copied() {
            looked_at += 1;
            for pair in flattened(definition.mac.tokens.clone()).windows(2) {
                if let [TokenTree::Ident(name), TokenTree::Punct(bang)] = pair
                    && bang.as_char() == '!'
                    && let Some(inner) = self.0.get(&name.to_string())
                    && found.iter().all(|known| known.ident != inner.ident)
                {
                    found.push(inner);
                }
            }
        }
        found
    }

    /// Returns the name of the public struct or enum that `call` declares, if it declares
    /// one.
    pub(crate) fn declared_type(&self, call: &ItemMacro) -> Option<String> {
        let definition = self.definition(call)?;
        self.with_called_macros(definition).into_iter().find_map(|definition| {
            let tokens = flattened(definition.mac.tokens.clone());
            tokens.windows(3).find_map(|three| match three {
                [TokenTree::Ident(visibility), TokenTree::Ident(keyword), name]
                    if visibility == "pub" && (keyword == "struct" || keyword == "enum") =>
                {
                    match name {
                        TokenTree::Ident(name) => Some(name.to_string()),
                        // The `$` of a parameter. The crate's macros take the type's name as
                        // their first argument.
                        _ => first_name(&call.mac.tokens),
                    }
                }
                _ => None,
            })
        })
    }
}

/// Returns the first identifier among the arguments of a macro call. Attributes such as
/// documentation may precede it.
pub(crate) fn first_name(tokens: &TokenStream) -> Option<String> {
    without_attributes(tokens.clone(), &|_| false).into_iter().find_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    })
}

/// Returns all tokens in order, including those within brackets, braces and parentheses.
fn flattened(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        all.push(token.clone());
        if let TokenTree::Group(group) = token {
            all.extend(flattened(group.stream()));
        }
    }
    all
}

/// Removes attributes at every depth, except those for which `keeps` returns true. `keeps`
/// gets the tokens within the brackets of the attribute.
pub(crate) fn without_attributes(
    tokens: TokenStream,
    keeps: &dyn Fn(&TokenStream) -> bool,
) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            kept.push(token);
            continue;
        };
        let is_attribute = group.delimiter() == Delimiter::Bracket
            && matches!(kept.last(), Some(TokenTree::Punct(mark)) if mark.as_char() == '#');
        if is_attribute && !keeps(&group.stream()) {
            kept.pop();
        } else {
            let inner = without_attributes(group.stream(), keeps);
            kept.push(Group::new(group.delimiter(), inner).into());
        }
    }
    kept.into_iter().collect()
}

/// Replaces the body of every function by a semicolon, at every depth. A change of a body does
/// not change the API.
pub(crate) fn without_bodies(tokens: TokenStream) -> TokenStream {
    let mut in_signature = false;
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) => {
                in_signature |= ident == "fn";
                ident.into()
            }
            TokenTree::Group(group) => {
                if in_signature && group.delimiter() == Delimiter::Brace {
                    in_signature = false;
                    return Punct::new(';', Spacing::Alone).into();
                }
                Group::new(group.delimiter(), without_bodies(group.stream())).into()
            }
            token => token,
        })
        .collect()
}
