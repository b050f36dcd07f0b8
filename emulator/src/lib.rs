//! A local Dataverse for demonstrations and tests: the Web API of an organization with its
//! tables, sign-in, privileges, change tracking and limits, over SQLite.
//!
//! It follows the published behaviour of the service, literally where that is known, and shares
//! no code with the connector, so that a mistake in one does not hide in the other.
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
pub mod clock;
mod control;
mod emulator;
pub mod entra;
mod environment;
mod fetch;
mod gate;
mod ids;
mod net;
mod odata;
pub mod org;
mod processes;
pub mod schema;
pub mod seed;
pub mod store;
mod time;
mod views;
mod wire;

pub use control::{ControlError, DayReport};
pub use emulator::{Builder, Emulator, SeedError, StartError};
pub use environment::{
    faults::{Fault, FaultKind},
    statistics::Statistics,
    version::{ApiVersion, UnknownVersion},
};
pub use gate::limits::ServiceLimits;
pub use ids::{
    CLIENT_ID, CLIENT_SECRET, OTHER_TENANT_DOMAIN, OTHER_TENANT_ID, PASSWORD, PUBLIC_CLIENT_ID,
    TENANT_DOMAIN, TENANT_ID,
};
