//! A running emulator, and how it is started.

mod builder;
mod directory;
mod error;
mod opening;

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use uuid::Uuid;

pub use self::{
    builder::Builder,
    error::{SeedError, StartError},
};
use crate::{
    clock::Clock,
    control::{ControlError, DayReport},
    entra::{Application, Person},
    environment::{Environment, faults::Fault, statistics::Statistics},
    gate::limits::ServiceLimits,
    org::{Depth, Role},
    store::Store,
};

/// A running emulator. Dropping it closes its connections and, unless it keeps a file, forgets
/// its rows.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) environment: Arc<Environment>,
    pub(crate) base_url: String,
    pub(crate) authority_url: String,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// An emulator that is not started yet.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The environment's address without a slash at its end, such as `http://127.0.0.1:8181`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The authority's address without tenant, such as `http://127.0.0.1:8182`.
    pub fn authority_url(&self) -> &str {
        &self.authority_url
    }

    /// The organization's rows.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.environment.api.current().store)
    }

    /// The clock of the organization and the authority.
    pub fn clock(&self) -> Clock {
        self.environment.api.current().store.clock().clone()
    }

    /// Plans a fault.
    pub fn inject(&self, fault: Fault) {
        self.environment.faults.plan(fault);
    }

    /// Removes the faults that have not been applied yet.
    pub fn clear_faults(&self) {
        self.environment.faults.clear();
    }

    /// Delays every response of the Web API.
    pub fn set_latency(&self, latency: Duration) {
        self.environment.set_latency(latency);
    }

    /// Sets the number of parallel requests that responses recommend.
    pub fn set_recommended_parallelism(&self, requests: u32) {
        self.environment.set_recommended_parallelism(requests);
    }

    /// Enforces service protection limits, or with `None` only counts requests.
    pub fn set_limits(&self, limits: Option<ServiceLimits>) {
        self.environment.limiter.enforce(limits);
    }

    /// Makes every access token issued so far count as expired.
    pub fn expire_tokens(&self) {
        self.environment.entra.expire_tokens();
    }

    /// Makes every delta link issued so far count as expired.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn expire_delta_tokens(&self) -> Result<(), ControlError> {
        Ok(self.environment.expire_delta_tokens()?)
    }

    /// Registers an application; with a role it becomes an application user of the organization.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn add_application(
        &self,
        client_id: Uuid,
        secret: &str,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        self.environment
            .add_application(client_id, secret, "Registered application", role)
    }

    /// Registers an application whose user may do exactly this, by names of privileges such as
    /// `prvReadAccount`; returns the user's key. If repeated, it changes what the user may do.
    ///
    /// # Errors
    ///
    /// When a privilege does not exist or the database fails.
    pub fn add_application_with(
        &self,
        client_id: Uuid,
        secret: &str,
        privileges: &[(&str, Depth)],
    ) -> Result<Uuid, ControlError> {
        self.environment
            .add_application_with(client_id, secret, privileges)
    }

    /// Registers an application as described; with a role it becomes an application user of the
    /// organization.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn register(
        &self,
        application: Application,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        self.environment.register(application, role)
    }

    /// Changes a registered application, such as its secrets, certificates or redirect URIs;
    /// returns whether it exists.
    pub fn change_application(
        &self,
        client_id: Uuid,
        change: impl FnOnce(&mut Application),
    ) -> bool {
        self.environment.entra.change_application(client_id, change)
    }

    /// Adds a person to the directory; with a role they become a user of the organization.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn add_person(&self, person: Person, role: Option<Role>) -> Result<(), ControlError> {
        self.environment.add_person(person, role)
    }

    /// Changes a person, found by sign-in name or object identifier; returns whether there is
    /// one.
    pub fn change_person(&self, name: &str, change: impl FnOnce(&mut Person)) -> bool {
        self.environment.entra.change_person(name, change)
    }

    /// Revokes every grant a person has given, as a new password does; returns whether there
    /// is such a person.
    pub fn revoke_grants(&self, name: &str) -> bool {
        let now = self.clock().now();
        self.environment
            .entra
            .change_person(name, |person| person.revoke_grants(now))
    }

    /// Removes a person from the directory; returns whether there was one.
    pub fn remove_person(&self, name: &str) -> bool {
        self.environment.entra.remove_person(name)
    }

    /// Consents to an application for one person, or without one for all people of the tenant.
    ///
    /// # Errors
    ///
    /// When the application or the person does not exist.
    pub fn consent(&self, client_id: Uuid, person: Option<&str>) -> Result<(), ControlError> {
        self.environment.give_consent(client_id, person)
    }

    /// Revokes every consent to an application.
    pub fn withdraw_consent(&self, client_id: Uuid) {
        self.environment.entra.withdraw_consent(client_id);
    }

    /// Whether people must ask an administrator for consent.
    pub fn consent_takes_administrator(&self, it_does: bool) {
        self.environment.entra.consent_takes_administrator(it_does);
    }

    /// Makes every refresh token issued so far expire.
    pub fn expire_refresh_tokens(&self) {
        self.environment.entra.expire_refresh_tokens();
    }

    /// Returns a function that lists the codes and refresh tokens the authority has issued so far:
    /// for tests that search for them where they must not appear.
    pub fn handed_out(&self) -> impl Fn() -> Vec<String> + Send + use<> {
        let entra = Arc::clone(&self.environment.entra);
        move || entra.handed_out()
    }

    /// How long access tokens issued from now on are valid, in whole seconds.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.environment
            .entra
            .change_settings(|settings| settings.token_lifetime = seconds);
    }

    /// Disables or enables an application; returns whether it exists.
    pub fn disable_application(&self, client_id: Uuid, disabled: bool) -> bool {
        self.environment
            .entra
            .change_application(client_id, |app| app.disabled = disabled)
    }

    /// Disables or enables a user of the organization.
    ///
    /// # Errors
    ///
    /// When the user does not exist or the database fails.
    pub fn disable_user(&self, user: Uuid, disabled: bool) -> Result<(), ControlError> {
        self.environment.disable_user(user, disabled)
    }

    /// Revokes a privilege, such as `prvReadAccount`, from a role of the root business unit.
    ///
    /// # Errors
    ///
    /// When the privilege does not exist or the database fails.
    pub fn revoke(&self, role: Role, privilege: &str) -> Result<(), ControlError> {
        self.environment.grant(role, privilege, None)
    }

    /// Grants a privilege to a role of the root business unit.
    ///
    /// # Errors
    ///
    /// When the privilege does not exist or the database fails.
    pub fn grant(&self, role: Role, privilege: &str, depth: Depth) -> Result<(), ControlError> {
        self.environment.grant(role, privilege, Some(depth))
    }

    /// Adds a column to a table, or replaces the one of its name, whose values are
    /// lost if its type is stored differently. `definition` is JSON as it would be posted to
    /// `EntityDefinitions(…)/Attributes`; its name needs no publisher's prefix, and with `Targets`
    /// it is a lookup.
    ///
    /// # Errors
    ///
    /// When the table does not exist or the definition is not valid.
    pub fn put_column(&self, table: &str, definition: &str) -> Result<(), ControlError> {
        self.environment.put_column(table, definition.as_bytes())
    }

    /// Removes a column of a table, custom or not, with its values.
    ///
    /// # Errors
    ///
    /// When the table or the column does not exist, or the column may not be removed.
    pub fn remove_column(&self, table: &str, column: &str) -> Result<(), ControlError> {
        self.environment.remove_column(table, column)
    }

    /// Secures a column, or makes it readable for all users. Rows of `fieldsecurityprofiles` and
    /// `fieldpermissions` say who may read and write a secured column.
    ///
    /// # Errors
    ///
    /// When the table or the column does not exist, or column security cannot guard it.
    pub fn secure_column(
        &self,
        table: &str,
        column: &str,
        secured: bool,
    ) -> Result<(), ControlError> {
        self.environment.secure_column(table, column, secured)
    }

    /// How long `RetrieveTotalRecordCount` caches a count, in whole
    /// seconds of the organization's clock; 0 at first. The service caches counts for a day.
    pub fn set_record_count_age(&self, age: Duration) {
        self.environment.set_record_count_age(age);
    }

    /// How long columns and relationships that are added from now on stay invisible to requests
    /// that do not say `Consistency: Strong`, in whole seconds of the organization's clock.
    pub fn set_metadata_lag(&self, lag: Duration) {
        self.environment.set_metadata_lag(lag);
    }

    /// Carries out this many changes; the same seed and rows give the same changes.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn work_a_day(&self, seed: u64, changes: usize) -> Result<DayReport, ControlError> {
        self.environment.work_a_day(seed, changes)
    }

    /// What has been served so far.
    pub fn statistics(&self) -> Statistics {
        self.environment.statistics()
    }

    /// Resets the counters.
    pub fn reset_statistics(&self) {
        self.environment.counters.reset();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
