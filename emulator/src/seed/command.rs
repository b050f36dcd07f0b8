//! The commands that fill an organization's file without serving it, and the options that fill a
//! new one on the way to being served.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use thiserror::Error;

use super::{
    generate::{self, Sizes},
    import::{self, ImportError, Report},
    marketing, processes,
};
use crate::{
    clock::Clock,
    org,
    schema::{Schema, SchemaError},
    store::{Store, StoreError},
};

/// A command did not fill the organization.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FillError {
    /// The schema that is part of the program is not in order.
    #[error("the built-in schema is invalid: {0}")]
    Schema(#[from] SchemaError),
    /// The organization's file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Imports CSV files into an organization's file.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// The directory with the CSV files, plain or compressed (.csv.gz).
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The map file (TOML): which CSV file becomes which table, and how.
    #[arg(long, value_name = "FILE")]
    pub map: PathBuf,
    /// The organization's file; created if it does not exist.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
}

impl Import {
    /// Carries out the command.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or written, or the rows do not fit it.
    pub fn run(&self) -> Result<Report, FillError> {
        let store = organization(&self.data)?;
        Ok(import::directory(&store, &self.directory, &self.map)?)
    }
}

/// Generates rows in an organization's file.
#[derive(Debug, Clone, Args)]
pub struct Generate {
    /// The organization's file; created if it does not exist.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Which rows to generate.
    #[command(flatten)]
    pub rows: Rows,
}

impl Generate {
    /// Carries out the command.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or written, or the rows do not fit it.
    pub fn run(&self) -> Result<Report, FillError> {
        let store = organization(&self.data)?;
        let mut report = generate::run(&store, self.rows.seed, &self.rows.sizes())?;
        if !self.rows.accounts_only {
            follow(&store, &mut report)?;
        }
        Ok(report)
    }
}

/// How many rows to generate, and from which seed.
#[derive(Debug, Clone, Default, Args)]
pub struct Rows {
    /// Number of accounts to generate, with contacts, leads, opportunities, activities and notes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub accounts: u64,
    /// Generate accounts only.
    #[arg(long)]
    pub accounts_only: bool,
    /// Seed of the generated rows: the same seed gives the same rows. An organization can use each
    /// seed once.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl Rows {
    fn sizes(&self) -> Sizes {
        if self.accounts_only {
            Sizes {
                accounts: self.accounts,
                ..Sizes::default()
            }
        } else {
            Sizes::of_accounts(self.accounts)
        }
    }
}

/// The rows of a new organization, before it is served.
#[derive(Debug, Clone, Default, Args)]
pub struct Content {
    /// Fill a new organization with the sample CRM that comes with the emulator.
    #[arg(long)]
    pub demo: bool,
    /// Which rows to generate besides.
    #[command(flatten)]
    pub rows: Rows,
}

impl Content {
    /// Fills the organization.
    ///
    /// # Errors
    ///
    /// When the database cannot be written or the rows do not fit it.
    pub fn fill(&self, store: &Store) -> Result<Report, FillError> {
        let mut report = if self.demo {
            import::demo(store)?
        } else {
            Report::default()
        };
        for (table, count) in generate::run(store, self.rows.seed, &self.rows.sizes())?.rows {
            report.add(&table, count);
        }
        if self.demo || !self.rows.accounts_only {
            follow(store, &mut report)?;
        }
        Ok(report)
    }
}

/// Adds what follows from the rows there are: processes of opportunities, marketing lists.
fn follow(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    for added in [processes::run(store)?, marketing::run(store)?] {
        for (table, count) in added.rows {
            report.add(&table, count);
        }
    }
    Ok(())
}

/// The organization in this file, which is created if there is none.
fn organization(file: &Path) -> Result<Store, FillError> {
    let store = Store::open(file, Arc::new(Schema::standard()?), Clock::system())?;
    if store.is_empty("organization")? {
        org::seed(&store, "Contoso")?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    enum Command {
        Import(Import),
        Generate(Generate),
        Serve(Content),
    }

    #[test]
    fn commands_fill_the_same_file() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("org.db");
        let file = data.to_str().unwrap();
        let arguments = [
            "x",
            "generate",
            "--data",
            file,
            "--accounts",
            "20",
            "--accounts-only",
            "--seed",
            "4",
        ];
        let Command::Generate(generate) = Command::parse_from(arguments) else {
            panic!("`generate` was parsed as another command");
        };
        assert_eq!(generate.run().unwrap().to_string(), "20 account");

        std::fs::write(place.path().join("firms.csv"), "id,name\nf1,One\n").unwrap();
        let map = place.path().join("map.toml");
        let text = "[[table]]\nfile = \"firms.csv\"\ntable = \"account\"\nkey = \"id\"\n\
                    columns.name = \"{name}\"\n";
        std::fs::write(&map, text).unwrap();
        let directory = place.path().to_str().unwrap();
        let arguments = [
            "x",
            "import",
            directory,
            "--map",
            map.to_str().unwrap(),
            "--data",
            file,
        ];
        let Command::Import(import) = Command::parse_from(arguments) else {
            panic!("`import` was parsed as another command");
        };
        assert_eq!(import.run().unwrap().to_string(), "1 account");
        assert_eq!(organization(&data).unwrap().count("account").unwrap(), 21);
    }

    #[test]
    fn a_new_organization_is_filled_as_the_options_say() {
        let store =
            Store::temporary(Arc::new(Schema::standard().unwrap()), Clock::system()).unwrap();
        let Command::Serve(content) = Command::parse_from(["x", "serve", "--accounts", "8"]) else {
            panic!("`serve` was parsed as another command");
        };
        let report = content.fill(&store).unwrap();
        let count = |table: &str| {
            let found = report.rows.iter().find(|(known, _)| known == table);
            found.map_or(0, |(_, count)| *count)
        };
        let sizes = Sizes::of_accounts(8);
        assert_eq!(count("account"), sizes.accounts);
        assert_eq!(count("opportunitysalesprocess"), sizes.opportunities);
        let lists = count("list") + count("listmember");
        assert!(lists > 0);
        assert_eq!(report.total(), sizes.total() + sizes.opportunities + lists);
        assert_eq!(Content::default().fill(&store).unwrap().total(), 0);
    }
}
