//! One connection in one instance, and the syncs that run over it.

use wasmtime::component::ResourceAny;

use crate::contract::{
    Column, Event, NewColumn, Report, RoleChange, Selection, StreamDescription, StreamSummary, View,
};
use crate::error::CallError;
use crate::instance::Instance;
use crate::network::Origin;
use crate::profile::Profile;

/// A connection, opened by [`ConnectorHost::open`](crate::ConnectorHost::open). It serves one call
/// at a time; open more sessions to do more at once. Its tokens die with it.
pub struct Session {
    instance: Instance,
    resource: ResourceAny,
    origins: Vec<Origin>,
}

impl Session {
    pub(crate) async fn open(mut instance: Instance, profile: &Profile) -> Result<Self, CallError> {
        let settings = &profile.settings;
        let origins = instance.open_origins(settings).await?;
        let resource = instance
            .ask("session.open", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .session()
                    .call_open(store, settings)
                    .await
            })
            .await?;
        Ok(Self {
            instance,
            resource,
            origins,
        })
    }

    /// The only origins that this session can reach.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Tests the connection end to end.
    pub async fn check(&mut self) -> Result<Report, CallError> {
        let session = self.resource;
        self.instance
            .ask("session.check", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .session()
                    .call_check(store, session)
                    .await
            })
            .await
    }

    /// Creates the role that the settings call for under this name, or adds to the role of that
    /// name what it lacks. Takes nothing from it and gives it to nobody. The session's own
    /// account must be allowed to do so; an error's [`commit`](crate::contract::ConnectorError::commit) says how
    /// far it came.
    pub async fn create_role(&mut self, name: &str) -> Result<RoleChange, CallError> {
        let session = self.resource;
        self.instance
            .ask("session.create-role", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .session()
                    .call_create_role(store, session, name)
                    .await
            })
            .await
    }

    /// Every readable stream, by name.
    pub async fn list_streams(&mut self) -> Result<Vec<StreamSummary>, CallError> {
        let session = self.resource;
        self.instance
            .ask("catalog.list-streams", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_list_streams(store, session)
                    .await
            })
            .await
    }

    /// The named streams in full, in the order asked for. Descriptions are large: ask for some
    /// dozens of streams at a time, and for fewer where that is refused as unsupported.
    pub async fn describe_streams(
        &mut self,
        names: &[String],
    ) -> Result<Vec<StreamDescription>, CallError> {
        let session = self.resource;
        self.instance
            .ask("catalog.describe-streams", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_describe_streams(store, session, names)
                    .await
            })
            .await
    }

    /// The saved queries over one stream, or over all, that the signed-in account can see.
    pub async fn list_views(&mut self, stream: Option<&str>) -> Result<Vec<View>, CallError> {
        let session = self.resource;
        self.instance
            .ask("catalog.list-views", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_list_views(store, session, stream)
                    .await
            })
            .await
    }

    /// Adds a column to a stream, makes it usable at once, and describes it. A column of that name
    /// and type that is there already is described; an error's
    /// [`commit`](crate::contract::ConnectorError::commit) says how far it came.
    pub async fn create_column(
        &mut self,
        stream: &str,
        column: &NewColumn,
    ) -> Result<Column, CallError> {
        let session = self.resource;
        self.instance
            .ask("catalog.create-column", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_create_column(store, session, stream, column)
                    .await
            })
            .await
    }

    /// Starts a sync over these streams. The network is first used by [`Sync::next`].
    pub async fn sync(&mut self, selections: &[Selection]) -> Result<Sync<'_>, CallError> {
        let session = self.resource;
        let resource = self
            .instance
            .ask("sync.start", async |connector, store| {
                connector
                    .integration_connector_source()
                    .sync()
                    .call_start(store, session, selections)
                    .await
            })
            .await?;
        Ok(Sync {
            instance: &mut self.instance,
            resource,
        })
    }
}

/// A running sync. Its requests go on while the host works on an event.
pub struct Sync<'a> {
    instance: &'a mut Instance,
    resource: ResourceAny,
}

impl Sync<'_> {
    /// The next event, or none when every stream is complete or has failed.
    ///
    /// Dropping the future before it is ready leaves the session dead, as a timeout does: the
    /// instance was stopped somewhere in the middle. What was delivered before stays valid.
    pub async fn next(&mut self) -> Result<Option<Event>, CallError> {
        let sync = self.resource;
        self.instance
            .ask("sync.next", async |connector, store| {
                connector
                    .integration_connector_source()
                    .sync()
                    .call_next(store, sync)
                    .await
            })
            .await
    }

    /// Ends the sync and frees what it holds in the instance, so that the session can go on with
    /// something else. Closing the session frees it as well.
    pub async fn close(self) -> Result<(), CallError> {
        let resource = self.resource;
        self.instance
            .call("sync.drop", async |_, store| {
                resource.resource_drop_async(store).await
            })
            .await
    }
}
