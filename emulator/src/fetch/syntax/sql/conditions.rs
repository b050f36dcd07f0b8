//! The condition of a statement as a filter.

use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};

use super::{column::column, refused};
use crate::{
    fetch::query::{Condition, Filter, Part},
    wire::ODataError,
};

/// The filter of a condition; `root` is the name of the first table, whose qualifier is dropped.
///
/// Recursion ends with the parentheses, of which the parser limits the depth.
pub(super) fn filter(condition: Expr, root: &str) -> Result<Filter, ODataError> {
    let (any, operands) = match condition {
        Expr::BinaryOp {
            op: BinaryOperator::Or,
            ..
        } => (true, operands(condition, &BinaryOperator::Or)),
        other => (false, operands(other, &BinaryOperator::And)),
    };
    let parts = operands.into_iter().map(|operand| part(operand, root));
    Ok(Filter {
        any,
        parts: parts.collect::<Result<_, _>>()?,
    })
}

/// The operands of a chain such as `a AND b AND c`, however long it is.
fn operands(chain: Expr, operator: &BinaryOperator) -> Vec<Expr> {
    let mut operands = Vec::new();
    let mut rest = chain;
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == *operator => {
                operands.push(*right);
                rest = *left;
            }
            first => {
                operands.push(first);
                break;
            }
        }
    }
    operands.reverse();
    operands
}

fn part(expression: Expr, root: &str) -> Result<Part, ODataError> {
    let (tested, operator, values) = match expression {
        Expr::Nested(inner) => return Ok(Part::Filter(filter(*inner, root)?)),
        Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or,
            ..
        } => return Ok(Part::Filter(filter(expression, root)?)),
        Expr::BinaryOp { left, op, right } => (left, comparison(&op)?, vec![value(*right)?]),
        Expr::IsNull(tested) => (tested, "null", Vec::new()),
        Expr::IsNotNull(tested) => (tested, "not-null", Vec::new()),
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => {
            let operator = if negated { "not-like" } else { "like" };
            (expr, operator, vec![value(*pattern)?])
        }
        Expr::In {
            expr,
            target: InTarget::List(list),
            negated,
            global: false,
        } => {
            let values = list.into_iter().map(value).collect::<Result<_, _>>()?;
            (expr, if negated { "not-in" } else { "in" }, values)
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let operator = if negated { "not-between" } else { "between" };
            (expr, operator, vec![value(*low)?, value(*high)?])
        }
        other => return Err(refused(&format!("The condition '{other}'"))),
    };
    let column = column(*tested)?;
    Ok(Part::Condition(Condition {
        attribute: column.name,
        entity: column.qualifier.filter(|name| name != root),
        operator: operator.to_owned(),
        values,
        value_of: None,
    }))
}

/// A comparison in the words of `FetchXML`.
fn comparison(operator: &BinaryOperator) -> Result<&'static str, ODataError> {
    match operator {
        BinaryOperator::Eq => Ok("eq"),
        BinaryOperator::NotEq => Ok("ne"),
        BinaryOperator::Lt => Ok("lt"),
        BinaryOperator::LtEq => Ok("le"),
        BinaryOperator::Gt => Ok("gt"),
        BinaryOperator::GtEq => Ok("ge"),
        other => Err(refused(&format!("The operator '{other}'"))),
    }
}

fn value(expression: Expr) -> Result<String, ODataError> {
    match expression {
        Expr::Value(literal) => match literal.value {
            Value::Number(text, false) | Value::SingleQuotedString(text) => Ok(text),
            other => Err(refused(&format!("The value '{other}'"))),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match *expr {
            Expr::Value(literal) => match literal.value {
                Value::Number(text, false) => Ok(format!("-{text}")),
                other => Err(refused(&format!("The value '-{other}'"))),
            },
            other => Err(refused(&format!("The value '-{other}'"))),
        },
        other => Err(refused(&format!("The value '{other}'"))),
    }
}
