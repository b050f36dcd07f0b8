//! `cargo xtask bench`.
use clap::Args;
use crate::run::Failure;
/// What to measure.
#[derive(Args)]
pub(crate) struct Options {}
pub(crate) fn run(_options: &Options) -> Result<(), Failure> { Err(Failure("to come".into())) }
