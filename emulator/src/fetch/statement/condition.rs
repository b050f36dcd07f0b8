//! Filters turned into parameterised SQL.

use rusqlite::types::Value as SqlValue;

use super::{
    builder::{Builder, Scope},
    operator::Test,
    value::{date_time, reach, value},
};
use crate::{
    fetch::{
        FetchError,
        query::{Condition, Filter, Part},
    },
    odata::{
        Literal,
        filter::{Comparison, Operand},
        fragment::{Sql, negated},
        sql::{Compiler, Reached, collate, comparison, functions},
    },
    store::Stored,
    time,
    wire::ODataError,
};

impl<'a> Builder<'a> {
    /// A filter on rows of the scope; `None` if it is empty.
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
        let column = reach(
            &self.context,
            scope.table,
            &scope.alias,
            &condition.attribute,
        )?;
        let operator = &condition.operator;
        let test = Test::parse(operator).ok_or_else(|| {
            FetchError::not_xml(format!("'{operator}' is no operator of FetchXML."))
        })?;
        if let Some(other) = &condition.value_of {
            return self.compare_columns(scope, &column, test, other);
        }
        if !test.takes(condition.values.len()) {
            return Err(FetchError::condition(format!(
                "The operator '{operator}' of the condition on '{}' does not take {} values.",
                condition.attribute,
                condition.values.len()
            )));
        }
        let (sql, opposite) = match test {
            Test::Compare(comparing) => (self.compare(column, comparing, condition)?, false),
            Test::IsNull { negated } => {
                let is = if negated { "IS NOT" } else { "IS" };
                let sql = format!("({} {is} NULL)", column.sql.text);
                (Sql::new(sql), false)
            }
            Test::Like {
                before,
                after,
                negated,
            } => (like(&column, condition, before, after)?, negated),
            Test::Among { negated } => (self.in_list(&column, condition, "IN (", ", ")?, negated),
            Test::Between { negated } => {
                let sql = self.in_list(&column, condition, "BETWEEN (", ") AND (")?;
                (sql, negated)
            }
            Test::Choices { negated } => {
                let list = Literal::List(condition.values.clone());
                let argument = ("PropertyValues".to_owned(), Operand::Literal(list));
                let sql = self.function(scope, condition, "ContainValues", vec![argument])?;
                (sql, negated)
            }
            Test::Function {
                name,
                values,
                negated,
            } => {
                let names: &[&str] = match values {
                    0 => &[],
                    1 => &["PropertyValue"],
                    _ => &["PropertyValue1", "PropertyValue2"],
                };
                let arguments = names.iter().zip(&condition.values);
                let arguments = arguments.map(|(name, text)| argument(name, text)).collect();
                (self.function(scope, condition, name, arguments)?, negated)
            }
        };
        Ok(if opposite { negated(sql) } else { sql })
    }

    /// The condition's values as the column would hold them.
    fn typed(
        &self,
        column: &Reached<'_>,
        condition: &Condition,
    ) -> Result<Vec<SqlValue>, ODataError> {
        let typed = |text: &String| value(self.context.model, &column.property, text);
        condition.values.iter().map(typed).collect()
    }

    fn compare(
        &self,
        column: Reached<'_>,
        comparing: Comparison,
        condition: &Condition,
    ) -> Result<Sql, ODataError> {
        let value = self.typed(&column, condition)?.pop();
        let value = value.ok_or_else(|| unfit(condition))?;
        Ok(comparison(column.sql, &column.property, comparing, value))
    }

    /// `column {open}?{between}?{between}?)`.
    fn in_list(
        &self,
        column: &Reached<'_>,
        condition: &Condition,
        open: &str,
        between: &str,
    ) -> Result<Sql, ODataError> {
        let values = self.typed(column, condition)?;
        let marks = vec!["?"; values.len()].join(between);
        let collate = collate(&column.property);
        let text = format!("({}{collate} {open}{marks}))", column.sql.text);
        Ok(Sql::with(text, values))
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
        let right = reach(&self.context, scope.table, &scope.alias, name)?;
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

fn like(
    column: &Reached<'_>,
    condition: &Condition,
    before: bool,
    after: bool,
) -> Result<Sql, ODataError> {
    if column.property.stored != Stored::Text {
        return Err(unfit(condition));
    }
    let mark = |wanted: bool| if wanted { "%" } else { "" };
    let text = condition.values.first().map_or("", String::as_str);
    let pattern = format!("{}{text}{}", mark(before), mark(after));
    Ok(Sql::with(
        format!("dv_like({}, ?)", column.sql.text),
        vec![SqlValue::Text(pattern)],
    ))
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
