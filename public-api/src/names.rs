//! Resolving names: where a path leads.

use std::collections::BTreeMap;

use syn::{Attribute, Item, UseTree, Visibility};

use crate::{
    Unreadable,
    macros::Macros,
    modules::{Crate, ModulePath, declared},
};

/// An item of the crate: its module, and its index there.
pub(crate) type Definition = (ModulePath, usize);

/// Where a path leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Target {
    Definition(Definition),
    Module(ModulePath),
    /// A name of another crate.
    Elsewhere(String),
}

/// What a name stands for in its module.
pub(crate) struct Binding<'a> {
    pub(crate) name: String,
    pub(crate) is_public: bool,
    /// The attributes of the `use` or of the module.
    pub(crate) attributes: &'a [Attribute],
    meaning: Meaning,
}

enum Meaning {
    Target(Target),
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

    /// Returns what a binding of `module` leads to.
    pub(crate) fn target(&self, module: &ModulePath, binding: &Binding<'_>) -> Target {
        match &binding.meaning {
            Meaning::Target(target) => target.clone(),
            // `use redis;` and `use async_trait::async_trait;` begin with a crate, not with
            // the name that they bring.
            Meaning::Path(path) if path.first() == Some(&binding.name) => {
                Target::Elsewhere(path.join("::"))
            }
            Meaning::Path(path) => self.resolve(module, path),
        }
    }

    /// Returns where a path leads that is written in `module`.
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

fn bind<'a>(
    path: &ModulePath,
    n: usize,
    item: &'a Item,
    macros: &Macros<'a>,
    names: &mut Vec<Binding<'a>>,
) -> Result<(), Unreadable> {
    let definition = || Meaning::Target(Target::Definition((path.clone(), n)));
    match item {
        Item::Use(item) => {
            let is_public = is_public(&item.vis);
            let mut found = Vec::new();
            imports(&item.tree, &mut Vec::new(), &mut found, is_public)?;
            names.extend(found.into_iter().map(|(name, path)| Binding {
                name,
                is_public,
                attributes: &item.attrs,
                meaning: Meaning::Path(path),
            }));
        }
        Item::Mod(item) => {
            let name = item.ident.to_string();
            let inner = [path.as_slice(), std::slice::from_ref(&name)].concat();
            names.push(Binding {
                name,
                is_public: is_public(&item.vis),
                attributes: &item.attrs,
                meaning: Meaning::Target(Target::Module(inner)),
            });
        }
        Item::Macro(call) => {
            // An exported macro lies at the root of its crate, wherever it is written.
            if let Some(name) = macros.declared(call) {
                let meaning = definition();
                names.push(Binding { name, is_public: true, attributes: &[], meaning });
            }
        }
        item => {
            if let Some((name, visibility)) = declared(item) {
                let (is_public, meaning) = (is_public(visibility), definition());
                names.push(Binding { name, is_public, attributes: &[], meaning });
            }
        }
    }
    Ok(())
}

/// Collects the names that a `use` brings, each with its path.
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
