//! What every emulator starts with: its tenants and applications, and the keys of the
//! rows of a new organization.

use uuid::Uuid;

/// The tenant of every emulator.
pub const TENANT_ID: Uuid = Uuid::from_u128(0x5f0e_3c64_1b8e_4c57_8d6c_2f1b_9a7d_1000);
/// A domain name of the tenant.
pub const TENANT_DOMAIN: &str = "contoso.example";
/// The application registered in every emulator, a System Administrator of the organization.
pub const CLIENT_ID: Uuid = Uuid::from_u128(0x5f0e_3c64_1b8e_4c57_8d6c_2f1b_9a7d_2000);
/// Its client secret. It is valid for emulators only.
pub const CLIENT_SECRET: &str = "demonstration-secret";
/// An application without a secret in every emulator: people sign in to it, also from
/// other tenants.
pub const PUBLIC_CLIENT_ID: Uuid = Uuid::from_u128(0x5f0e_3c64_1b8e_4c57_8d6c_2f1b_9a7d_2001);
/// The password of every person of the organization. It is valid for emulators only.
pub const PASSWORD: &str = "demonstration-password";
/// Another tenant, in which the environment is unknown.
pub const OTHER_TENANT_ID: Uuid = Uuid::from_u128(0x5f0e_3c64_1b8e_4c57_8d6c_2f1b_9a7d_3000);
/// A domain name of the other tenant. `visitor@` this domain is its only person.
pub const OTHER_TENANT_DOMAIN: &str = "fabrikam.example";

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
/// Keys of a few salespeople.
pub const SELLERS: [Uuid; 3] = [
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0013),
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0014),
    Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0015),
];
/// Key of the base currency, US dollar.
pub const BASE_CURRENCY: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0020);
/// Key of the second currency, euro.
pub const EURO: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0021);

/// Key of the profile that can read and write every secured column, for administrators.
pub(crate) const ADMINISTRATOR_PROFILE: Uuid =
    Uuid::from_u128(0x5723_29c1_a042_4e22_be47_367c_6374_ea45);

/// The template of every System Administrator role (reference §11.1).
pub(crate) const ADMINISTRATOR_TEMPLATE: Uuid =
    Uuid::from_u128(0x6270_90ff_40a3_4053_8790_584e_dc5b_e201);
/// The template of every System Customizer role.
pub(crate) const CUSTOMIZER_TEMPLATE: Uuid =
    Uuid::from_u128(0x119f_245c_3cc8_4b62_b31c_d1a0_46ce_d15d);
