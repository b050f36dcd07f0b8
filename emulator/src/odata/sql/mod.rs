//! Conditions turned into parameterised SQL.
//!
//! A condition on rows is either true or false: `ne` and `not` hold for null, as they do in
//! Dataverse, so every `NOT` is put around `IFNULL(…, 0)`.

mod arguments;
mod dates;
pub(crate) mod functions;
mod lambda;

use rusqlite::types::Value as SqlValue;

use crate::{
    gate::Caller,
    odata::{
        Literal, Model, Navigation, Property,
        constant::{constant, edm_type, incompatible},
        filter::{Comparison, Condition, Matching, Operand},
        fragment::{Sql, negated},
        options::{Options, Order},
    },
    schema::{PrivilegeType, Table},
    store::{COLLATE, Stored},
    wire::ODataError,
};

/// The rows that names in a condition refer to.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'a> {
    table: &'a Table,
    alias: String,
    /// The lambda variable that stands for the row.
    variable: Option<String>,
}

/// Compiles conditions for one request.
pub(crate) struct Compiler<'a> {
    pub(crate) model: &'a Model,
    pub(crate) caller: &'a Caller,
    /// Seconds since 1970.
    pub(crate) now: i64,
    options: &'a Options,
    root: &'a Table,
    scopes: Vec<Scope<'a>>,
    aliases: usize,
}

/// A column reached from the present row.
pub(crate) struct Reached<'a> {
    pub(crate) sql: Sql,
    pub(crate) property: Property<'a>,
}

impl<'a> Compiler<'a> {
    /// A compiler for conditions on rows of `table`, known to the statement as `alias`.
    pub(crate) fn new(
        model: &'a Model,
        caller: &'a Caller,
        options: &'a Options,
        now: i64,
        table: &'a Table,
        alias: &str,
    ) -> Self {
        let scope = Scope {
            table,
            alias: alias.to_owned(),
            variable: None,
        };
        Self {
            model,
            caller,
            now,
            options,
            root: table,
            scopes: vec![scope],
            aliases: 0,
        }
    }

    /// The condition as SQL.
    pub(crate) fn condition(&mut self, condition: &Condition) -> Result<Sql, ODataError> {
        match condition {
            Condition::And(parts) => Ok(Sql::joined(self.all(parts)?, " AND ")),
            Condition::Or(parts) => Ok(Sql::joined(self.all(parts)?, " OR ")),
            Condition::Not(inner) => Ok(negated(self.condition(inner)?)),
            Condition::Compare {
                operator,
                left,
                right,
            } => self.compare(*operator, left, right),
            Condition::Match {
                kind,
                text,
                pattern,
            } => self.matching(*kind, text, pattern),
            Condition::Holds(operand) => self.holds(operand),
            Condition::Lambda { path, quantifier } => self.lambda(path, quantifier),
            Condition::Function { name, arguments } => functions::compile(self, name, arguments),
        }
    }

    fn all(&mut self, parts: &[Condition]) -> Result<Vec<Sql>, ODataError> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    /// The operand with aliases replaced by their values.
    pub(crate) fn resolve(&self, operand: &Operand) -> Result<Operand, ODataError> {
        match operand {
            Operand::Alias(name) => self.options.alias(name),
            other => Ok(other.clone()),
        }
    }

    fn compare(
        &mut self,
        operator: Comparison,
        left: &Operand,
        right: &Operand,
    ) -> Result<Sql, ODataError> {
        match (self.resolve(left)?, self.resolve(right)?) {
            (Operand::Path(path), Operand::Literal(literal)) => {
                self.compare_literal(operator, &path, &literal)
            }
            (Operand::Literal(literal), Operand::Path(path)) => {
                self.compare_literal(operator.mirrored(), &path, &literal)
            }
            (Operand::Path(left), Operand::Path(right)) => {
                let (left, right) = (self.reach(&left)?, self.reach(&right)?);
                if edm_type(&left.property) != edm_type(&right.property) {
                    return Err(incompatible(
                        &left.property,
                        edm_type(&right.property),
                        operator,
                    ));
                }
                let collate = collate(&left.property);
                let mut sql = Sql::new("(");
                sql.push(left.sql);
                sql.text.push_str(match operator {
                    Comparison::Equal => " IS ",
                    Comparison::NotEqual => " IS NOT ",
                    other => sql_operator(other),
                });
                sql.push(right.sql);
                sql.text.push_str(collate);
                sql.text.push(')');
                Ok(sql)
            }
            _ => Err(ODataError::bad_request(
                "0x80060888",
                "A comparison needs a column on one side: two constants cannot be compared.",
            )),
        }
    }

