//! The listing: every public path, and the public part of every item.

use std::{collections::BTreeMap, fmt::Write as _};

use quote::ToTokens as _;
use syn::{File, ImplItem, Item, ItemImpl, ItemMacro, Path, Type};

use crate::{
    Unreadable,
    macros::{Macros, first_name},
    modules::{Crate, ModulePath},
    names::{Definition, Names, Target},
    public,
};

/// Returns the listing of a crate: first all public paths, then all items, by path.
///
/// # Errors
///
/// [`Unreadable`] if the crate exports by a glob.
pub fn listing(krate: &Crate) -> Result<String, Unreadable> {
    let macros = Macros::of(krate);
    let names = Names::of(krate, &macros)?;
    let mut surface = Surface::default();
    surface.walk(&names, &ModulePath::new(), "");
    surface.exported_macros(krate);

    let mut text = String::new();
    for (path, says) in &surface.paths {
        writeln!(text, "{path}{says}").map_err(|error| Unreadable(error.to_string()))?;
    }
    let parts = parts(krate, &macros, &names, &surface);
    for (definition, paths) in by_path(&surface) {
        let item = &krate.modules[&definition.0].items[definition.1];
        let mut items = vec![public::item(item)];
        items.extend(parts.get(definition).into_iter().flatten().cloned());
        text.push_str("\n// ");
        text.push_str(&paths.join(", "));
        text.push('\n');
        text.push_str(&printed(items));
    }
    for definition in used(krate, &macros, &names, &surface) {
        text.push('\n');
        text.push_str(&printed(vec![public::item(&Item::Macro(definition.clone()))]));
    }
    Ok(text)
}

/// The paths and items that a user of the crate can name.
#[derive(Default)]
struct Surface {
    /// The public paths. Each value is printed behind its path: attributes, `::` for a module,
    /// or the item of another crate.
    paths: BTreeMap<String, String>,
    /// The items, each with its public paths.
    definitions: BTreeMap<Definition, Vec<String>>,
}

impl Surface {
    /// Adds the public names of a module and of its public submodules. `before` is printed
    /// before each name.
    fn walk(&mut self, names: &Names<'_>, module: &ModulePath, before: &str) {
        for binding in names.in_module(module).iter().filter(|binding| binding.is_public) {
            let path = format!("{before}{}", binding.name);
            let mut attributes = binding.attributes.to_vec();
            public::keep_api_attributes(&mut attributes);
            let mut says = String::new();
            for attribute in &attributes {
                says.push(' ');
                let text = attribute.to_token_stream().to_string();
                says.push_str(&text.replace("# [", "#[").replace(" (", "("));
            }
            match names.target(module, binding) {
                Target::Definition(found) => {
                    self.definitions.entry(found).or_default().push(path.clone());
                }
                Target::Elsewhere(origin) => says = format!(" = {origin}{says}"),
                Target::Module(inner) => {
                    says = format!("::{says}");
                    self.walk(names, &inner, &format!("{path}::"));
                }
            }
            self.paths.insert(path, says);
        }
    }

    /// Adds the macros with `#[macro_export]`. They lie at the root, in whatever module they are
    /// written.
    fn exported_macros(&mut self, krate: &Crate) {
        for (path, module) in &krate.modules {
            for (n, item) in module.items.iter().enumerate() {
                if let Item::Macro(ItemMacro { attrs, ident: Some(name), .. }) = item
                    && attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"))
                {
                    let name = format!("{name}!");
                    self.paths.insert(name.clone(), String::new());
                    self.definitions.entry((path.clone(), n)).or_default().push(name);
                }
            }
        }
    }

    fn has(&self, target: &Target) -> bool {
        matches!(target, Target::Definition(found) if self.definitions.contains_key(found))
    }
}

/// Returns the definitions with their paths, ordered by the first path.
fn by_path(surface: &Surface) -> Vec<(&Definition, &Vec<String>)> {
    let mut all: Vec<_> = surface.definitions.iter().collect();
    all.sort_by_key(|(_, paths)| paths.iter().min());
    all
}

