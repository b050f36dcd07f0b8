//! The parameters of functions and actions.

use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    api::{
        Call,
        access::row_exists,
        key::parse_id,
        payload::{Members, payload_error},
    },
    odata::{
        Literal,
        filter::{Operand, parse_arguments},
    },
    schema::Table,
    wire::ODataError,
};

impl Call<'_> {
    /// The value of a named parameter of a function.
    pub(in crate::api) fn argument(
        &self,
        arguments: &str,
        name: &str,
    ) -> Result<Operand, ODataError> {
        let found = parse_arguments(arguments)?
            .into_iter()
            .find(|(known, _)| known == name);
        match found {
            Some((_, Operand::Alias(alias))) => self.options.alias(&alias),
            Some((_, operand)) => Ok(operand),
            None => Err(ODataError::unknown_segment(&self.request.path)),
        }
    }

    pub(in crate::api) fn guid_argument(
        &self,
        arguments: &str,
        name: &str,
    ) -> Result<Uuid, ODataError> {
        match self.argument(arguments, name)? {
            Operand::Literal(Literal::Guid(id)) => Ok(id),
            _ => Err(wrong_argument(name, "a GUID")),
        }
    }

    pub(in crate::api) fn text_argument(
        &self,
        arguments: &str,
        name: &str,
    ) -> Result<String, ODataError> {
        match self.argument(arguments, name)? {
            Operand::Literal(Literal::Text(text)) => Ok(text),
            _ => Err(wrong_argument(name, "a quoted text")),
        }
    }

    pub(in crate::api) fn list_argument(
        &self,
        arguments: &str,
        name: &str,
    ) -> Result<Vec<String>, ODataError> {
        match self.argument(arguments, name)? {
            Operand::Literal(Literal::List(texts)) => Ok(texts),
            _ => Err(wrong_argument(name, "a list of texts")),
        }
    }

    /// A row given to a function by alias: `Target=@t&@t={'@odata.id':'accounts(…)'}`.
    pub(in crate::api) fn row_argument(
        &self,
        connection: &Connection,
        arguments: &str,
        name: &str,
    ) -> Result<(&Table, Uuid), ODataError> {
        let json = self
            .aliased(arguments, name)?
            .ok_or_else(|| ODataError::syntax(format!("The parameter '{name}' has no value.")))?;
        self.row_of(connection, &Members::parse(json.as_bytes(), name)?, None)
    }

    /// The JSON of a function's parameter that is given by alias; `None` if it is absent.
    pub(in crate::api) fn aliased(
        &self,
        arguments: &str,
        name: &str,
    ) -> Result<Option<String>, ODataError> {
        let found = parse_arguments(arguments)?
            .into_iter()
            .find(|(known, _)| known == name);
        let alias = match found {
            None => return Ok(None),
            Some((_, Operand::Alias(alias))) => alias,
            Some(_) => {
                return Err(ODataError::syntax(format!(
                    "The parameter '{name}' must be given by an alias, such as {name}=@p1."
                )));
            }
        };
        let text = self.options.aliases.get(&alias);
        // The service takes single quotes in addresses too.
        Ok(text.map(|text| {
            if text.contains('"') {
                text.clone()
            } else {
                text.replace('\'', "\"")
            }
        }))
    }

    /// A row given to an action, as an object in a member of its body.
    pub(in crate::api) fn row_member(
        &self,
        connection: &Connection,
        body: &Members,
        name: &str,
    ) -> Result<(&Table, Uuid), ODataError> {
        let raw = body
            .get(name)
            .ok_or_else(|| payload_error(name, &format!("The body has no '{name}'.")))?;
        let members = Members::parse(raw.get().as_bytes(), name)?;
        self.row_of(connection, &members, None)
    }

    /// The row of an object: by `@odata.id`, or by type and key.
    pub(in crate::api) fn row_of(
        &self,
        connection: &Connection,
        members: &Members,
        expected: Option<&str>,
    ) -> Result<(&Table, Uuid), ODataError> {
        if let Some(address) = members.text("@odata.id") {
            return self.resolve_reference(connection, &address);
        }
        let named = members.text("@odata.type");
        let kind = named
            .as_deref()
            .and_then(|name| {
                let name = name.trim_start_matches('#');
                name.strip_prefix("Microsoft.Dynamics.CRM.")
            })
            .or(expected)
            .ok_or_else(|| {
                payload_error("crmbaseentity", "A row needs '@odata.type' or '@odata.id'.")
            })?;
        let table = self.model().table(kind)?;
        let id = [table.primary_id.as_str(), "ownerid"]
            .into_iter()
            .find_map(|key| parse_id(&members.text(key)?))
            .ok_or_else(|| {
                let key = &table.primary_id;
                payload_error(kind, &format!("The key '{key}' is missing or no GUID."))
            })?;
        if !row_exists(connection, table, id)? {
            return Err(ODataError::no_row(kind, id));
        }
        Ok((table, id))
    }
}

fn wrong_argument(name: &str, expected: &str) -> ODataError {
    ODataError::syntax(format!("The parameter '{name}' must be {expected}."))
}
