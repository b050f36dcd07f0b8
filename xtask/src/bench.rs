//! `cargo xtask bench`.
use crate::run::Failure;
use clap::Args;
/// What to measure.
#[derive(Args)]
pub(crate) struct Options {}
pub(crate) fn run(_options: &Options) -> Result<(), Failure> {
    Err(Failure("to come".into()))
}
