//! The operators of conditions.

use crate::odata::filter::Comparison;

/// The test of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Compare(Comparison),
    IsNull {
        negated: bool,
    },
    /// A pattern of SQL Server, with wildcards put around it.
    Like {
        before: bool,
        after: bool,
        negated: bool,
    },
    Among {
        negated: bool,
    },
    Between {
        negated: bool,
    },
    /// Several choices include one of these, or none of them.
    Choices {
        negated: bool,
    },
    /// The test of an OData query function with this number of values.
    Function {
        name: &'static str,
        values: usize,
        negated: bool,
    },
}

impl Test {
    /// The meaning of an operator; `None` if there is no such operator.
    pub(super) fn parse(operator: &str) -> Option<Self> {
        let like = |before, after, negated| Self::Like {
            before,
            after,
            negated,
        };
        Some(match operator {
            "eq" => Self::Compare(Comparison::Equal),
            "ne" | "neq" => Self::Compare(Comparison::NotEqual),
            "gt" => Self::Compare(Comparison::GreaterThan),
            "ge" => Self::Compare(Comparison::GreaterThanOrEqual),
            "lt" => Self::Compare(Comparison::LessThan),
            "le" => Self::Compare(Comparison::LessThanOrEqual),
            "null" => Self::IsNull { negated: false },
            "not-null" => Self::IsNull { negated: true },
            "like" => like(false, false, false),
            "not-like" => like(false, false, true),
            "begins-with" => like(false, true, false),
            "not-begin-with" => like(false, true, true),
            "ends-with" => like(true, false, false),
            "not-end-with" => like(true, false, true),
            "in" => Self::Among { negated: false },
            "not-in" => Self::Among { negated: true },
            "between" => Self::Between { negated: false },
            "not-between" => Self::Between { negated: true },
            "contain-values" => Self::Choices { negated: false },
            "not-contain-values" => Self::Choices { negated: true },
            other => {
                let (_, name, values) = FUNCTIONS
                    .into_iter()
                    .find(|(operator, ..)| *operator == other)?;
                Self::Function {
                    name,
                    values,
                    negated: other == "not-on",
                }
            }
        })
    }
}

impl Test {
    /// Whether the operator takes this number of values. Some clients write a value where none is
    /// needed.
    pub(super) fn takes(self, count: usize) -> bool {
        match self {
            Self::Compare(_) | Self::Like { .. } => count == 1,
            Self::IsNull { .. } | Self::Function { values: 0, .. } => true,
            Self::Among { .. } | Self::Choices { .. } => count > 0,
            Self::Between { .. } => count == 2,
            Self::Function { values, .. } => count == values,
        }
    }
}

/// Operators that say the same as a query function, with the number of values they take.
const FUNCTIONS: [(&str, &str, usize); 63] = [
    ("eq-userid", "EqualUserId", 0),
    ("ne-userid", "NotEqualUserId", 0),
    ("eq-userteams", "EqualUserTeams", 0),
    ("eq-useroruserteams", "EqualUserOrUserTeams", 0),
    ("eq-useroruserhierarchy", "EqualUserOrUserHierarchy", 0),
    (
        "eq-useroruserhierarchyandteams",
        "EqualUserOrUserHierarchyAndTeams",
        0,
    ),
    ("eq-businessid", "EqualBusinessId", 0),
    ("ne-businessid", "NotEqualBusinessId", 0),
    ("eq-userlanguage", "EqualUserLanguage", 0),
    ("above", "Above", 1),
    ("eq-or-above", "AboveOrEqual", 1),
    ("under", "Under", 1),
    ("eq-or-under", "UnderOrEqual", 1),
    ("not-under", "NotUnder", 1),
    ("on", "On", 1),
    ("not-on", "On", 1),
    ("on-or-before", "OnOrBefore", 1),
    ("on-or-after", "OnOrAfter", 1),
    ("yesterday", "Yesterday", 0),
    ("today", "Today", 0),
    ("tomorrow", "Tomorrow", 0),
    ("last-seven-days", "Last7Days", 0),
    ("next-seven-days", "Next7Days", 0),
    ("last-week", "LastWeek", 0),
    ("this-week", "ThisWeek", 0),
    ("next-week", "NextWeek", 0),
    ("last-month", "LastMonth", 0),
    ("this-month", "ThisMonth", 0),
    ("next-month", "NextMonth", 0),
    ("last-year", "LastYear", 0),
    ("this-year", "ThisYear", 0),
    ("next-year", "NextYear", 0),
    ("last-x-hours", "LastXHours", 1),
    ("next-x-hours", "NextXHours", 1),
    ("last-x-days", "LastXDays", 1),
    ("next-x-days", "NextXDays", 1),
    ("last-x-weeks", "LastXWeeks", 1),
    ("next-x-weeks", "NextXWeeks", 1),
    ("last-x-months", "LastXMonths", 1),
    ("next-x-months", "NextXMonths", 1),
    ("last-x-years", "LastXYears", 1),
    ("next-x-years", "NextXYears", 1),
    ("olderthan-x-minutes", "OlderThanXMinutes", 1),
    ("olderthan-x-hours", "OlderThanXHours", 1),
    ("olderthan-x-days", "OlderThanXDays", 1),
    ("olderthan-x-weeks", "OlderThanXWeeks", 1),
    ("olderthan-x-months", "OlderThanXMonths", 1),
    ("olderthan-x-years", "OlderThanXYears", 1),
    ("last-fiscal-year", "LastFiscalYear", 0),
    ("this-fiscal-year", "ThisFiscalYear", 0),
    ("next-fiscal-year", "NextFiscalYear", 0),
    ("last-fiscal-period", "LastFiscalPeriod", 0),
    ("this-fiscal-period", "ThisFiscalPeriod", 0),
    ("next-fiscal-period", "NextFiscalPeriod", 0),
    ("last-x-fiscal-years", "LastXFiscalYears", 1),
    ("next-x-fiscal-years", "NextXFiscalYears", 1),
    ("last-x-fiscal-periods", "LastXFiscalPeriods", 1),
    ("next-x-fiscal-periods", "NextXFiscalPeriods", 1),
    ("in-fiscal-year", "InFiscalYear", 1),
    ("in-fiscal-period", "InFiscalPeriod", 1),
    ("in-fiscal-period-and-year", "InFiscalPeriodAndYear", 2),
    (
        "in-or-before-fiscal-period-and-year",
        "InOrBeforeFiscalPeriodAndYear",
        2,
    ),
    (
        "in-or-after-fiscal-period-and-year",
        "InOrAfterFiscalPeriodAndYear",
        2,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_one_meaning_each() {
        for (at, (operator, ..)) in FUNCTIONS.iter().enumerate() {
            let twice = FUNCTIONS
                .iter()
                .skip(at + 1)
                .any(|(other, ..)| other == operator);
            assert!(!twice, "{operator}");
        }
        assert_eq!(
            Test::parse("not-on"),
            Some(Test::Function {
                name: "On",
                values: 1,
                negated: true
            })
        );
        assert_eq!(Test::parse("contains"), None);
    }
}
