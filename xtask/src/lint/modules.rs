//! The modules of one crate and the paths that they name, read from its source files.
//!
//! Modules, functions and other items that are compiled for tests only are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, UseTree};

/// A path of module or item names, without `crate` in front where it is absolute.
pub(crate) type Names = Vec<String>;

/// Reads a file's text: from disk, or made up by a test.
pub(crate) type Reader<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// One module, inline or in a file of its own.
pub(crate) struct Module {
    /// Where it is, from the root of the crate.
    pub(crate) path: Names,
    /// The file that it is written in.
    pub(crate) file: PathBuf,
    /// What its `use` declarations bring into scope, by the name under which they do.
    pub(crate) imports: BTreeMap<String, Names>,
    /// The modules of which `use` brings everything into scope.
    pub(crate) globs: Vec<Names>,
    /// Every path of at least two names that its code or its `use` declarations contain.
    pub(crate) references: Vec<Reference>,
}

/// A path as it is written in a module.
pub(crate) struct Reference {
    pub(crate) path: Names,
    pub(crate) line: usize,
}

/// All modules reachable from a crate's root file, the root first.
pub(crate) fn read(root: &Path, reader: Reader) -> Result<Vec<Module>, String> {
    let mut collector = Collector {
        reader,
        modules: Vec::new(),
        current: 0,
        failure: None,
    };
    let folder = root.parent().unwrap_or(Path::new(""));
    collector.read_file(Vec::new(), root, folder);
    match collector.failure {
        Some(failure) => Err(failure),
        None => Ok(collector.modules),
    }
}

/// Whether an item is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|condition| condition.is_ident("test"))
    })
}

struct Collector<'a> {
    reader: Reader<'a>,
    modules: Vec<Module>,
    current: usize,
    failure: Option<String>,
}

impl Collector<'_> {
    /// Reads a module from its file; the files of its children are in `folder`.
    fn read_file(&mut self, path: Names, file: &Path, folder: &Path) {
        let Some(text) = (self.reader)(file) else {
            return self.fail(format!("cannot read {}", file.display()));
        };
        match syn::parse_file(&text) {
            Ok(parsed) => self.enter(path, file, folder, &parsed.items),
            Err(error) => self.fail(format!("cannot parse {}: {error}", file.display())),
        }
    }

    fn enter(&mut self, path: Names, file: &Path, folder: &Path, items: &[Item]) {
        let outer = self.current;
        self.current = self.modules.len();
        self.modules.push(Module {
            path,
            file: file.to_owned(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
            references: Vec::new(),
        });
        for item in items {
            match item {
                Item::Mod(module) => self.enter_child(module, file, folder),
                other => self.visit_item(other),
            }
        }
        self.current = outer;
    }

    fn enter_child(&mut self, module: &ItemMod, file: &Path, folder: &Path) {
        if is_for_tests(&module.attrs) {
            return;
        }
        if module
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("path"))
        {
            return self.fail(format!(
                "{}: `#[path]` hides where module `{}` is; remove it",
                file.display(),
                module.ident
            ));
        }
        let name = module.ident.to_string();
        let mut path = self
            .module()
            .map_or_else(Vec::new, |module| module.path.clone());
        path.push(name.clone());
        let inner = folder.join(&name);
        if let Some((_, items)) = &module.content {
            return self.enter(path, file, &inner, items);
        }
        let flat = folder.join(format!("{name}.rs"));
        let nested = inner.join("mod.rs");
        let file = if (self.reader)(&flat).is_some() {
            flat
        } else {
            nested
        };
        self.read_file(path, &file, &inner);
    }

    fn module(&mut self) -> Option<&mut Module> {
        self.modules.get_mut(self.current)
    }

    fn refer(&mut self, path: Names, line: usize) {
        if let Some(module) = self.module()
            && path.len() > 1
        {
            module.references.push(Reference { path, line });
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String]) {
        let line = tree.span().start().line;
        let below = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        let (path, name) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &below(&path.ident)),
            UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|item| self.import(item, prefix));
            }
            UseTree::Glob(_) => {
                if let Some(module) = self.module() {
                    module.globs.push(prefix.to_vec());
                }
                return self.refer(prefix.to_vec(), line);
            }
            UseTree::Name(name) if name.ident == "self" => {
                (prefix.to_vec(), prefix.last().cloned().unwrap_or_default())
            }
            UseTree::Name(name) => (below(&name.ident), name.ident.to_string()),
            UseTree::Rename(rename) if rename.ident == "self" => {
                (prefix.to_vec(), rename.rename.to_string())
            }
            UseTree::Rename(rename) => (below(&rename.ident), rename.rename.to_string()),
        };
        if let Some(module) = self.module() {
            module.imports.insert(name, path.clone());
        }
        self.refer(path, line);
    }

    /// Paths in the arguments of a macro, whose grammar is unknown: names joined by `::`.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut line = 0;
        let mut joints = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if joints != 2 {
                        self.refer(std::mem::take(&mut path), line);
                    }
                    line = name.span().start().line;
                    path.push(name.to_string());
                    joints = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' && !path.is_empty() => joints += 1,
                other => {
                    self.refer(std::mem::take(&mut path), line);
                    joints = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.refer(path, line);
    }

    fn fail(&mut self, why: String) {
        self.failure.get_or_insert(why);
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
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
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.refer(names.collect(), path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }
}
