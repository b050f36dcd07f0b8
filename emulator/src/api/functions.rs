//! Functions that probe identity and organization (reference §3, §11.3).

use axum::http::StatusCode;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Response, audit, initialize, marketing, metadata, request::Segment, security};
use crate::{
    odata::{
        Literal, ODataError,
        filter::{Operand, parse_arguments},
    },
    org,
};

/// The parallelism this server recommends in `x-ms-dop-hint` unless told otherwise.
pub(crate) const RECOMMENDED_PARALLELISM: u32 = 4;

const FUNCTIONS: [&str; 4] = [
    "WhoAmI",
    "RetrieveVersion",
    "RetrieveCurrentOrganization",
    "RetrieveTotalRecordCount",
];

/// Whether an unbound function of this name exists.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
        || security::FUNCTIONS.contains(&name)
        || audit::FUNCTIONS.contains(&name)
        || marketing::FUNCTIONS.contains(&name)
        || initialize::FUNCTIONS.contains(&name)
        || metadata::FUNCTIONS.contains(&name)
}

impl<'a> Call<'a> {
    /// `GET {api}/{function}(…)`; the parentheses are optional if there are no parameters.
    pub(super) fn function(
        &'a self,
        connection: &'a Connection,
        segment: &Segment,
    ) -> Result<Response, ODataError> {
        let arguments = segment.arguments.as_deref().unwrap_or_default();
        match segment.name.as_str() {
            name if security::FUNCTIONS.contains(&name) => {
                self.security_function(connection, segment)
            }
            name if audit::FUNCTIONS.contains(&name) => self.change_history(connection, segment),
            "RetrieveMetadataChanges" => self.metadata_changes(connection, arguments),
            "InitializeFrom" => self.initialize_from(connection, arguments),
            "RetrieveActivePath" => self.active_path(connection, arguments),
            "WhoAmI" => {
                no_arguments(segment)?;
                Ok(self.complex(
                    "WhoAmIResponse",
                    json!({
                        "BusinessUnitId": self.caller.unit,
                        "UserId": self.caller.user,
                        "OrganizationId": org::ORGANIZATION,
                    }),
                ))
            }
            "RetrieveVersion" => {
                no_arguments(segment)?;
                let version = &self.api.organization.version;
                Ok(self.complex("RetrieveVersionResponse", json!({"Version": version})))
            }
            "RetrieveCurrentOrganization" => match self.argument(arguments, "AccessType")? {
                Operand::Literal(Literal::Member(kind, _)) if kind == "EndpointAccessType" => {
                    Ok(self.current_organization())
                }
                _ => Err(ODataError::syntax(
                    "The parameter 'AccessType' must be a member of \
                         'Microsoft.Dynamics.CRM.EndpointAccessType'.",
                )),
            },
            _ => self.total_record_count(connection, arguments),
        }
    }

    fn current_organization(&self) -> Response {
        let facts = &self.api.organization;
        let origin = &self.request.origin;
        self.complex(
            "RetrieveCurrentOrganizationResponse",
            json!({"Detail": {
                "OrganizationId": org::ORGANIZATION,
                "FriendlyName": facts.friendly_name,
                "OrganizationVersion": facts.version,
                "EnvironmentId": org::ORGANIZATION,
                "DatacenterId": Uuid::nil(),
                "Geo": "NA",
                "TenantId": facts.tenant,
                "UrlName": facts.unique_name,
                "UniqueName": facts.unique_name,
                "State": "Enabled",
                "SchemaType": "Full",
                "OrganizationType": "Developer",
                "Endpoints": {
                    "Count": 3,
                    "IsReadOnly": false,
                    "Keys": ["WebApplication", "OrganizationService", "OrganizationDataService"],
                    "Values": [
                        format!("{origin}/"),
                        format!("{origin}/XRMServices/2011/Organization.svc"),
                        format!("{origin}/XRMServices/2011/OrganizationData.svc"),
                    ],
                },
            }}),
        )
    }

    fn total_record_count(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let Operand::Literal(Literal::List(names)) = self.argument(arguments, "EntityNames")?
        else {
            return Err(ODataError::syntax(
                "The parameter 'EntityNames' must be a list of names.",
            ));
        };
        let mut counts = Vec::with_capacity(names.len());
        for name in &names {
            let table = self.model().table(name)?;
            counts.push(self.api.counts.of(connection, table, self.now())?);
        }
        Ok(self.complex(
            "RetrieveTotalRecordCountResponse",
            json!({"EntityRecordCountCollection": {
                "Count": names.len(),
                "IsReadOnly": false,
                "Keys": names,
                "Values": counts,
            }}),
        ))
    }

    /// The value of a named parameter of a function.
    pub(super) fn argument(&self, arguments: &str, name: &str) -> Result<Operand, ODataError> {
        let found = parse_arguments(arguments)?
            .into_iter()
            .find(|(known, _)| known == name);
        match found {
            Some((_, Operand::Alias(alias))) => self.options.alias(&alias),
            Some((_, operand)) => Ok(operand),
            None => Err(ODataError::unknown_segment(&self.request.path)),
        }
    }

    /// A complex value with its context first.
    pub(super) fn complex(&self, kind: &str, value: Value) -> Response {
        let context = format!(
            "{}/$metadata#Microsoft.Dynamics.CRM.{kind}",
            self.request.root
        );
        let mut body = serde_json::Map::new();
        body.insert("@odata.context".to_owned(), Value::String(context));
        if let Value::Object(members) = value {
            body.extend(members);
        }
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Response::json(StatusCode::OK, body)
    }
}

fn no_arguments(segment: &Segment) -> Result<(), ODataError> {
    match segment.arguments.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(ODataError::unknown_segment(&segment.name)),
    }
}
