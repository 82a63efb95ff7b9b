//! Reads the files of a crate, and parses them into modules.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, Item, Meta, Visibility};

use crate::Unreadable;

/// The path of a module within its crate; empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// The parsed sources of a crate.
pub struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

impl fmt::Debug for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Crate").field(&self.modules.keys()).finish()
    }
}

/// A module, without its tests.
pub(crate) struct Module {
    /// The attributes inside of the module's file, such as its documentation.
    pub(crate) inner: Vec<Attribute>,
    pub(crate) items: Vec<Item>,
}

impl Crate {
    /// Reads the library whose root file is `root`, usually `src/lib.rs`.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if a file is missing or cannot be parsed.
    pub fn read(root: &Path) -> Result<Self, Unreadable> {
        let mut read = Self { modules: BTreeMap::new() };
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        read.file(root, &folder, Vec::new())?;
        Ok(read)
    }

    /// Reads a file, whose submodules lie in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, path: ModulePath) -> Result<(), Unreadable> {
        let failed = |error: &dyn fmt::Display| Unreadable(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
        let parsed = syn::parse_file(&text).map_err(|error| failed(&error))?;
        self.module(parsed.attrs, parsed.items, folder, path)
    }

    /// Adds a module and its submodules, without items that only tests compile.
    fn module(
        &mut self,
        inner: Vec<Attribute>,
        items: Vec<Item>,
        folder: &Path,
        path: ModulePath,
    ) -> Result<(), Unreadable> {
        let mut module = Module { inner, items: Vec::new() };
        for mut item in items {
            if attributes(&item).iter().any(is_for_tests) {
                continue;
            }
            if let Item::Mod(child) = &mut item {
                let name = child.ident.to_string();
                let inner = [path.as_slice(), std::slice::from_ref(&name)].concat();
                if let Some((_, items)) = child.content.take() {
                    self.module(Vec::new(), items, &folder.join(&name), inner)?;
                } else {
                    let (file, folder) = find(folder, &name);
                    self.file(&file, &folder, inner)?;
                }
            }
            module.items.push(item);
        }
        self.modules.insert(path, module);
        Ok(())
    }
}

/// Returns the file of a module, and the folder of its submodules.
fn find(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let inner = folder.join(name);
    let flat = folder.join(format!("{name}.rs"));
    (if flat.exists() { flat } else { inner.join("mod.rs") }, inner)
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    }
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the name and the visibility of an item that declares a name of its own.
pub(crate) fn declared(item: &Item) -> Option<(String, &Visibility)> {
    let (ident, visibility) = match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        _ => return None,
    };
    Some((ident.to_string(), visibility))
}
