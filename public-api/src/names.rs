//! Resolves names: finds the item, module or other crate that a path refers to.

use std::collections::BTreeMap;

use syn::{Attribute, Item, UseTree, Visibility};

use crate::{
    Unreadable,
    macros::Macros,
    modules::{Crate, ModulePath, declared},
};

/// The location of an item: the path of its module, and its index in the module.
pub(crate) type Definition = (ModulePath, usize);

/// What a path refers to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Target {
    Definition(Definition),
    Module(ModulePath),
    /// An item of another crate, by its full path.
    Elsewhere(String),
}

/// A name in a module: declared there, or imported by `use`.
pub(crate) struct Binding<'a> {
    pub(crate) name: String,
    pub(crate) is_public: bool,
    /// The attributes of the `use` or of the module declaration; empty for other items, whose
    /// attributes are part of the item.
    pub(crate) attributes: &'a [Attribute],
    resolution: Resolution,
}

/// What a name refers to.
enum Resolution {
    /// The item or module that is declared under the name.
    Target(Target),
    /// The path of the `use`, which is not resolved yet.
    Path(Vec<String>),
}

/// The names of each module.
pub(crate) struct Names<'a>(BTreeMap<&'a ModulePath, Vec<Binding<'a>>>);

impl<'a> Names<'a> {
    pub(crate) fn of(krate: &'a Crate, macros: &Macros<'a>) -> Result<Self, Unreadable> {
        let mut all = BTreeMap::new();
        for (path, module) in &krate.modules {
            let mut names = Vec::new();
            for (n, item) in module.items.iter().enumerate() {
                bind(path, n, item, macros, &mut names)?;
            }
            all.insert(path, names);
        }
        Ok(Self(all))
    }

    /// Returns the names of a module.
    pub(crate) fn in_module(&self, module: &ModulePath) -> &[Binding<'a>] {
        self.0.get(module).map_or(&[], Vec::as_slice)
    }

    /// Returns what a name of `module` refers to.
    pub(crate) fn target(&self, module: &ModulePath, binding: &Binding<'_>) -> Target {
        match &binding.resolution {
            Resolution::Target(target) => target.clone(),
            // `use redis;` and `use async_trait::async_trait;` begin with a crate, not with
            // the name that they import. Resolving that name would never end.
            Resolution::Path(path) if path.first() == Some(&binding.name) => {
                Target::Elsewhere(path.join("::"))
            }
            Resolution::Path(path) => self.resolve(module, path),
        }
    }

    /// Returns what a path refers to that is written in `module`.
    pub(crate) fn resolve(&self, module: &ModulePath, path: &[String]) -> Target {
        let mut at = module.clone();
        for (n, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => at = ModulePath::new(),
                "self" => {}
                "super" => drop(at.pop()),
                name => {
                    let Some(binding) = self.in_module(&at).iter().find(|one| one.name == name)
                    else {
                        return Target::Elsewhere(path.join("::"));
                    };
                    match self.target(&at, binding) {
                        Target::Module(inner) => at = inner,
                        Target::Elsewhere(outer) => {
                            let rest = [&[outer], &path[n + 1..]].concat();
                            return Target::Elsewhere(rest.join("::"));
                        }
                        found @ Target::Definition(_) => return found,
                    }
                }
            }
        }
        Target::Module(at)
    }
}

/// Adds the names that an item declares or imports to the names of its module. `n` is the index
/// of the item in the module `path`.
fn bind<'a>(
    path: &ModulePath,
    n: usize,
    item: &'a Item,
    macros: &Macros<'a>,
    names: &mut Vec<Binding<'a>>,
) -> Result<(), Unreadable> {
    let definition = || Resolution::Target(Target::Definition((path.clone(), n)));
    match item {
        Item::Use(item) => {
            let is_public = is_public(&item.vis);
            let mut found = Vec::new();
            imports(&item.tree, &mut Vec::new(), &mut found, is_public)?;
            names.extend(found.into_iter().map(|(name, path)| Binding {
                name,
                is_public,
                attributes: &item.attrs,
                resolution: Resolution::Path(path),
            }));
        }
        Item::Mod(item) => {
            let name = item.ident.to_string();
            let inner = [path.as_slice(), std::slice::from_ref(&name)].concat();
            names.push(Binding {
                name,
                is_public: is_public(&item.vis),
                attributes: &item.attrs,
                resolution: Resolution::Target(Target::Module(inner)),
            });
        }
        Item::Macro(call) => {
            // A definition binds no name here: an exported macro lies at the root of its crate,
            // in whatever module it is written.
            if let Some(name) = macros.declared_type(call) {
                let resolution = definition();
                names.push(Binding { name, is_public: true, attributes: &[], resolution });
            }
        }
        item => {
            if let Some((name, visibility)) = declared(item) {
                let (is_public, resolution) = (is_public(visibility), definition());
                names.push(Binding { name, is_public, attributes: &[], resolution });
            }
        }
    }
    Ok(())
}

/// Collects the names that a `use` imports, each with its path.
fn imports(
    tree: &UseTree,
    before: &mut Vec<String>,
    found: &mut Vec<(String, Vec<String>)>,
    is_public: bool,
) -> Result<(), Unreadable> {
    let mut add = |name: &syn::Ident, renamed: &syn::Ident| {
        let mut path = before.clone();
        // `a::{self}` names `a`.
        if name != "self" {
            path.push(name.to_string());
        }
        let name = if renamed == "self" { path.last().cloned() } else { Some(renamed.to_string()) };
        found.extend(name.map(|name| (name, path)));
    };
    match tree {
        UseTree::Name(one) => add(&one.ident, &one.ident),
        UseTree::Rename(one) => add(&one.ident, &one.rename),
        UseTree::Path(inner) => {
            before.push(inner.ident.to_string());
            imports(&inner.tree, before, found, is_public)?;
            before.pop();
        }
        UseTree::Group(group) => {
            for inner in &group.items {
                imports(inner, before, found, is_public)?;
            }
        }
        UseTree::Glob(_) if is_public => {
            return Err(Unreadable(format!(
                "`pub use {}::*`: name the exports",
                before.join("::")
            )));
        }
        UseTree::Glob(_) => {}
    }
    Ok(())
}

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
