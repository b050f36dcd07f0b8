//! The organization that every emulator starts with: business units, users, roles, currencies.

mod bulk_actions;
mod depth;
mod duplicates;
mod maps;
mod members;
mod new_rows;
mod principals;
pub(crate) mod role;
mod roles;
mod seed;
mod tables;

use uuid::Uuid;

pub use depth::{Depth, UnknownDepth};
pub(crate) use members::{add_application_user, add_person, add_role, admit_sellers};
pub(crate) use seed::seed;
pub(crate) use tables::follow_tables;

pub use crate::ids::{
    ADMINISTRATOR, BASE_CURRENCY, DEFAULT_TEAM, EURO, GROUP_TEAM, INTEGRATION, KEY_ACCOUNTS_TEAM,
    ORGANIZATION, ROOT_BUSINESS_UNIT, SALES_BUSINESS_UNIT, SALES_TEAM, SELLERS, SYSTEM,
};
use crate::{
    ids::{ADMINISTRATOR_TEMPLATE, CUSTOMIZER_TEMPLATE},
    schema::metadata_id,
};

/// A role every organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything, everywhere.
    SystemAdministrator,
    /// Everything about tables, own rows only.
    SystemCustomizer,
    /// Own rows.
    BasicUser,
    /// The rows of the business unit.
    Salesperson,
    /// Reads everything and changes nothing: what an export needs.
    IntegrationReader,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::SystemAdministrator,
        Self::SystemCustomizer,
        Self::BasicUser,
        Self::Salesperson,
        Self::IntegrationReader,
    ];

    /// The role's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemAdministrator => "System Administrator",
            Self::SystemCustomizer => "System Customizer",
            Self::BasicUser => "Basic User",
            Self::Salesperson => "Salesperson",
            Self::IntegrationReader => "Integration Reader",
        }
    }

    /// Key of the role's template, if the service itself made the role.
    pub(crate) fn template(self) -> Option<Uuid> {
        match self {
            Self::SystemAdministrator => Some(ADMINISTRATOR_TEMPLATE),
            Self::SystemCustomizer => Some(CUSTOMIZER_TEMPLATE),
            Self::BasicUser | Self::Salesperson | Self::IntegrationReader => None,
        }
    }

    /// Key of the role's copy in a business unit: roles belong to one.
    pub fn id(self, business_unit: Uuid) -> Uuid {
        metadata_id(&["role", self.name(), &business_unit.to_string()])
    }
}
