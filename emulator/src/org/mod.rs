//! The organization that every emulator starts with.

use uuid::Uuid;

/// Key of the organization row.
pub const ORGANIZATION: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0001);
/// Key of the root business unit.
pub const ROOT_BUSINESS_UNIT: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0002);
/// Key of the user who owns seeded rows: the first administrator.
pub const ADMINISTRATOR: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0010);
/// Key of the base currency, US dollar.
pub const BASE_CURRENCY: Uuid = Uuid::from_u128(0x8b1c_7b6e_3f0a_4d2c_9a55_0d5e_6e41_0020);
