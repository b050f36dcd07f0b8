//! The tables of a query, joined, and rows that are only tested.

use rusqlite::types::Value as SqlValue;

use super::{
    builder::{Builder, Scope},
    value::property,
};
use crate::{
    fetch::{
        FetchError,
        query::{Link, LinkKind},
    },
    odata::{fragment::Sql, sql::collate},
    schema::PrivilegeType,
    wire::ODataError,
};

impl<'a> Builder<'a> {
    /// The joined table of this name.
    pub(super) fn named(&self, name: &str) -> Result<&Scope<'a>, ODataError> {
        self.links
            .iter()
            .find(|scope| scope.name == name)
            .ok_or_else(|| FetchError::unknown_link(name))
    }

    /// The rows of the scope that the caller may read.
    pub(super) fn access(&self, scope: &Scope<'_>) -> Result<Option<Sql>, ODataError> {
        let access = self
            .context
            .caller
            .access(scope.table, PrivilegeType::Read, &scope.alias)?;
        Ok(access.map(|(text, ids)| {
            let ids = ids.into_iter().map(SqlValue::Text).collect();
            Sql::with(text, ids)
        }))
    }

    /// Joins the links and theirs; returns those whose columns are within reach.
    pub(super) fn join(
        &mut self,
        parent: &Scope<'a>,
        links: &'a [Link],
    ) -> Result<Vec<(Scope<'a>, &'a Link)>, ODataError> {
        let mut joined = Vec::new();
        for link in links {
            let (scope, on) = self.matching(parent, link)?;
            if link.kind == LinkKind::Exists {
                let exists = self.exists(&scope, link, on)?;
                self.conditions.push(exists);
                continue;
            }
            if self.links.iter().any(|known| known.name == scope.name) {
                return Err(FetchError::invalid(format!(
                    "The alias '{}' is used for two link-entities.",
                    scope.name
                )));
            }
            if link.kind != LinkKind::First && link.from != scope.table.primary_id {
                self.multiplying.push(scope.clone());
            }
            self.links.push(scope.clone());
            let mut on = vec![on];
            on.extend(self.access(&scope)?);
            for filter in &link.entity.filters {
                on.extend(self.filter(&scope, filter)?);
            }
            let on = Sql::joined(on, " AND ");
            let table = &scope.table.logical_name;
            let join = if link.kind == LinkKind::Outer {
                "LEFT JOIN"
            } else {
                "JOIN"
            };
            self.from
                .append(format!(" {join} \"{table}\" {} ON ", scope.alias));
            if link.kind == LinkKind::First {
                let key = &scope.table.primary_id;
                let alias = &scope.alias;
                // The inner rows take the alias of the row that is joined: first of all their key.
                self.from.append(format!(
                    "{alias}.\"{key}\" = (SELECT {alias}.\"{key}\" FROM \"{table}\" {alias} WHERE "
                ));
                self.from.push(on);
                self.from.append(" ORDER BY 1 LIMIT 1)");
            } else {
                self.from.push(on);
            }
            joined.push((scope.clone(), link));
            joined.extend(self.join(&scope, &link.entity.links)?);
        }
        Ok(joined)
    }

    /// The linked table's scope, and the condition that its rows belong to the parent's.
    fn matching(
        &mut self,
        parent: &Scope<'a>,
        link: &'a Link,
    ) -> Result<(Scope<'a>, Sql), ODataError> {
        let name = &link.entity.table;
        let table = self
            .context
            .model
            .schema
            .table(name)
            .ok_or_else(|| FetchError::no_table(name))?;
        self.context.caller.depth(table, PrivilegeType::Read)?;
        self.aliases += 1;
        let scope = Scope {
            name: link
                .alias
                .clone()
                .unwrap_or_else(|| format!("{name}{}", link.number)),
            table,
            alias: format!("f{}", self.aliases),
        };
        let from = property(self.context.model, table, &link.from)?;
        let to = property(self.context.model, parent.table, &link.to)?;
        let on = format!(
            "{}.\"{}\" = {}.\"{}\"{}",
            scope.alias,
            from.sql,
            parent.alias,
            to.sql,
            collate(&to)
        );
        Ok((scope, Sql::new(on)))
    }

    /// Whether a row of the link belongs to the parent's row and fulfils the link's filters.
    fn exists(&mut self, scope: &Scope<'a>, link: &'a Link, on: Sql) -> Result<Sql, ODataError> {
        let inner = self.inside(scope, |builder| {
            builder.conditions.push(on);
            builder.conditions.extend(builder.access(scope)?);
            builder.join(scope, &link.entity.links)?;
            for filter in &link.entity.filters {
                let condition = builder.filter(scope, filter)?;
                builder.conditions.extend(condition);
            }
            Ok(())
        })?;
        let mut sql = Sql::new("EXISTS (");
        sql.push(inner);
        sql.append(")");
        Ok(sql)
    }

    /// A link-entity in a filter: `any`, `all` and their opposites.
    pub(super) fn related(
        &mut self,
        parent: &Scope<'a>,
        link: &'a Link,
    ) -> Result<Sql, ODataError> {
        let (scope, on) = self.matching(parent, link)?;
        let fulfilled = self.exists(&scope, link, on.clone())?;
        let mut sql = Sql::new("");
        match link.kind {
            LinkKind::NotAny => {
                sql.append("NOT ");
                sql.push(fulfilled);
            }
            LinkKind::All => {
                let table = &scope.table.logical_name;
                sql.append(format!(
                    "(EXISTS (SELECT 1 FROM \"{table}\" {}",
                    scope.alias
                ));
                sql.append(" WHERE ");
                sql.push(on);
                sql.append(") AND NOT ");
                sql.push(fulfilled);
                sql.append(")");
            }
            _ => sql = fulfilled,
        }
        Ok(sql)
    }

    /// A statement of its own over the scope's table, for use inside a condition.
    fn inside(
        &mut self,
        scope: &Scope<'a>,
        build: impl FnOnce(&mut Self) -> Result<(), ODataError>,
    ) -> Result<Sql, ODataError> {
        let table = &scope.table.logical_name;
        let outer = (
            std::mem::replace(
                &mut self.from,
                Sql::new(format!("SELECT 1 FROM \"{table}\" {}", scope.alias)),
            ),
            std::mem::take(&mut self.conditions),
            self.links.len(),
            self.multiplying.len(),
        );
        self.links.push(scope.clone());
        let result = build(self);
        let mut sql = std::mem::replace(&mut self.from, outer.0);
        let conditions = std::mem::replace(&mut self.conditions, outer.1);
        self.links.truncate(outer.2);
        self.multiplying.truncate(outer.3);
        result?;
        sql.append(" WHERE ");
        sql.push(Sql::joined(conditions, " AND "));
        Ok(sql)
    }
}
