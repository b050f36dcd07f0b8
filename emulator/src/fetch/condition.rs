//! Filters turned into parameterised SQL.

use rusqlite::types::Value as SqlValue;

use super::{
    FetchError,
    operator::Test,
    query::{Condition, Filter, Part},
    statement::{Builder, Scope},
    value::{date_time, reach, value},
};
use crate::{
    odata::{
        Literal, ODataError,
        filter::{Comparison, Operand},
        fragment::{Sql, negated},
        functions,
        sql::{Compiler, Reached, collate, comparison},
    },
    schema::ColumnKind,
    store::Stored,
    time,
};

impl<'a> Builder<'a> {
    /// A filter on rows of the scope; `None` if it asks nothing.
    pub(super) fn filter(
        &mut self,
        scope: &Scope<'a>,
        filter: &'a Filter,
    ) -> Result<Option<Sql>, ODataError> {
        let mut parts = Vec::with_capacity(filter.parts.len());
        for part in &filter.parts {
            match part {
                Part::Filter(inner) => parts.extend(self.filter(scope, inner)?),
                Part::Condition(condition) => parts.push(self.condition(scope, condition)?),
                Part::Link(link) => parts.push(self.related(scope, link)?),
            }
        }
        let operator = if filter.any { " OR " } else { " AND " };
        Ok((!parts.is_empty()).then(|| Sql::joined(parts, operator)))
    }

    fn condition(&self, scope: &Scope<'a>, condition: &Condition) -> Result<Sql, ODataError> {
        let scope = match &condition.entity {
            None => scope,
            Some(name) => self.named(name)?,
        };
        let model = self.context.model;
        let column = reach(model, scope.table, &scope.alias, &condition.attribute)?;
        let operator = &condition.operator;
        let test = Test::parse(operator).ok_or_else(|| {
            FetchError::not_xml(format!("'{operator}' is no operator of FetchXML."))
        })?;
        if let Some(other) = &condition.value_of {
            return self.compare_columns(scope, &column, test, other);
        }
        let values = &condition.values;
        let typed = |text: &String| value(model, &column.property, text);
        match (test, values.as_slice()) {
            (Test::Compare(comparing), [text]) => {
                let value = typed(text)?;
                Ok(comparison(column.sql, &column.property, comparing, value))
            }
            (Test::IsNull { negated }, _) => {
                let is = if negated { "IS NOT" } else { "IS" };
                Ok(Sql::new(format!("({} {is} NULL)", column.sql.text)))
            }
            (
                Test::Like {
                    before,
                    after,
                    negated: not,
                },
                [text],
            ) => {
                if column.property.stored != Stored::Text {
                    return Err(unfit(condition));
                }
                let mark = |wanted: bool| if wanted { "%" } else { "" };
                let pattern = format!("{}{text}{}", mark(before), mark(after));
                let like = Sql::with(
                    format!("dv_like({}, ?)", column.sql.text),
                    vec![SqlValue::Text(pattern)],
                );
                Ok(if not { negated(like) } else { like })
            }
            (Test::Among { negated: not }, _) if !values.is_empty() => {
                let marks = vec!["?"; values.len()].join(", ");
                let among = Sql::with(
                    format!(
                        "({}{} IN ({marks}))",
                        column.sql.text,
                        collate(&column.property)
                    ),
                    values.iter().map(typed).collect::<Result<_, _>>()?,
                );
                Ok(if not { negated(among) } else { among })
            }
            (Test::Between { negated: not }, [from, to]) => {
                let between = Sql::with(
                    format!(
                        "({}{} BETWEEN ? AND ?)",
                        column.sql.text,
                        collate(&column.property)
                    ),
                    vec![typed(from)?, typed(to)?],
                );
                Ok(if not { negated(between) } else { between })
            }
            (Test::Choices { negated: not }, _) if !values.is_empty() => {
                let ColumnKind::MultiSelectPicklist { .. } = column.property.column.kind else {
                    return Err(unfit(condition));
                };
                let list = Literal::List(values.clone());
                let chosen = self.function(
                    scope,
                    condition,
                    "ContainValues",
                    vec![("PropertyValues".to_owned(), Operand::Literal(list))],
                )?;
                Ok(if not { negated(chosen) } else { chosen })
            }
            (
                Test::Function {
                    name,
                    values: count,
                    negated: not,
                },
                _,
            ) if count == values.len() || count == 0 => {
                let arguments = match (count, values.as_slice()) {
                    (1, [value]) => vec![argument("PropertyValue", value)],
                    (2, [first, second]) => vec![
                        argument("PropertyValue1", first),
                        argument("PropertyValue2", second),
                    ],
                    _ => Vec::new(),
                };
                let sql = self.function(scope, condition, name, arguments)?;
                Ok(if not { negated(sql) } else { sql })
            }
            _ => Err(FetchError::condition(format!(
                "The operator '{operator}' of the condition on '{}' does not take {} values.",
                condition.attribute,
                values.len()
            ))),
        }
    }

