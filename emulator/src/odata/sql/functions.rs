//! `Microsoft.Dynamics.CRM.*` query functions (reference §4.4).

use std::fmt::Write as _;

use rusqlite::types::Value as SqlValue;
use uuid::Uuid;

use super::{
    Compiler, Reached,
    arguments::Arguments,
    collate,
    dates::{self, Span},
};
use crate::{
    odata::{
        Literal, Property,
        constant::constant,
        filter::{Comparison, Operand},
        fragment::{Sql, negated},
    },
    schema::{ColumnKind, Relationship, Table},
    store::Stored,
    time::{parse_date, parse_date_time},
    wire::ODataError,
};

/// The condition a query function stands for.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    name: &str,
    arguments: &[(String, Operand)],
) -> Result<Sql, ODataError> {
    let arguments = Arguments::resolve(compiler, name, arguments)?;
    let column = compiler.reach_named(&arguments.property)?;
    if let Some(span) = dates::span(name, &arguments, compiler.now)? {
        if !matches!(column.property.stored, Stored::Instant | Stored::Date) {
            return Err(arguments.unfit());
        }
        return Ok(within(&column, span));
    }
    match name {
        "In" | "NotIn" => {
            let among = among(&column, &arguments.list()?)?;
            Ok(if name == "In" { among } else { negated(among) })
        }
        "Between" | "NotBetween" => {
            let between = between(&column, &arguments.list()?)?;
            Ok(if name == "Between" {
                between
            } else {
                negated(between)
            })
        }
        "ContainValues" | "DoesNotContainValues" => {
            let ColumnKind::MultiSelectPicklist { .. } = column.property.column.kind else {
                return Err(arguments.unfit());
            };
            let contains = contains_choices(&column, &arguments.list()?);
            Ok(if name == "ContainValues" {
                contains
            } else {
                negated(contains)
            })
        }
        "EqualUserId" | "NotEqualUserId" => {
            let mine = ids(&column, &[compiler.caller.user]);
            Ok(if name == "EqualUserId" {
                mine
            } else {
                negated(mine)
            })
        }
        "EqualBusinessId" | "NotEqualBusinessId" => {
            let mine = ids(&column, &[compiler.caller.unit]);
            Ok(if name == "EqualBusinessId" {
                mine
            } else {
                negated(mine)
            })
        }
        "EqualUserTeams" => Ok(ids(&column, &compiler.caller.teams)),
        "EqualUserOrUserTeams" => {
            let mut principals = compiler.caller.teams.clone();
            principals.push(compiler.caller.user);
            Ok(ids(&column, &principals))
        }
        "EqualUserOrUserHierarchy" | "EqualUserOrUserHierarchyAndTeams" => {
            Ok(below_user(&column, compiler, name.ends_with("AndTeams")))
        }
        "EqualUserLanguage" => {
            if column.property.stored != Stored::Integer {
                return Err(arguments.unfit());
            }
            let sql = format!("({} = 1033)", column.sql.text);
            Ok(Sql::with(sql, column.sql.values))
        }
        "InFiscalPeriod" => Ok(Sql::with(
            format!(
                "((CAST(strftime('%m', {}, 'unixepoch') AS INTEGER) + 2) / 3 = ?)",
                column.sql.text
            ),
            [
                column.sql.values,
                vec![SqlValue::Integer(arguments.number("PropertyValue")?)],
            ]
            .concat(),
        )),
        "Above" | "AboveOrEqual" | "Under" | "UnderOrEqual" | "NotUnder" => {
            hierarchy(compiler, name, &column, arguments.guid("PropertyValue")?)
        }
        _ => Err(ODataError::syntax(format!(
            "An unknown function with name 'Microsoft.Dynamics.CRM.{name}' was found."
        ))),
    }
}

fn within(column: &Reached<'_>, (from, to): Span) -> Sql {
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for (operator, bound) in [(">=", from), ("<", to)] {
        if let Some(bound) = bound {
            parts.push(format!("{} {operator} ?", column.sql.text));
            values.extend(column.sql.values.iter().cloned());
            values.push(SqlValue::Integer(bound));
        }
    }
    Sql::with(format!("({})", parts.join(" AND ")), values)
}

/// A list's text as a constant of the column's type.
fn typed(property: &Property<'_>, text: &str) -> Result<SqlValue, ODataError> {
    let literal = match property.stored {
        Stored::Boolean => match text {
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            _ => Literal::Text(text.to_owned()),
        },
        Stored::Instant | Stored::Date => match (parse_date(text), parse_date_time(text)) {
            (Some(day), _) => Literal::Date(day),
            (_, Some(instant)) => Literal::DateTime(instant),
            _ => Literal::Text(text.to_owned()),
        },
        Stored::Text | Stored::Guid | Stored::Reference | Stored::TypedReference => {
            Literal::Text(text.to_owned())
        }
        Stored::Integer | Stored::Scaled(_) | Stored::Real if text.parse::<f64>().is_ok() => {
            Literal::Number(text.to_owned())
        }
        Stored::Integer | Stored::Scaled(_) | Stored::Real => Literal::Text(text.to_owned()),
    };
    constant(property, &literal, Comparison::Equal)
}

