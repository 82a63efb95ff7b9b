//! The crate's own macros: which names their calls declare.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use syn::{Item, ItemMacro};

use crate::modules::Crate;

/// The macros of a crate that are defined by `macro_rules!`, by name.
pub(crate) struct Macros<'a>(BTreeMap<String, &'a ItemMacro>);

impl<'a> Macros<'a> {
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

    /// Returns the definition of the macro that `call` calls, if it is one of the crate's.
    pub(crate) fn definition(&self, call: &ItemMacro) -> Option<&'a ItemMacro> {
        if call.ident.is_some() {
            return None;
        }
        self.0.get(&call.mac.path.get_ident()?.to_string()).copied()
    }

    /// Returns the definitions that `definition` uses, itself included.
    pub(crate) fn used_by(&self, definition: &'a ItemMacro) -> Vec<&'a ItemMacro> {
        let mut used = vec![definition];
        let tokens: Vec<_> = flat(definition.mac.tokens.clone());
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(name), TokenTree::Punct(bang)] = pair
                && bang.as_char() == '!'
                && let Some(inner) = self.0.get(&name.to_string())
                && inner.ident != definition.ident
            {
                used.extend(self.used_by(inner));
            }
        }
        used
    }

    /// Returns the name of the public type that `call` declares.
    pub(crate) fn declared(&self, call: &ItemMacro) -> Option<String> {
        let definition = self.definition(call)?;
        self.used_by(definition).into_iter().find_map(|one| {
            let tokens = flat(one.mac.tokens.clone());
            tokens.windows(3).find_map(|three| match three {
                [TokenTree::Ident(public), TokenTree::Ident(kind), name]
                    if public == "pub" && (kind == "struct" || kind == "enum") =>
                {
                    match name {
                        TokenTree::Ident(name) => Some(name.to_string()),
                        // `$name`: the first name of the call.
                        _ => first_name(&call.mac.tokens),
                    }
                }
                _ => None,
            })
        })
    }
}

/// Returns the first name of a call, behind its attributes.
pub(crate) fn first_name(tokens: &TokenStream) -> Option<String> {
    without_attributes(tokens.clone(), &|_| false).into_iter().find_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    })
}

/// Returns all tokens, those in groups included.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        all.push(token.clone());
        if let TokenTree::Group(group) = token {
            all.extend(flat(group.stream()));
        }
    }
    all
}

/// Removes attributes at every depth, except those whose content is kept.
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

/// Replaces the bodies of functions by a semicolon, at every depth.
pub(crate) fn without_bodies(tokens: TokenStream) -> TokenStream {
    let mut in_signature = false;
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) => {
                in_signature |= word == "fn";
                word.into()
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
