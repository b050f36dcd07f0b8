//! The organization that every emulator starts with: business units, users, roles, currencies.

mod depth;
mod duplicates;
mod maps;
mod members;
mod principals;
pub(crate) mod role;
mod roles;
mod seed;

use uuid::Uuid;

pub use depth::{Depth, UnknownDepth};
pub(crate) use members::{add_application_user, add_person, add_role, admit_sellers};
pub(crate) use roles::{add_privileges, remove_privileges};
pub(crate) use seed::{end_bulk_actions, seed, support_bulk_actions};

use crate::schema::metadata_id;

/// Key of the organization row.
pub const ORGANIZATION: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0001);
/// Key of the root business unit.
pub const ROOT_BUSINESS_UNIT: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0002);
/// Key of a business unit below the root.
pub const SALES_BUSINESS_UNIT: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0003);
/// Key of the default team of the root business unit.
pub const DEFAULT_TEAM: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0004);
/// Key of the default team of the business unit below the root.
pub const SALES_TEAM: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0005);
/// Key of a team of the root business unit with a role: its members sell from another unit.
pub const KEY_ACCOUNTS_TEAM: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0006);
/// Key of a team whose members are those of an Entra security group.
pub const GROUP_TEAM: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0007);
/// Key of the user who owns seeded rows: the first administrator.
pub const ADMINISTRATOR: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0010);
/// Key of the built-in user `SYSTEM`.
pub const SYSTEM: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0011);
/// Key of the built-in user `INTEGRATION`.
pub const INTEGRATION: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0012);
/// Keys of a few people who sell.
pub const SELLERS: [Uuid; 3] = [
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0013),
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0014),
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0015),
];
/// Key of the base currency, US dollar.
pub const BASE_CURRENCY: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0020);
/// Key of the second currency, euro.
pub const EURO: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0021);

/// Key of the profile that opens every guarded column, for administrators.
pub(crate) const ADMINISTRATOR_PROFILE: Uuid =
    Uuid::from_u128(0x5723_29c1_a042_4e22_be47_367c_6374_ea45);

/// The template of every System Administrator role (reference §11.1).
pub(crate) const ADMINISTRATOR_TEMPLATE: Uuid =
    Uuid::from_u128(0x6270_90ff_40a3_4053_8790_584e_dc5b_e201);
/// The template of every System Customizer role.
const CUSTOMIZER_TEMPLATE: Uuid = Uuid::from_u128(0x119f_245c_3cc8_4b62_b31c_d1a0_46ce_d15d);

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
