//! The tables of a connection's purpose, as the environment has them.

use super::permission::Permission;
use super::requirements::Requirements;
use super::table::{Guard, Table};
use crate::dataverse::Client;
use crate::dataverse::metadata::{self, TableSecurity};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// The tables of a connection's purpose.
#[derive(Debug)]
pub(in crate::connection) struct Tables {
    known: Vec<Table>,
    /// Their metadata, if the account may read it.
    definitions: Vec<TableSecurity>,
    /// Those that the environment does not have.
    absent: Vec<String>,
}

impl Tables {
    /// Reads the metadata. If the account may not read it, the built-in knowledge is used.
    ///
    /// # Errors
    /// What the service said, unless the account may not read metadata.
    pub(in crate::connection) async fn read<H: Host>(
        client: &Client<H>,
        requirements: &Requirements,
    ) -> Result<Self, Error> {
        match Self::read_metadata(client, requirements).await {
            Err(error) if error.kind == ErrorKind::Forbidden => Ok(Self::offline(requirements)),
            outcome => outcome,
        }
    }

    /// The built-in knowledge, without an environment.
    pub(in crate::connection) fn offline(requirements: &Requirements) -> Self {
        Self {
            known: requirements
                .tables()
                .into_iter()
                .map(Table::offline)
                .collect(),
            definitions: Vec::new(),
            absent: Vec::new(),
        }
    }

    async fn read_metadata<H: Host>(
        client: &Client<H>,
        requirements: &Requirements,
    ) -> Result<Self, Error> {
        let names: Vec<&str> = requirements.tables().into_iter().collect();
        let mut references = Vec::new();
        for table in requirements.tables_written() {
            let (client, table) = (client.clone(), table.to_owned());
            references.push(
                Started::new(async move {
                    let targets = metadata::lookup_targets(&client, &table).await;
                    (table, targets)
                })
                .await,
            );
        }
        let definitions = metadata::security(client, &names).await?;
        let mut known: Vec<Table> = definitions.iter().map(table).collect();
        for lookups in references {
            let (name, targets) = lookups.await;
            if let Some(table) = known.iter_mut().find(|table| table.name == name) {
                table.refer_to(targets?);
            }
        }
        let absent = names
            .into_iter()
            .filter(|name| known.iter().all(|table| table.name != *name))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            known,
            definitions,
            absent,
        })
    }

    /// The permissions that the purpose requires on these tables and otherwise.
    pub(in crate::connection) fn permissions(
        &self,
        requirements: &Requirements,
    ) -> Vec<Permission> {
        requirements.permissions(|name| self.get(name))
    }

    /// A table that the environment has.
    pub(in crate::connection) fn get(&self, name: &str) -> Option<&Table> {
        self.known.iter().find(|table| table.name == name)
    }

    /// The metadata of a table.
    pub(in crate::connection) fn definition(&self, name: &str) -> Option<&TableSecurity> {
        self.definitions
            .iter()
            .find(|definition| definition.logical_name == name)
    }

    /// The tables that the environment does not have.
    pub(in crate::connection) fn absent(&self) -> &[String] {
        &self.absent
    }
}

fn table(definition: &TableSecurity) -> Table {
    let guards = definition
        .privileges
        .iter()
        .map(|privilege| Guard {
            right: privilege.right,
            privilege: privilege.name.clone(),
            deepest: privilege.deepest,
        })
        .collect();
    Table::with_privileges(&definition.logical_name, definition.title.clone(), guards)
}
