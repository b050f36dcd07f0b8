//! Users, teams, roles and shares (reference §11): the actions that change them, and what the
//! platform itself does when their rows change.

mod deletion;
mod hierarchy;
mod membership;
mod names;
mod owner;
mod role;
mod rules;
mod sharing;
mod unit;

pub(super) use membership::Change;