fn among(column: &Reached<'_>, values: &[String]) -> Result<Sql, ODataError> {
    let collate = collate(&column.property);
    let marks = vec!["?"; values.len()].join(", ");
    let mut sql = Sql::with(
        format!("({}{collate} IN ({marks}))", column.sql.text),
        column.sql.values.clone(),
    );
    for value in values {
        sql.values.push(typed(&column.property, value)?);
    }
    Ok(sql)
}

fn between(column: &Reached<'_>, values: &[String]) -> Result<Sql, ODataError> {
    let [from, to] = values else {
        return Err(ODataError::syntax("Between needs exactly two values."));
    };
    let collate = collate(&column.property);
    let mut sql = Sql::with(
        format!("({}{collate} BETWEEN ? AND ?)", column.sql.text),
        column.sql.values.clone(),
    );
    sql.values.push(typed(&column.property, from)?);
    sql.values.push(typed(&column.property, to)?);
    Ok(sql)
}

/// The column's choices, stored as `1,9`, include one of these.
fn contains_choices(column: &Reached<'_>, values: &[String]) -> Sql {
    let one = format!("instr(',' || {} || ',', ?) > 0", column.sql.text);
    let mut sql = Sql::new(format!("({})", vec![one; values.len().max(1)].join(" OR ")));
    for value in values {
        sql.values.extend(column.sql.values.iter().cloned());
        sql.values
            .push(SqlValue::Text(format!(",{},", value.trim())));
    }
    if values.is_empty() {
        return Sql::new("(0)");
    }
    sql
}

fn ids(column: &Reached<'_>, ids: &[Uuid]) -> Sql {
    let marks = vec!["?"; ids.len()].join(", ");
    let mut sql = Sql::with(
        format!("({} IN ({marks}))", column.sql.text),
        column.sql.values.clone(),
    );
    sql.values
        .extend(ids.iter().map(|id| SqlValue::Text(id.to_string())));
    sql
}

/// The caller, the users who report to the caller, and perhaps the caller's teams.
fn below_user(column: &Reached<'_>, compiler: &Compiler<'_>, with_teams: bool) -> Sql {
    let mut sql = Sql::with(
        format!(
            "({} IN (WITH RECURSIVE below(id) AS (SELECT ? UNION SELECT systemuserid FROM \
             systemuser JOIN below ON parentsystemuserid = below.id) SELECT id FROM below)",
            column.sql.text
        ),
        column.sql.values.clone(),
    );
    sql.values
        .push(SqlValue::Text(compiler.caller.user.to_string()));
    if with_teams {
        sql.text.push_str(" OR ");
        sql.push(ids(column, &compiler.caller.teams));
    }
    sql.text.push(')');
    sql
}

/// Rows above or below a row along the table's lookup to itself.
fn hierarchy(
    compiler: &Compiler<'_>,
    name: &str,
    column: &Reached<'_>,
    id: Uuid,
) -> Result<Sql, ODataError> {
    let table = compiler.table();
    let parent = parent_column(compiler, table).ok_or_else(|| {
        ODataError::bad_request(
            "0x80060888",
            format!("The table '{}' has no hierarchy.", table.logical_name),
        )
    })?;
    let (table, key) = (&table.logical_name, &table.primary_id);
    let tree = if name.starts_with("Above") {
        format!(
            "WITH RECURSIVE tree(id) AS (SELECT ? UNION SELECT \"{parent}\" FROM \"{table}\" JOIN \
             tree ON \"{key}\" = tree.id WHERE \"{parent}\" IS NOT NULL) SELECT id FROM tree"
        )
    } else {
        format!(
            "WITH RECURSIVE tree(id) AS (SELECT ? UNION SELECT \"{key}\" FROM \"{table}\" JOIN \
             tree ON \"{parent}\" = tree.id) SELECT id FROM tree"
        )
    };
    let mut values = column.sql.values.clone();
    values.push(SqlValue::Text(id.to_string()));
    let mut text = format!("({} IN ({tree})", column.sql.text);
    if !name.ends_with("OrEqual") {
        let _ = write!(text, " AND {} <> ?", column.sql.text);
        values.extend(column.sql.values.iter().cloned());
        values.push(SqlValue::Text(id.to_string()));
    }
    text.push(')');
    let sql = Sql::with(text, values);
    Ok(if name == "NotUnder" {
        negated(sql)
    } else {
        sql
    })
}

fn parent_column<'a>(compiler: &'a Compiler<'_>, table: &Table) -> Option<&'a str> {
    let hierarchical = |relationship: &'a Relationship| match relationship {
        Relationship::OneToMany {
            referenced_table,
            referencing_table,
            referencing_column,
            ..
        } if *referenced_table == table.logical_name
            && *referencing_table == table.logical_name
            && referencing_column.starts_with("parent") =>
        {
            Some(referencing_column.as_str())
        }
        _ => None,
    };
    compiler
        .model
        .schema
        .relationships()
        .iter()
        .find_map(hierarchical)
}