    /// What the query function of OData that says the same compiles to.
    fn function(
        &self,
        scope: &Scope<'a>,
        condition: &Condition,
        name: &str,
        mut arguments: Vec<(String, Operand)>,
    ) -> Result<Sql, ODataError> {
        let context = self.context;
        let mut compiler = Compiler::new(
            context.model,
            context.caller,
            context.options,
            context.now,
            scope.table,
            &scope.alias,
        );
        let property = Literal::Text(condition.attribute.clone());
        arguments.push(("PropertyName".to_owned(), Operand::Literal(property)));
        functions::compile(&mut compiler, name, &arguments).map_err(|_| unfit(condition))
    }

    /// `valueof`: a comparison with another column, perhaps of another table.
    fn compare_columns(
        &self,
        scope: &Scope<'a>,
        left: &Reached<'a>,
        test: Test,
        other: &str,
    ) -> Result<Sql, ODataError> {
        let (scope, name) = match other.split_once('.') {
            Some((alias, name)) => (self.named(alias)?, name),
            None => (scope, other),
        };
        let right = reach(self.context.model, scope.table, &scope.alias, name)?;
        let Test::Compare(operator) = test else {
            return Err(FetchError::condition(
                "Columns are compared by 'eq', 'ne', 'gt', 'ge', 'lt' or 'le'.",
            ));
        };
        let references = [Stored::Guid, Stored::Reference, Stored::TypedReference];
        let comparable = left.property.stored == right.property.stored
            || (references.contains(&left.property.stored)
                && references.contains(&right.property.stored));
        if !comparable {
            return Err(FetchError::condition(format!(
                "The attributes '{}' and '{name}' are of different types.",
                left.property.column.logical_name
            )));
        }
        let (left_sql, right_sql) = (&left.sql.text, &right.sql.text);
        let collate = collate(&left.property);
        Ok(Sql::new(match operator {
            Comparison::NotEqual => format!("({left_sql} IS NOT {right_sql}{collate})"),
            Comparison::Equal => format!("({left_sql} = {right_sql}{collate})"),
            Comparison::GreaterThan => format!("({left_sql} > {right_sql}{collate})"),
            Comparison::GreaterThanOrEqual => format!("({left_sql} >= {right_sql}{collate})"),
            Comparison::LessThan => format!("({left_sql} < {right_sql}{collate})"),
            Comparison::LessThanOrEqual => format!("({left_sql} <= {right_sql}{collate})"),
        }))
    }
}

fn argument(name: &str, text: &str) -> (String, Operand) {
    // Dates without a zone are the caller's.
    let text = match date_time(text) {
        Some(at) => time::date_time(at),
        None => text.trim().to_owned(),
    };
    (name.to_owned(), Operand::Literal(Literal::Text(text)))
}

fn unfit(condition: &Condition) -> ODataError {
    FetchError::condition(format!(
        "The operator '{}' with its values does not fit the attribute '{}'.",
        condition.operator, condition.attribute
    ))
}