    fn compare_literal(
        &mut self,
        operator: Comparison,
        path: &[String],
        literal: &Literal,
    ) -> Result<Sql, ODataError> {
        let Reached { sql, property } = self.reach(path)?;
        if *literal == Literal::Null {
            let text = match operator {
                Comparison::Equal => format!("({} IS NULL)", sql.text),
                Comparison::NotEqual => format!("({} IS NOT NULL)", sql.text),
                _ => format!("(({}) IS NULL AND 0)", sql.text),
            };
            return Ok(Sql::with(text, sql.values));
        }
        let value = constant(&property, literal, operator)?;
        Ok(comparison(sql, &property, operator, value))
    }

    fn matching(
        &mut self,
        kind: Matching,
        text: &Operand,
        pattern: &Operand,
    ) -> Result<Sql, ODataError> {
        let (Operand::Path(path), Operand::Literal(Literal::Text(pattern))) =
            (self.resolve(text)?, self.resolve(pattern)?)
        else {
            return Err(ODataError::bad_request(
                "0x80060888",
                "A string function needs a text column and a quoted text.",
            ));
        };
        let Reached { mut sql, property } = self.reach(&path)?;
        if property.stored != Stored::Text {
            return Err(ODataError::syntax(format!(
                "No function signature for the function with name '{}' matches the specified \
                 arguments. The function signatures considered are: {0}(Edm.String \
                 Nullable=true, Edm.String Nullable=true).",
                match kind {
                    Matching::Contains => "contains",
                    Matching::StartsWith => "startswith",
                    Matching::EndsWith => "endswith",
                }
            )));
        }
        let pattern = match kind {
            Matching::Contains => format!("%{pattern}%"),
            Matching::StartsWith => format!("{pattern}%"),
            Matching::EndsWith => format!("%{pattern}"),
        };
        sql.text = format!("dv_like({}, ?)", sql.text);
        sql.values.push(SqlValue::Text(pattern));
        Ok(sql)
    }

    fn holds(&mut self, operand: &Operand) -> Result<Sql, ODataError> {
        match self.resolve(operand)? {
            Operand::Literal(Literal::Boolean(truth)) => {
                Ok(Sql::new(if truth { "(1)" } else { "(0)" }))
            }
            Operand::Path(path) => {
                let Reached { sql, property } = self.reach(&path)?;
                if property.stored != Stored::Boolean {
                    return Err(ODataError::syntax(
                        "The $filter expression must evaluate to a single boolean value.",
                    ));
                }
                Ok(Sql::with(format!("({} = 1)", sql.text), sql.values))
            }
            _ => Err(ODataError::syntax(
                "The $filter expression must evaluate to a single boolean value.",
            )),
        }
    }

