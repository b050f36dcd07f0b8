//! Conditions on the rows of a collection: `any` and `all` (reference §4.4).

use super::{Compiler, Scope};
use crate::{
    odata::{
        Navigation,
        filter::Quantifier,
        fragment::{Sql, negated},
    },
    wire::ODataError,
};

impl Compiler<'_> {
    pub(super) fn lambda(
        &mut self,
        path: &[String],
        quantifier: &Quantifier,
    ) -> Result<Sql, ODataError> {
        let (scope, path) = self.enter(path)?;
        let [name] = path else {
            return Err(ODataError::bad_request(
                "0x80060888",
                "A lambda expression below a lookup is not supported.",
            ));
        };
        let navigation = self.model.navigation(&scope.table.logical_name, name);
        let alias = self.fresh_alias();
        let outer_key = format!("{}.\"{}\"", scope.alias, scope.table.primary_id);
        let (table, source) = match navigation {
            Some(Navigation::ToMany { table, column }) => {
                let source =
                    format!("\"{table}\" {alias} WHERE {alias}.\"{column}\" = {outer_key}");
                (table, source)
            }
            Some(Navigation::Associated {
                table,
                intersect,
                near,
                far,
            }) => {
                let key = &self.model.table(table)?.primary_id;
                let link = self.fresh_alias();
                let source = format!(
                    "\"{intersect}\" {link} JOIN \"{table}\" {alias} ON {alias}.\"{key}\" = \
                     {link}.\"{far}\" WHERE {link}.\"{near}\" = {outer_key}"
                );
                (table, source)
            }
            Some(_) => {
                return Err(ODataError::syntax(
                    "Any/All may only be used following a collection.",
                ));
            }
            None => {
                return Err(ODataError::unknown_property(
                    name,
                    &scope.table.logical_name,
                ));
            }
        };
        let table = self.model.table(table)?;
        let mut source = Sql::new(source);
        source.push(self.readable(table, &alias)?);
        let (variable, body, all) = match quantifier {
            Quantifier::Exists => {
                let text = format!("EXISTS (SELECT 1 FROM {})", source.text);
                return Ok(Sql::with(text, source.values));
            }
            Quantifier::Any { variable, body } => (variable, body, false),
            Quantifier::All { variable, body } => (variable, body, true),
        };
        self.scopes.push(Scope {
            table,
            alias,
            variable: Some(variable.clone()),
        });
        let body = self.condition(body);
        self.scopes.pop();
        let (body, not) = if all {
            (negated(body?), "NOT ")
        } else {
            (body?, "")
        };
        let mut sql = Sql::new(format!("{not}EXISTS (SELECT 1 FROM "));
        sql.push(source);
        sql.append(" AND ");
        sql.push(body);
        sql.append(")");
        Ok(sql)
    }
}
