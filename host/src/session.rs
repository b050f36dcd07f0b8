//! One connection in one instance, and the syncs that run over it.

use wasmtime::AsContextMut;
use wasmtime::component::ResourceAny;

use crate::contract::{
    Column, Event, NewColumn, Report, RoleChange, Selection, StreamDescription, StreamSummary, View,
};
use crate::error::CallError;
use crate::instance::Instance;
use crate::network::Origin;
use crate::profile::Profile;

/// A connection, opened by [`ConnectorHost::open`](crate::ConnectorHost::open). It serves one call
/// at a time; open more sessions for concurrent calls. Its tokens end with it.
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
            .try_call("session.open", async |connector, store| {
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

    /// Tests the connection end to end. What is wrong with it is in the report.
    ///
    /// # Errors
    /// When the report cannot be made; see [`CallError`].
    pub async fn check(&mut self) -> Result<Report, CallError> {
        let session = self.resource;
        self.instance
            .try_call("session.check", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .session()
                    .call_check(store, session)
                    .await
            })
            .await
    }

    /// Creates the role that the settings need under this name, or adds the permissions that an
    /// existing role of that name is missing. Removes no permission, and does not assign the role.
    ///
    /// # Errors
    /// When the session's own account may not do so, or the service fails; the error's
    /// [`commit`](crate::contract::ConnectorError::commit) says what may have been changed.
    pub async fn create_role(&mut self, name: &str) -> Result<RoleChange, CallError> {
        let session = self.resource;
        self.instance
            .try_call("session.create-role", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .session()
                    .call_create_role(store, session, name)
                    .await
            })
            .await
    }

    /// Every readable stream, by name.
    ///
    /// # Errors
    /// When the service cannot be reached or rejects the request; see [`CallError`].
    pub async fn list_streams(&mut self) -> Result<Vec<StreamSummary>, CallError> {
        let session = self.resource;
        self.instance
            .try_call("catalog.list-streams", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_list_streams(store, session)
                    .await
            })
            .await
    }

    /// The named streams in full, in the order of the names. Descriptions are large: request about
    /// 50 streams at a time.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::contract::ErrorKind::NotFound) for a name that does not
    /// exist, [`ErrorKind::Unsupported`](crate::contract::ErrorKind::Unsupported) for too many
    /// names, also when fewer do not fit into memory: request fewer at a time.
    pub async fn describe_streams(
        &mut self,
        names: &[String],
    ) -> Result<Vec<StreamDescription>, CallError> {
        let session = self.resource;
        self.instance
            .try_call("catalog.describe-streams", async |connector, mut store| {
                let described = connector
                    .integration_connector_catalog()
                    .call_describe_streams(store.as_context_mut(), session, names)
                    .await?;
                let resources = match described {
                    Ok(resources) => resources,
                    Err(error) => return Ok(Err(error)),
                };
                let mut descriptions = Vec::with_capacity(resources.len());
                for resource in resources {
                    let description =
                        StreamDescription::take(resource, connector, &mut store).await?;
                    descriptions.push(description);
                }
                Ok(Ok(descriptions))
            })
            .await
    }

    /// The saved queries over one stream, or over all, that the signed-in account can see.
    ///
    /// # Errors
    /// When the service cannot be reached or rejects the request; see [`CallError`].
    pub async fn list_views(&mut self, stream: Option<&str>) -> Result<Vec<View>, CallError> {
        let session = self.resource;
        self.instance
            .try_call("catalog.list-views", async |connector, store| {
                connector
                    .integration_connector_catalog()
                    .call_list_views(store, session, stream)
                    .await
            })
            .await
    }

    /// Creates a column, makes it usable at once, and describes it. An existing column of that name
    /// and type is described as well.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::contract::ErrorKind::Conflict) for an existing column of
    /// another type; the error's [`commit`](crate::contract::ConnectorError::commit) says what may
    /// have been changed.
    pub async fn create_column(
        &mut self,
        stream: &str,
        column: &NewColumn,
    ) -> Result<Column, CallError> {
        let session = self.resource;
        self.instance
            .try_call("catalog.create-column", async |connector, mut store| {
                let column = column.to_resource(connector, &mut store).await?;
                connector
                    .integration_connector_catalog()
                    .call_create_column(store, session, stream, column)
                    .await
            })
            .await
    }

    /// Starts a sync of these streams. The first request is sent by [`Sync::next`].
    ///
    /// # Errors
    /// When the selections contradict each other, or one does not belong to its checkpoint.
    pub async fn sync(&mut self, selections: &[Selection]) -> Result<Sync<'_>, CallError> {
        let session = self.resource;
        let resource = self
            .instance
            .try_call("sync.start", async |connector, mut store| {
                let mut resources = Vec::with_capacity(selections.len());
                for selection in selections {
                    resources.push(selection.to_resource(connector, &mut store).await?);
                }
                connector
                    .integration_connector_source()
                    .sync()
                    .call_start(store, session, &resources)
                    .await
            })
            .await?;
        Ok(Sync {
            instance: &mut self.instance,
            resource,
        })
    }
}

/// A running sync. It sends the next requests while the host works on an event.
pub struct Sync<'a> {
    instance: &'a mut Instance,
    resource: ResourceAny,
}

impl Sync<'_> {
    /// The next event, or none when every stream is complete or has failed.
    ///
    /// Dropping the future before it is ready leaves the session dead, as a timeout does: the
    /// instance was stopped in the middle of a call. Events delivered before stay valid.
    ///
    /// # Errors
    /// When the connection fails; a failure of one stream is an event.
    pub async fn next(&mut self) -> Result<Option<Event>, CallError> {
        let sync = self.resource;
        self.instance
            .try_call("sync.next", async |connector, store| {
                connector
                    .integration_connector_source()
                    .sync()
                    .call_next(store, sync)
                    .await
            })
            .await
    }

    /// Ends the sync and frees what it holds in the instance, so that the session can be used for
    /// other calls. Dropping the session frees it as well.
    ///
    /// # Errors
    /// When the instance is dead or traps.
    pub async fn close(self) -> Result<(), CallError> {
        let resource = self.resource;
        self.instance
            .call("sync.drop", async |_, store| {
                resource.resource_drop_async(store).await
            })
            .await
    }
}