/// Returns the implementations for each public item: `impl` blocks, and calls of macros that
/// implement something for the type.
fn parts(
    krate: &Crate,
    macros: &Macros<'_>,
    names: &Names<'_>,
    surface: &Surface,
) -> BTreeMap<Definition, Vec<Item>> {
    let mut parts: BTreeMap<Definition, Vec<Item>> = BTreeMap::new();
    for (module, items) in krate.modules.iter().map(|(path, module)| (path, &module.items)) {
        for item in items {
            let (owner, part) = match item {
                Item::Impl(one) => {
                    let Some(owner) = owner(one, module, names, surface) else { continue };
                    let Some(part) = public::implementation(one) else { continue };
                    (owner, Item::Impl(part))
                }
                Item::Macro(call) if macros.definition(call).is_some() => {
                    if macros.declared_type(call).is_some() {
                        continue;
                    }
                    let Some(name) = first_name(&call.mac.tokens) else { continue };
                    match names.resolve(module, &[name]) {
                        Target::Definition(owner) => (owner, public::item(item)),
                        Target::Elsewhere(_) | Target::Module(_) => continue,
                    }
                }
                _ => continue,
            };
            parts.entry(owner).or_default().push(part);
        }
    }
    parts.into_iter().map(|(owner, parts)| (owner, merged(parts))).collect()
}

/// Returns the public item that an implementation belongs to: the type, or the trait if the
/// type is not one of the crate's.
fn owner(
    one: &ItemImpl,
    module: &ModulePath,
    names: &Names<'_>,
    surface: &Surface,
) -> Option<Definition> {
    let resolve = |path: &Path| names.resolve(module, &segments(path));
    let implemented = one.trait_.as_ref().map(|(path, _)| resolve(path));
    let of = match &*one.self_ty {
        Type::Path(of) => Some(resolve(&of.path)),
        _ => None,
    };
    if let Some(implemented) = &implemented
        && !surface.has(implemented)
        && matches!(implemented, Target::Definition(_))
    {
        return None; // A private trait.
    }
    match (of, implemented) {
        (Some(Target::Definition(of)), _) => surface.definitions.contains_key(&of).then_some(of),
        (_, Some(Target::Definition(implemented))) => Some(implemented),
        _ => None,
    }
}

fn segments(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Merges inherent implementations with the same head, and orders all implementations. A method
/// can therefore move between files without a change of the listing.
fn merged(parts: Vec<Item>) -> Vec<Item> {
    let mut all: BTreeMap<String, Item> = BTreeMap::new();
    for part in parts {
        let mut head = part.clone();
        if let Item::Impl(head) = &mut head
            && head.trait_.is_none()
        {
            head.items.clear();
        }
        match (all.entry(head.to_token_stream().to_string()).or_insert(head), part) {
            (Item::Impl(known), Item::Impl(more)) if known.trait_.is_none() => {
                known.items.extend(more.items);
                known.items.sort_by_key(name_of);
            }
            _ => {}
        }
    }
    // Inherent methods come first.
    let (mut inherent, rest): (Vec<_>, Vec<_>) =
        all.into_values().partition(|item| matches!(item, Item::Impl(one) if one.trait_.is_none()));
    inherent.extend(rest);
    inherent
}

fn name_of(item: &ImplItem) -> String {
    match item {
        ImplItem::Const(one) => one.ident.to_string(),
        ImplItem::Fn(one) => one.sig.ident.to_string(),
        ImplItem::Type(one) => one.ident.to_string(),
        _ => String::new(),
    }
}

/// Returns the definitions of the macros whose calls are part of the listing, by name.
fn used<'a>(
    krate: &'a Crate,
    macros: &Macros<'a>,
    names: &Names<'_>,
    surface: &Surface,
) -> Vec<&'a ItemMacro> {
    let mut used = BTreeMap::new();
    for (path, module) in &krate.modules {
        for item in &module.items {
            let Item::Macro(call) = item else { continue };
            let Some(definition) = macros.definition(call) else { continue };
            let name = macros.declared_type(call).or_else(|| first_name(&call.mac.tokens));
            if name.is_some_and(|name| surface.has(&names.resolve(path, &[name]))) {
                for one in macros.with_called_macros(definition) {
                    used.insert(one.ident.as_ref().map(ToString::to_string), one);
                }
            }
        }
    }
    used.into_values().collect()
}

/// Returns the formatted text of items, in which `..` stands for private fields and for the
/// bodies of provided methods.
fn printed(items: Vec<Item>) -> String {
    let file = File { shebang: None, frontmatter: None, attrs: Vec::new(), items };
    prettyplease::unparse(&file)
        .replace(&format!("{}: (),", public::PRIVATE), "..")
        .replace("{\n        \"provided\"\n    }", "{ .. }")
        .replace(" {}\n", ";\n")
}
