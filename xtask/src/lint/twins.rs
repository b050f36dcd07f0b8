//! No code that is in two packages: the same mistake must not be made on both sides of a test.
//!
//! Code is compared as tokens, without comments, attributes, `use` declarations and tests; names
//! of what it uses and literals count. Runs of equal tokens shorter than [`LONGEST`] are the
//! language itself: function signatures, match arms, calls of the standard library.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, File, ImplItem, Item};

use super::modules::is_for_tests;

/// The longest run of equal tokens that two packages may have.
pub(crate) const LONGEST: usize = 50;

/// A file as a row of tokens.
pub(crate) struct Tokens {
    file: PathBuf,
    hashes: Vec<u64>,
    lines: Vec<usize>,
}

impl Tokens {
    /// Reads the tokens of a file's code.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let mut parsed = syn::parse_file(text)
            .map_err(|error| format!("cannot parse {}: {error}", file.display()))?;
        OnlyCode.visit_file_mut(&mut parsed);
        let mut tokens = Self {
            file: file.to_owned(),
            hashes: Vec::new(),
            lines: Vec::new(),
        };
        tokens.read(parsed.into_token_stream());
        Ok(tokens)
    }

    fn read(&mut self, stream: TokenStream) {
        for token in stream {
            let line = token.span().start().line;
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.push(open, line);
                    self.read(group.stream());
                    self.push(close, group.span_close().start().line);
                }
                other => self.push(&other.to_string(), line),
            }
        }
    }

    fn push(&mut self, token: &str, line: usize) {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        self.hashes.push(hasher.finish());
        self.lines.push(line);
    }
}

/// A run of tokens that two files share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) tokens: usize,
    /// The two files, each with the line in which the run begins.
    pub(crate) places: [(PathBuf, usize); 2],
}

impl fmt::Display for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(one, line), (other, other_line)] = &self.places;
        write!(
            f,
            "{}:{line} and {}:{other_line} share {} tokens of code",
            one.display(),
            other.display(),
            self.tokens
        )
    }
}

/// The runs of more than `longest` tokens that a file of one package shares with a file of the
/// other, the longest first.
pub(crate) fn find(ours: &[Tokens], theirs: &[Tokens], longest: usize) -> Vec<Twin> {
    let width = longest + 1;
    let mut starts: HashMap<&[u64], (&Tokens, usize)> = HashMap::new();
    for file in ours {
        for (start, run) in file.hashes.windows(width).enumerate() {
            starts.entry(run).or_insert((file, start));
        }
    }
    let mut twins = Vec::new();
    for file in theirs {
        let mut next = 0;
        for (start, run) in file.hashes.windows(width).enumerate() {
            let Some((twin, twin_start)) = starts.get(run).filter(|_| start >= next) else {
                continue;
            };
            let same = file
                .hashes
                .iter()
                .skip(start)
                .zip(twin.hashes.iter().skip(*twin_start));
            let tokens = same.take_while(|(one, other)| one == other).count();
            next = start + tokens;
            let place = |file: &Tokens, start: usize| {
                (
                    file.file.clone(),
                    file.lines.get(start).copied().unwrap_or_default(),
                )
            };
            twins.push(Twin {
                tokens,
                places: [place(twin, *twin_start), place(file, start)],
            });
        }
    }
    twins.sort_by_key(|twin| std::cmp::Reverse(twin.tokens));
    twins
}

/// Removes what is not code of the product.
struct OnlyCode;

impl VisitMut for OnlyCode {
    fn visit_file_mut(&mut self, file: &mut File) {
        file.items.retain(is_code);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(is_code);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(
            |item| !matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs)),
        );
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.clear();
    }
}

fn is_code(item: &Item) -> bool {
    match item {
        Item::Use(_) => false,
        Item::Mod(module) => module.content.is_some() && !is_for_tests(&module.attrs),
        Item::Fn(function) => !is_for_tests(&function.attrs),
        Item::Impl(block) => !is_for_tests(&block.attrs),
        _ => true,
    }
}
