//! The arguments of query functions.

use uuid::Uuid;

use super::Compiler;
use crate::{
    odata::{Literal, filter::Operand},
    time::{DAY, parse_date, parse_date_time},
    wire::ODataError,
};

/// The arguments of a call, with aliases replaced.
pub(super) struct Arguments {
    pub(super) function: String,
    pub(super) property: Vec<String>,
    pub(super) values: Vec<(String, Literal)>,
}

impl Arguments {
    pub(super) fn resolve(
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
                (
                    "PropertyValue" | "PropertyValues" | "PropertyValue1" | "PropertyValue2",
                    Operand::Literal(literal),
                ) => values.push((name.clone(), literal)),
                (_, Operand::Literal(_)) => {
                    return Err(ODataError::syntax(format!(
                        "The function 'Microsoft.Dynamics.CRM.{function}' has no argument '{name}'."
                    )));
                }
                _ => {
                    return Err(ODataError::syntax(format!(
                        "The argument '{name}' of 'Microsoft.Dynamics.CRM.{function}' must be a \
                         constant."
                    )));
                }
            }
        }
        let property = property.ok_or_else(|| missing(function, "PropertyName"))?;
        Ok(Self {
            function: function.to_owned(),
            property,
            values,
        })
    }

    fn get(&self, name: &str) -> Result<&Literal, ODataError> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found
            .map(|(_, literal)| literal)
            .ok_or_else(|| missing(&self.function, name))
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, ODataError> {
        match self.get(name)? {
            Literal::Number(text) | Literal::Text(text) => text.parse().map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    /// A positive count, not beyond what dates can be moved by.
    pub(super) fn count(&self) -> Result<i64, ODataError> {
        let count = self.number("PropertyValue")?;
        if (1..=10_000_000).contains(&count) {
            Ok(count)
        } else {
            Err(self.unfit())
        }
    }

    pub(super) fn day(&self) -> Result<i64, ODataError> {
        let seconds = match self.get("PropertyValue")? {
            Literal::Date(at) | Literal::DateTime(at) => Some(*at),
            Literal::Text(text) => parse_date(text).or_else(|| parse_date_time(text)),
            _ => None,
        };
        seconds
            .map(|at| at - at.rem_euclid(DAY))
            .ok_or_else(|| self.unfit())
    }

    pub(super) fn guid(&self, name: &str) -> Result<Uuid, ODataError> {
        match self.get(name)? {
            Literal::Guid(id) => Ok(*id),
            Literal::Text(text) => Uuid::try_parse(text).map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<String>, ODataError> {
        match self.get("PropertyValues")? {
            Literal::List(values) => Ok(values.clone()),
            _ => Err(self.unfit()),
        }
    }

    pub(super) fn unfit(&self) -> ODataError {
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
