//! `Microsoft.Dynamics.CRM.*` query functions (reference §4.4). Relative dates are those of a
//! user in UTC; the fiscal year is the calendar year, in quarters.

use rusqlite::types::Value as SqlValue;
use uuid::Uuid;

use super::{
    Literal, ODataError, Property,
    filter::{Comparison, Operand},
    sql::{Compiler, Reached, Sql, collate, constant, negated},
};
use crate::{
    schema::{Relationship, Table},
    store::Stored,
    time::{Civil, parse_date, parse_date_time},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A stretch of time, from the first second up to but not including the last; open where `None`.
type Span = (Option<i64>, Option<i64>);

/// The condition a query function stands for.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    name: &str,
    arguments: &[(String, Operand)],
) -> Result<Sql, ODataError> {
    let arguments = Arguments::resolve(compiler, name, arguments)?;
    let column = compiler.reach_named(&arguments.property)?;
    if let Some(span) = span(name, &arguments, compiler.now)? {
        if !matches!(column.property.stored, Stored::Instant | Stored::Date) {
            return Err(arguments.unfit());
        }
        return Ok(within(column, span));
    }
    match name {
        "In" | "NotIn" => {
            let among = among(&column, &arguments.list()?)?;
            Ok(if name == "In" { among } else { negated(among) })
        }
        "Between" | "NotBetween" => {
            let between = between(&column, &arguments.list()?)?;
            Ok(if name == "Between" { between } else { negated(between) })
        }
        "ContainValues" | "DoesNotContainValues" => {
            let contains = contains_choices(&column, &arguments.list()?);
            Ok(if name == "ContainValues" { contains } else { negated(contains) })
        }
        "EqualUserId" | "NotEqualUserId" => {
            let mine = ids(&column, &[compiler.caller.user]);
            Ok(if name == "EqualUserId" { mine } else { negated(mine) })
        }
        "EqualBusinessId" | "NotEqualBusinessId" => {
            let mine = ids(&column, &[compiler.caller.unit]);
            Ok(if name == "EqualBusinessId" { mine } else { negated(mine) })
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
            let sql = format!("({} = 1033)", column.sql.text);
            Ok(Sql::with(sql, column.sql.values))
        }
        "InFiscalPeriod" => Ok(Sql::with(
            format!(
                "((CAST(strftime('%m', {}, 'unixepoch') AS INTEGER) + 2) / 3 = ?)",
                column.sql.text
            ),
            [column.sql.values, vec![SqlValue::Integer(arguments.number("PropertyValue")?)]]
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

/// The arguments of a call, with aliases replaced.
struct Arguments {
    function: String,
    property: Vec<String>,
    values: Vec<(String, Literal)>,
}

impl Arguments {
    fn resolve(
        compiler: &Compiler<'_>,
        function: &str,
        arguments: &[(String, Operand)],
    ) -> Result<Self, ODataError> {
        let mut property = None;
        let mut values = Vec::new();
        for (name, operand) in arguments {
            match (name.as_str(), compiler.resolve(operand)?) {
                ("PropertyName", Operand::Literal(Literal::Text(text))) => {
                    property = Some(text.split('/').map(str::to_owned).collect());
                }
                (_, Operand::Literal(literal)) => values.push((name.clone(), literal)),
                _ => {
                    return Err(ODataError::syntax(format!(
                        "The argument '{name}' of 'Microsoft.Dynamics.CRM.{function}' must be a \
                         constant."
                    )));
                }
            }
        }
        let property = property.ok_or_else(|| missing(function, "PropertyName"))?;
        Ok(Self { function: function.to_owned(), property, values })
    }

    fn get(&self, name: &str) -> Result<&Literal, ODataError> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, literal)| literal).ok_or_else(|| missing(&self.function, name))
    }

    fn number(&self, name: &str) -> Result<i64, ODataError> {
        match self.get(name)? {
            Literal::Number(text) | Literal::Text(text) => text.parse().map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    /// A positive count, not beyond what dates can be moved by.
    fn count(&self) -> Result<i64, ODataError> {
        let count = self.number("PropertyValue")?;
        if (1..=10_000_000).contains(&count) { Ok(count) } else { Err(self.unfit()) }
    }

    fn day(&self) -> Result<i64, ODataError> {
        let seconds = match self.get("PropertyValue")? {
            Literal::Date(at) | Literal::DateTime(at) => Some(*at),
            Literal::Text(text) => parse_date(text).or_else(|| parse_date_time(text)),
            _ => None,
        };
        seconds.map(|at| at - at.rem_euclid(DAY)).ok_or_else(|| self.unfit())
    }

    fn guid(&self, name: &str) -> Result<Uuid, ODataError> {
        match self.get(name)? {
            Literal::Guid(id) => Ok(*id),
            Literal::Text(text) => Uuid::try_parse(text).map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    fn list(&self) -> Result<Vec<String>, ODataError> {
        match self.get("PropertyValues")? {
            Literal::List(values) => Ok(values.clone()),
            _ => Err(self.unfit()),
        }
    }

    fn unfit(&self) -> ODataError {
        ODataError::syntax(format!(
            "The arguments of 'Microsoft.Dynamics.CRM.{}' do not fit it.",
            self.function
        ))
    }
}

fn missing(function: &str, argument: &str) -> ODataError {
    ODataError::syntax(format!(
        "The function 'Microsoft.Dynamics.CRM.{function}' needs the argument '{argument}'."
    ))
}

/// The stretch of time a date function stands for; `None` if the function is about something
/// else.
fn span(name: &str, arguments: &Arguments, now: i64) -> Result<Option<Span>, ODataError> {
    let civil = Civil::from_unix(now);
    let midnight = civil.midnight();
    let today = midnight.to_unix();
    let sunday = today - midnight.weekday() * DAY;
    let month = Civil { day: 1, ..midnight };
    let year = Civil { month: 1, ..month };
    let quarter = Civil { month: (civil.month - 1) / 3 * 3 + 1, ..month };
    let between = |from: i64, to: i64| Some((Some(from), Some(to)));
    let months = |from: Civil, first: i64, count: i64| {
        between(from.plus_months(first).to_unix(), from.plus_months(first + count).to_unix())
    };
    let found = match name {
        "Today" => between(today, today + DAY),
        "Yesterday" => between(today - DAY, today),
        "Tomorrow" => between(today + DAY, today + 2 * DAY),
        "Last7Days" => between(today - 7 * DAY, now + 1),
        "Next7Days" => between(now, today + 8 * DAY),
        "LastWeek" => between(sunday - 7 * DAY, sunday),
        "ThisWeek" => between(sunday, sunday + 7 * DAY),
        "NextWeek" => between(sunday + 7 * DAY, sunday + 14 * DAY),
        "LastMonth" => months(month, -1, 1),
        "ThisMonth" => months(month, 0, 1),
        "NextMonth" => months(month, 1, 1),
        "LastYear" | "LastFiscalYear" => months(year, -12, 12),
        "ThisYear" | "ThisFiscalYear" => months(year, 0, 12),
        "NextYear" | "NextFiscalYear" => months(year, 12, 12),
        "LastFiscalPeriod" => months(quarter, -3, 3),
        "ThisFiscalPeriod" => months(quarter, 0, 3),
        "NextFiscalPeriod" => months(quarter, 3, 3),
        "On" => {
            let day = arguments.day()?;
            between(day, day + DAY)
        }
        "OnOrAfter" => Some((Some(arguments.day()?), None)),
        "OnOrBefore" => Some((None, Some(arguments.day()? + DAY))),
        "InFiscalYear" => {
            months(Civil { year: arguments.number("PropertyValue")?, ..year }, 0, 12)
        }
        "InFiscalPeriodAndYear" | "InOrAfterFiscalPeriodAndYear"
        | "InOrBeforeFiscalPeriodAndYear" => {
            let period = arguments.number("PropertyValue1")?;
            if !(1..=4).contains(&period) {
                return Err(arguments.unfit());
            }
            let year = Civil { year: arguments.number("PropertyValue2")?, ..year };
            let (from, to) = months(year, (period - 1) * 3, 3).unwrap_or_default();
            match name {
                "InFiscalPeriodAndYear" => Some((from, to)),
                "InOrAfterFiscalPeriodAndYear" => Some((from, None)),
                _ => Some((None, to)),
            }
        }
        _ => return relative(name, arguments, now, midnight, year, quarter),
    };
    Ok(found)
}

/// `LastX…`, `NextX…` and `OlderThanX…`.
fn relative(
    name: &str,
    arguments: &Arguments,
    now: i64,
    midnight: Civil,
    year: Civil,
    quarter: Civil,
) -> Result<Option<Span>, ODataError> {
    let today = midnight.to_unix();
    let Some((past, unit)) = name
        .strip_prefix("LastX")
        .map(|unit| (true, unit))
        .or_else(|| name.strip_prefix("NextX").map(|unit| (false, unit)))
    else {
        return older(name, arguments, now, midnight);
    };
    let count = arguments.count()?;
    let ago = match unit {
        "Hours" => (now - now.rem_euclid(HOUR) - count * HOUR, now + count * HOUR),
        "Days" => (today - count * DAY, today + (count + 1) * DAY),
        "Weeks" => (today - 7 * count * DAY, today + (7 * count + 1) * DAY),
        "Months" | "Years" => {
            let months = if unit == "Months" { count } else { 12 * count };
            let later = midnight.plus_months(months).to_unix() + DAY;
            (midnight.plus_months(-months).to_unix(), later)
        }
        "FiscalYears" => {
            let span = (year.plus_months(-12 * count).to_unix(), year.to_unix());
            let next = (year.plus_months(12), year.plus_months(12 * (count + 1)));
            let next = (next.0.to_unix(), next.1.to_unix());
            return Ok(Some(closed(if past { span } else { next })));
        }
        "FiscalPeriods" => {
            let span = (quarter.plus_months(-3 * count).to_unix(), quarter.to_unix());
            let next = (quarter.plus_months(3), quarter.plus_months(3 * (count + 1)));
            let next = (next.0.to_unix(), next.1.to_unix());
            return Ok(Some(closed(if past { span } else { next })));
        }
        _ => return Ok(None),
    };
    Ok(Some(closed(if past { (ago.0, now + 1) } else { (now, ago.1) })))
}

fn older(
    name: &str,
    arguments: &Arguments,
    now: i64,
    midnight: Civil,
) -> Result<Option<Span>, ODataError> {
    let Some(unit) = name.strip_prefix("OlderThanX") else {
        return Ok(None);
    };
    let today = midnight.to_unix();
    let count = arguments.count()?;
    let before = match unit {
        "Minutes" => now - count * MINUTE,
        "Hours" => now - count * HOUR,
        "Days" => today - count * DAY,
        "Weeks" => today - 7 * count * DAY,
        "Months" => midnight.plus_months(-count).to_unix(),
        "Years" => midnight.plus_months(-12 * count).to_unix(),
        _ => return Ok(None),
    };
    Ok(Some((None, Some(before))))
}

fn closed((from, to): (i64, i64)) -> Span {
    (Some(from), Some(to))
}

fn within(column: Reached<'_>, (from, to): Span) -> Sql {
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
        Stored::Text => Literal::Text(text.to_owned()),
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
        Stored::Guid | Stored::Reference | Stored::TypedReference => Literal::Text(text.to_owned()),
        Stored::Integer | Stored::Scaled(_) | Stored::Real => Literal::Number(text.to_owned()),
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
        sql.values.push(SqlValue::Text(format!(",{},", value.trim())));
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
    sql.values.extend(ids.iter().map(|id| SqlValue::Text(id.to_string())));
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
    sql.values.push(SqlValue::Text(compiler.caller.user.to_string()));
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
        text.push_str(&format!(" AND {} <> ?", column.sql.text));
        values.extend(column.sql.values.iter().cloned());
        values.push(SqlValue::Text(id.to_string()));
    }
    text.push(')');
    let sql = Sql::with(text, values);
    Ok(if name == "NotUnder" { negated(sql) } else { sql })
}

fn parent_column<'a>(compiler: &'a Compiler<'_>, table: &Table) -> Option<&'a str> {
    let hierarchical = |relationship: &'a Relationship| match relationship {
        Relationship::OneToMany { referenced_table, referencing_table, referencing_column, .. }
            if *referenced_table == table.logical_name
                && *referencing_table == table.logical_name
                && referencing_column.starts_with("parent") =>
        {
            Some(referencing_column.as_str())
        }
        _ => None,
    };
    compiler.model.schema.relationships().iter().find_map(hierarchical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::date_time;

    /// 2024-02-29 is a Thursday.
    fn span_of(name: &str, value: Option<&str>) -> (String, String) {
        let arguments = Arguments {
            function: name.to_owned(),
            property: vec!["createdon".to_owned()],
            values: value
                .map(|value| ("PropertyValue".to_owned(), Literal::Number(value.to_owned())))
                .into_iter()
                .collect(),
        };
        let now = parse_date_time("2024-02-29T10:30:00Z").unwrap();
        let (from, to) = span(name, &arguments, now).unwrap().unwrap();
        let show = |at: Option<i64>| at.map(date_time).unwrap_or_default();
        (show(from), show(to))
    }

    #[test]
    fn relative_dates_begin_and_end_at_midnight() {
        let expect = |name, value, from: &str, to: &str| {
            assert_eq!(span_of(name, value), (from.to_owned(), to.to_owned()), "{name}");
        };
        expect("Today", None, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z");
        expect("LastWeek", None, "2024-02-18T00:00:00Z", "2024-02-25T00:00:00Z");
        expect("LastMonth", None, "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
        expect("LastXDays", Some("7"), "2024-02-22T00:00:00Z", "2024-02-29T10:30:01Z");
        expect("LastXYears", Some("1"), "2023-02-28T00:00:00Z", "2024-02-29T10:30:01Z");
        expect("NextXHours", Some("2"), "2024-02-29T10:30:00Z", "2024-02-29T12:30:00Z");
        expect("OlderThanXMonths", Some("1"), "", "2024-01-29T00:00:00Z");
        expect("ThisFiscalPeriod", None, "2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z");
        expect("LastXFiscalYears", Some("2"), "2022-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
    }
}
