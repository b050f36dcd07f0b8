//! A local Dataverse for demonstrations and tests: the Web API of an organization with its
//! tables, sign-in, privileges, change tracking and limits, over SQLite.
//!
//! It follows the published behaviour of the service, literally where that is known, and shares
//! no code with the connector: the same mistake cannot be made on both sides.
//!
//! ```no_run
//! use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, TENANT_ID};
//!
//! # async fn example() -> Result<(), dataverse_emulator::StartError> {
//! let emulator = Emulator::builder().start().await?;
//! println!("{} {}/{TENANT_ID}", emulator.base_url(), emulator.authority_url());
//! println!("{CLIENT_ID} {CLIENT_SECRET}");
//! # Ok(())
//! # }
//! ```

mod api;
mod audit;
mod builder;
pub mod clock;
mod control;
mod emulator;
pub mod entra;
mod fetch;
mod gate;
mod net;
mod odata;
mod opening;
pub mod org;
mod processes;
pub mod schema;
pub mod seed;
pub mod store;
pub mod time;
mod views;

pub use builder::{Builder, SeedError, StartError};
pub use emulator::{
    CLIENT_ID, CLIENT_SECRET, ControlError, DayReport, Emulator, Fault, FaultKind,
    OTHER_TENANT_DOMAIN, OTHER_TENANT_ID, PASSWORD, PUBLIC_CLIENT_ID, ServiceLimits, Statistics,
    TENANT_DOMAIN, TENANT_ID,
};
pub use net::version::{ApiVersion, UnknownVersion};
