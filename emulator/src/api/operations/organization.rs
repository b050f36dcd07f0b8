//! Functions that identify the caller, the service and the organization (reference §3).

use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{Call, Response},
    ids,
    odata::{Literal, filter::Operand},
    wire::ODataError,
};

impl Call<'_> {
    /// `GET WhoAmI()`.
    pub(super) fn who_am_i(&self, arguments: &str) -> Result<Response, ODataError> {
        require_no_arguments("WhoAmI", arguments)?;
        Ok(self.complex(
            "WhoAmIResponse",
            json!({
                "BusinessUnitId": self.caller.unit,
                "UserId": self.caller.user,
                "OrganizationId": ids::ORGANIZATION,
            }),
        ))
    }

    /// `GET RetrieveVersion()`.
    pub(super) fn service_version(&self, arguments: &str) -> Result<Response, ODataError> {
        require_no_arguments("RetrieveVersion", arguments)?;
        let version = &self.api.organization.version;
        Ok(self.complex("RetrieveVersionResponse", json!({"Version": version})))
    }

    /// `GET RetrieveCurrentOrganization(AccessType=…)`.
    pub(super) fn current_organization(&self, arguments: &str) -> Result<Response, ODataError> {
        match self.argument(arguments, "AccessType")? {
            Operand::Literal(Literal::Member(kind, _)) if kind == "EndpointAccessType" => {}
            _ => {
                return Err(ODataError::syntax(
                    "The parameter 'AccessType' must be a member of \
                     'Microsoft.Dynamics.CRM.EndpointAccessType'.",
                ));
            }
        }
        let facts = &self.api.organization;
        let origin = &self.request.origin;
        Ok(self.complex(
            "RetrieveCurrentOrganizationResponse",
            json!({"Detail": {
                "OrganizationId": ids::ORGANIZATION,
                "FriendlyName": facts.friendly_name,
                "OrganizationVersion": facts.version,
                "EnvironmentId": ids::ORGANIZATION,
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
        ))
    }
}

fn require_no_arguments(function: &str, arguments: &str) -> Result<(), ODataError> {
    if arguments.is_empty() {
        return Ok(());
    }
    Err(ODataError::unknown_segment(function))
}
