//! The forms in which queries arrive: XML, `QueryExpression`, `$apply` and SQL.

mod apply;
mod element;
mod expression;
mod sql;
mod xml;

pub(crate) use self::apply::Apply;
