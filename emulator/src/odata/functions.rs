//! `Microsoft.Dynamics.CRM.*` query functions (reference §4.4).

use super::{ODataError, filter::Operand, sql::{Compiler, Sql}};

/// The condition a query function stands for.
pub(crate) fn compile(
    _compiler: &mut Compiler<'_>,
    name: &str,
    _arguments: &[(String, Operand)],
) -> Result<Sql, ODataError> {
    Err(ODataError::not_implemented(name))
}
