//! Which module of a crate imports from which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::modules::{self, Module, Names, Reader};

/// How many re-exports a name is followed through.
const MOST_REEXPORTS: usize = 16;

/// One import: a path in one module that leads to another.
pub(crate) struct Arrow {
    pub(crate) from: Names,
    pub(crate) to: Names,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// The path as it is written.
    pub(crate) written: String,
}

/// The modules of a crate and the arrows between them.
pub(crate) struct Graph {
    pub(crate) modules: Vec<Names>,
    pub(crate) arrows: Vec<Arrow>,
}

impl Graph {
    /// Reads the crate whose root file this is.
    pub(crate) fn read(root: &Path, reader: Reader) -> Result<Self, String> {
        let modules = modules::read(root, reader)?;
        let resolver = Resolver::new(&modules);
        let mut arrows = Vec::new();
        for module in &modules {
            for reference in &module.references {
                // A name leads to the module that the path is written with and to the one that
                // defines it; they differ where the name is re-exported.
                let mut targets = resolver.resolve(module, &reference.path, 0);
                targets.sort();
                targets.dedup();
                arrows.extend(
                    targets
                        .into_iter()
                        .filter(|to| *to != module.path)
                        .map(|to| Arrow {
                            from: module.path.clone(),
                            to,
                            file: module.file.clone(),
                            line: reference.line,
                            written: reference.path.join("::"),
                        }),
                );
            }
        }
        let modules = modules.into_iter().map(|module| module.path).collect();
        Ok(Self { modules, arrows })
    }
}

struct Resolver<'a> {
    by_path: BTreeMap<&'a [String], &'a Module>,
}

impl<'a> Resolver<'a> {
    fn new(modules: &'a [Module]) -> Self {
        let by_path = modules
            .iter()
            .map(|module| (module.path.as_slice(), module));
        Self {
            by_path: by_path.collect(),
        }
    }

    /// The modules that a path leads to from a module; none if it leads out of the crate.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Vec<Names> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        if depth > MOST_REEXPORTS {
            return Vec::new();
        }
        match first.as_str() {
            "crate" => self.walk(&[], rest, depth),
            "self" => self.walk(&module.path, rest, depth),
            "super" => {
                let parent = module
                    .path
                    .split_last()
                    .map_or(&[][..], |(_, parent)| parent);
                self.walk_up(parent, rest, depth)
            }
            _ if self.has_child(&module.path, first) => self.walk(&module.path, path, depth),
            _ => self.imported(module, path, depth),
        }
    }

    /// Goes up for each further `super`, then down.
    fn walk_up(&self, start: &[String], path: &[String], depth: usize) -> Vec<Names> {
        match path.split_first() {
            Some((first, rest)) if first == "super" => {
                let parent = start.split_last().map_or(&[][..], |(_, parent)| parent);
                self.walk_up(parent, rest, depth)
            }
            _ => self.walk(start, path, depth),
        }
    }

    /// Goes down from a module as far as the path names modules, then to what is re-exported there.
    fn walk(&self, start: &[String], path: &[String], depth: usize) -> Vec<Names> {
        let mut place = start.to_vec();
        let mut rest = path;
        while let Some((first, further)) = rest.split_first()
            && self.has_child(&place, first)
        {
            place.push(first.clone());
            rest = further;
        }
        let Some(module) = self.by_path.get(place.as_slice()) else {
            return Vec::new();
        };
        let mut found = self.imported(module, rest, depth);
        found.push(place);
        found
    }

    /// What a name means that a module has from its `use` declarations.
    fn imported(&self, module: &Module, path: &[String], depth: usize) -> Vec<Names> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        match module.imports.get(first) {
            // `use name::…`: the name itself comes from outside the crate.
            Some(target)
                if target.first() == Some(first) && !self.has_child(&module.path, first) =>
            {
                Vec::new()
            }
            Some(target) => self.resolve(module, &[target, rest].concat(), depth + 1),
            None => self.globbed(module, first, rest, depth),
        }
    }

    /// The same for a name that may come from a `use …::*`.
    fn globbed(&self, module: &Module, name: &str, rest: &[String], depth: usize) -> Vec<Names> {
        if depth > MOST_REEXPORTS {
            return Vec::new();
        }
        let places = module
            .globs
            .iter()
            .flat_map(|glob| self.resolve(module, glob, depth + 1));
        for place in places {
            let Some(target) = self.by_path.get(place.as_slice()) else {
                continue;
            };
            if self.has_child(&place, name) || target.imports.contains_key(name) {
                let path = [&[name.to_owned()], rest].concat();
                return self.walk(&place, &path, depth + 1);
            }
        }
        Vec::new()
    }

    fn has_child(&self, place: &[String], name: &str) -> bool {
        let child = [place, &[name.to_owned()]].concat();
        self.by_path.contains_key(child.as_slice())
    }
}
