//! A column to be created, and how it is passed to the connector.

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, StoreContextMut};

use crate::bindings::Connector;
use crate::bindings::exports::integration::connector::catalog::{NewType, Requirement};

/// A column to be created.
///
/// ```
/// use dataverse_host::contract::{NewColumn, NewType};
///
/// let score = NewColumn::new("score", "Score", NewType::Decimal(2)).with_solution("Sales");
/// assert_eq!(score.solution.as_deref(), Some("Sales"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewColumn {
    /// With the publisher's prefix, or without: then the connector adds it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it holds.
    pub new_type: NewType,
    /// For people: what the column is for.
    pub description: Option<String>,
    /// Whether people must fill it in.
    pub requirement: Requirement,
    /// The solution it belongs to, by its unique name; the default solution if there is none.
    pub solution: Option<String>,
}

impl NewColumn {
    /// An optional column of the default solution, without a description.
    pub fn new(name: impl Into<String>, title: impl Into<String>, new_type: NewType) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            new_type,
            description: None,
            requirement: Requirement::Optional,
            solution: None,
        }
    }

    /// Adds a description for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Whether people must fill it in.
    #[must_use]
    pub fn with_requirement(mut self, requirement: Requirement) -> Self {
        self.requirement = requirement;
        self
    }

    /// Puts the column into the solution of this unique name.
    #[must_use]
    pub fn with_solution(mut self, solution: impl Into<String>) -> Self {
        self.solution = Some(solution.into());
        self
    }

    /// The same as a resource in an instance. Only options that differ from their default are
    /// set.
    pub(crate) async fn to_resource<T: Send>(
        &self,
        connector: &Connector,
        store: &mut StoreContextMut<'_, T>,
    ) -> wasmtime::Result<ResourceAny> {
        let mut store = store.as_context_mut();
        let guest = connector.integration_connector_catalog().new_column();
        let resource = guest
            .call_constructor(&mut store, &self.name, &self.title, &self.new_type)
            .await?;
        if let Some(description) = &self.description {
            guest
                .call_set_description(&mut store, resource, description)
                .await?;
        }
        if self.requirement != Requirement::Optional {
            guest
                .call_set_requirement(&mut store, resource, self.requirement)
                .await?;
        }
        if let Some(solution) = &self.solution {
            guest
                .call_set_solution(&mut store, resource, solution)
                .await?;
        }
        Ok(resource)
    }
}
