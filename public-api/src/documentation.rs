//! The documentation of an item, as it is written in the sources.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Expr, ExprLit, Item, ItemMacro, Lit, Meta,
    parse::{ParseStream, Parser as _},
};

use crate::{
    Unreadable,
    macros::Macros,
    modules::{Crate, ModulePath, attributes},
    names::{Names, Target},
};

/// Returns the documentation of the item, the module or the exported macro at `path`, which begins
/// at the root of the crate. An empty path names the crate itself. A text that is included from
/// another file is left out.
///
/// # Errors
///
/// [`Unreadable`] if the crate has nothing at the path, or exports by a glob.
pub fn documentation(krate: &Crate, path: &[&str]) -> Result<String, Unreadable> {
    let macros = Macros::of(krate);
    let names = Names::of(krate, &macros)?;
    let segments: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
    match names.resolve(&ModulePath::new(), &segments) {
        Target::Module(module) => Ok(of_module(krate, &module)),
        Target::Definition((module, n)) => match &krate.modules[&module].items[n] {
            Item::Macro(call) => Ok(text(&of_call(call))),
            item => Ok(text(attributes(item))),
        },
        Target::Elsewhere(_) => exported_macro(krate, path)
            .map(|definition| text(&definition.attrs))
            .ok_or_else(|| Unreadable(format!("the crate has no {}", path.join("::")))),
    }
}

/// Returns the documentation outside of a module, and behind it that in its file.
fn of_module(krate: &Crate, path: &ModulePath) -> String {
    let mut all = Vec::new();
    if let Some((name, parent)) = path.split_last() {
        let is_declared = |item: &&Item| matches!(item, Item::Mod(child) if child.ident == name);
        let declared = krate.modules[parent].items.iter().find(is_declared);
        all.extend(declared.map(attributes).into_iter().flatten().cloned());
    }
    all.extend(krate.modules[path].inner.iter().cloned());
    text(&all)
}

/// Returns the attributes that the call of a macro gives to the item that it declares.
fn of_call(call: &ItemMacro) -> Vec<Attribute> {
    let leading = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>()?;
        Ok(attributes)
    };
    // Arguments that begin with something else have no attributes.
    leading.parse2(call.mac.tokens.clone()).unwrap_or_default()
}

/// Returns the macro of this name that the crate exports. It lies at the root, in whatever module
/// it is written.
fn exported_macro<'a>(krate: &'a Crate, path: &[&str]) -> Option<&'a ItemMacro> {
    let [name] = path else { return None };
    krate.modules.values().flat_map(|module| &module.items).find_map(|item| match item {
        Item::Macro(one) if one.ident.as_ref().is_some_and(|ident| ident == name) => one
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("macro_export"))
            .then_some(one),
        _ => None,
    })
}

/// Returns the text of the attributes that are documentation, one line for each.
fn text(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        if let (true, Expr::Lit(ExprLit { lit: Lit::Str(line), .. })) =
            (pair.path.is_ident("doc"), &pair.value)
        {
            let line = line.value();
            // `/// text` has a space before the text.
            text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            text.push('\n');
        }
    }
    text
}