    /// A column of the present row, or of a row its lookups lead to.
    pub(crate) fn reach(&mut self, path: &[String]) -> Result<Reached<'a>, ODataError> {
        let (scope, path) = self.enter(path)?;
        self.reach_from(scope.table, &scope.alias, path)
    }

    /// A column as a query function names it: by logical name, also for a lookup.
    pub(crate) fn reach_named(&mut self, path: &[String]) -> Result<Reached<'a>, ODataError> {
        let mut path = path.to_vec();
        if let ([name], table) = (path.as_mut_slice(), self.table())
            && table
                .column(name)
                .is_some_and(crate::schema::Column::is_lookup)
        {
            *name = format!("_{name}_value");
        }
        self.reach(&path)
    }

    /// The table of the innermost rows.
    pub(crate) fn table(&self) -> &'a Table {
        self.scopes.last().map_or(self.root, |scope| scope.table)
    }

    /// The scope a path begins in, and the rest of the path.
    fn enter<'p>(&self, path: &'p [String]) -> Result<(Scope<'a>, &'p [String]), ODataError> {
        let innermost = self.scopes.last().cloned();
        if let Some((first, rest)) = path.split_first() {
            let named = self
                .scopes
                .iter()
                .rev()
                .find(|s| s.variable.as_ref() == Some(first));
            if let Some(scope) = named {
                return Ok((scope.clone(), rest));
            }
        }
        match innermost {
            Some(scope) if scope.variable.is_none() => Ok((scope, path)),
            _ => Err(ODataError::bad_request(
                "0x80060888",
                "Inside a lambda expression, columns are named by the range variable.",
            )),
        }
    }

    fn reach_from(
        &mut self,
        table: &'a Table,
        alias: &str,
        path: &[String],
    ) -> Result<Reached<'a>, ODataError> {
        match path {
            [name] => {
                let property = self.model.property(table, name)?;
                self.caller
                    .viewer
                    .columns
                    .require_read(table, property.column)?;
                let sql = Sql::new(format!("{alias}.\"{}\"", property.sql));
                Ok(Reached { sql, property })
            }
            [name, rest @ ..] => {
                let Some(Navigation::ToOne { column, target }) =
                    self.model.navigation(&table.logical_name, name)
                else {
                    return Err(ODataError::unknown_property(name, &table.logical_name));
                };
                let target = self.model.table(target)?;
                let inner_alias = self.fresh_alias();
                let readable = self.readable(target, &inner_alias)?;
                let inner = self.reach_from(target, &inner_alias, rest)?;
                let mut sql = Sql::with(
                    format!(
                        "(SELECT {} FROM \"{}\" {inner_alias} WHERE {inner_alias}.\"{}\" = \
                         {alias}.\"{column}\"",
                        inner.sql.text, target.logical_name, target.primary_id,
                    ),
                    inner.sql.values,
                );
                sql.push(readable);
                sql.text.push(')');
                Ok(Reached {
                    sql,
                    property: inner.property,
                })
            }
            [] => Err(ODataError::syntax("The range variable alone is no column.")),
        }
    }

    /// What limits rows reached on the way to those the caller may read: ` AND …`, or nothing.
    fn readable(&self, table: &Table, alias: &str) -> Result<Sql, ODataError> {
        let access = self.caller.access(table, PrivilegeType::Read, alias)?;
        Ok(access.map_or_else(Sql::default, |(text, ids)| {
            let ids = ids.into_iter().map(SqlValue::Text).collect();
            Sql::with(format!(" AND {text}"), ids)
        }))
    }

    fn fresh_alias(&mut self) -> String {
        self.aliases += 1;
        format!("j{}", self.aliases)
    }

    /// A column to order by.
    pub(crate) fn order(&mut self, order: &Order) -> Result<Reached<'a>, ODataError> {
        self.reach(&order.path)
    }
}

/// `left operator value`, with null counted as different from every value.
pub(crate) fn comparison(
    left: Sql,
    property: &Property<'_>,
    operator: Comparison,
    value: SqlValue,
) -> Sql {
    let collate = collate(property);
    let mut values = left.values.clone();
    let text = match operator {
        Comparison::NotEqual => {
            values.extend(left.values);
            format!("({0} IS NULL OR {0} <> ?{collate})", left.text)
        }
        other => format!("({}{}?{collate})", left.text, sql_operator(other)),
    };
    values.push(value);
    Sql::with(text, values)
}

/// What makes a comparison of the property one of the organization's collation.
pub(crate) fn collate(property: &Property<'_>) -> &'static str {
    if property.stored == Stored::Text {
        COLLATE
    } else {
        ""
    }
}

fn sql_operator(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::GreaterThan => " > ",
        Comparison::GreaterThanOrEqual => " >= ",
        Comparison::LessThan => " < ",
        Comparison::LessThanOrEqual => " <= ",
    }
}
