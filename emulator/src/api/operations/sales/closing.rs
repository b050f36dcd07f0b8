//! What closes opportunities and leads (reference §12.4).

use axum::http::StatusCode;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        key::RowKey,
        payload::{Members, member, payload_error},
    },
    schema::{PrivilegeType, Table},
    store::{Row, Value, Writer},
    time,
    wire::ODataError,
};

/// `statecode` of opportunities and leads.
const OPEN: i64 = 0;
const WON: i64 = 1;
const LOST: i64 = 2;
const QUALIFIED: i64 = 1;

/// `statecode` of an activity that is completed.
const COMPLETED: i64 = 1;

/// Stands for the default status of the state.
const USUAL: i64 = -1;

/// Columns that a qualified lead passes on: columns of the account, the contact and the opportunity
/// with the lead's own.
const TO_ACCOUNT: [(&str, &str); 13] = [
    ("name", "companyname"),
    ("telephone1", "telephone1"),
    ("fax", "fax"),
    ("websiteurl", "websiteurl"),
    ("sic", "sic"),
    ("revenue", "revenue"),
    ("numberofemployees", "numberofemployees"),
    ("industrycode", "industrycode"),
    ("address1_line1", "address1_line1"),
    ("address1_city", "address1_city"),
    ("address1_stateorprovince", "address1_stateorprovince"),
    ("address1_postalcode", "address1_postalcode"),
    ("address1_country", "address1_country"),
];
const TO_CONTACT: [(&str, &str); 13] = [
    ("firstname", "firstname"),
    ("middlename", "middlename"),
    ("lastname", "lastname"),
    ("salutation", "salutation"),
    ("jobtitle", "jobtitle"),
    ("emailaddress1", "emailaddress1"),
    ("telephone1", "telephone1"),
    ("mobilephone", "mobilephone"),
    ("address1_line1", "address1_line1"),
    ("address1_city", "address1_city"),
    ("address1_stateorprovince", "address1_stateorprovince"),
    ("address1_postalcode", "address1_postalcode"),
    ("address1_country", "address1_country"),
];
const TO_OPPORTUNITY: [(&str, &str); 5] = [
    ("name", "subject"),
    ("description", "description"),
    ("estimatedvalue", "estimatedamount"),
    ("estimatedclosedate", "estimatedclosedate"),
    ("campaignid", "campaignid"),
];

impl Call<'_> {
    /// `POST WinOpportunity` with `{"Status":3,"OpportunityClose":{…}}`.
    pub(in crate::api::operations) fn win_opportunity(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        self.close_opportunity(writer, "WinOpportunity", WON)
    }

    /// `POST LoseOpportunity` with `{"Status":4,"OpportunityClose":{…}}`.
    pub(in crate::api::operations) fn lose_opportunity(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        self.close_opportunity(writer, "LoseOpportunity", LOST)
    }

    fn close_opportunity(
        &self,
        writer: &Writer<'_>,
        action: &str,
        state: i64,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, action)?;
        let (table, activities) = (
            self.model().table("opportunity")?,
            self.model().table("opportunityclose")?,
        );
        let close = body
            .get("OpportunityClose")
            .ok_or_else(|| payload_error(action, "The body has no 'OpportunityClose'."))?;
        let close = Members::parse(close.get().as_bytes(), action)?;
        let intent = self.intent(writer, activities, &close, true)?;
        let named = |name: &str| {
            let mut columns = intent.columns.iter();
            columns.find_map(|(column, value)| (column.logical_name == name).then_some(value))
        };
        let id = named("opportunityid").and_then(Value::id).ok_or_else(|| {
            payload_error(
                action,
                "'OpportunityClose' refers to no opportunity: 'opportunityid'.",
            )
        })?;
        let before = self.open_row(writer, table, id)?;
        let mut changes = state_change(&body, action, state)?;
        let ended = match named("actualend") {
            Some(Value::DateTime(at)) => *at,
            _ => self.now(),
        };
        changes.push(member("actualclosedate", &json!(time::date(ended)))?);
        if let Some(revenue) = close.get("actualrevenue") {
            changes.push(("actualvalue".to_owned(), revenue.to_owned()));
        }
        self.close(writer, table, &before, changes)?;
        let opportunity = Value::lookup("opportunity", id);
        self.create_record(
            writer,
            activities,
            &close,
            &[
                ("regardingobjectid".to_owned(), opportunity),
                ("opportunitystatecode".to_owned(), Value::Int(state)),
                ("actualend".to_owned(), Value::DateTime(ended)),
                ("statecode".to_owned(), Value::Int(COMPLETED)),
            ],
        )?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// `POST leads(id)/Microsoft.Dynamics.CRM.QualifyLead`: creates the requested rows, which refer
    /// to each other and to the lead.
    pub(in crate::api::operations) fn qualify_lead(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "QualifyLead")?;
        let wanted = |name: &str| body.get(name).is_some_and(|raw| raw.get() == "true");
        let given = |name: &str| {
            let raw = body.get(name).filter(|raw| raw.get() != "null");
            raw.map(|raw| {
                let members = Members::parse(raw.get().as_bytes(), name)?;
                let (table, id) = self.row_of(writer.connection(), &members, None)?;
                Ok::<_, ODataError>(Value::lookup(&table.logical_name, id))
            })
            .transpose()
        };
        let currency = given("OpportunityCurrencyId")?;
        let customer = given("OpportunityCustomerId")?;
        let campaign = given("SourceCampaignId")?;
        let before = self.open_row(writer, table, id)?;
        let layout = writer.store().layout("lead")?;
        let of_lead = |column: &str| layout.get(&before.values, column).clone();
        let mut made = Vec::new();
        let mut create = |name: &str, columns: &[(&str, &str)], more: Vec<(&str, Value)>| {
            let table = self.model().table(name)?;
            let inherited = columns.iter().map(|(to, from)| (*to, of_lead(from)));
            let fixed: Vec<(String, Value)> = [("originatingleadid", Value::lookup("lead", id))]
                .into_iter()
                .chain(inherited)
                .chain(more)
                .filter(|(_, value)| *value != Value::Null)
                .map(|(column, value)| (column.to_owned(), value))
                .collect();
            let row = self.create_record(writer, table, &Members::default(), &fixed)?;
            made.push(json!({
                "@odata.type": format!("#Microsoft.Dynamics.CRM.{name}"),
                table.primary_id.as_str(): row,
            }));
            Ok::<_, ODataError>(Value::lookup(name, row))
        };
        let mut account = of_lead("parentaccountid");
        // A lead without a company creates no account.
        if wanted("CreateAccount") && of_lead("companyname") != Value::Null {
            account = create("account", &TO_ACCOUNT, Vec::new())?;
        }
        let mut contact = of_lead("parentcontactid");
        if wanted("CreateContact") {
            let parent = vec![("parentcustomerid", account.clone())];
            contact = create("contact", &TO_CONTACT, parent)?;
        }
        let mut opportunity = Value::Null;
        if wanted("CreateOpportunity") {
            let customer = customer.unwrap_or_else(|| match &account {
                Value::Null => contact.clone(),
                account => account.clone(),
            });
            let more = vec![
                ("customerid", customer),
                ("parentaccountid", account.clone()),
                ("parentcontactid", contact.clone()),
                ("transactioncurrencyid", currency.unwrap_or(Value::Null)),
                ("campaignid", campaign.unwrap_or(Value::Null)),
            ];
            opportunity = create("opportunity", &TO_OPPORTUNITY, more)?;
        }
        let mut changes = state_change(&body, "QualifyLead", QUALIFIED)?;
        for (navigation, set, row) in [
            ("parentaccountid", "accounts", account),
            ("parentcontactid", "contacts", contact),
            ("qualifyingopportunityid", "opportunities", opportunity),
        ] {
            if let Some(row) = row.id() {
                let address = json!(format!("/{set}({row})"));
                changes.push(member(&format!("{navigation}@odata.bind"), &address)?);
            }
        }
        self.close(writer, table, &before, changes)?;
        let context = format!(
            "{}/$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)",
            self.request.root
        );
        let response = json!({"@odata.context": context, "value": made});
        Ok(Response::json(
            StatusCode::OK,
            response.to_string().into_bytes(),
        ))
    }

    /// An open row that the caller may write.
    fn open_row(&self, writer: &Writer<'_>, table: &Table, id: Uuid) -> Result<Row, ODataError> {
        let name = &table.logical_name;
        let row = writer
            .row(name, id)?
            .ok_or_else(|| ODataError::no_row(name, id))?;
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        let layout = writer.store().layout(name)?;
        match *layout.get(&row.values, "statecode") {
            Value::Int(state) if state != OPEN => Err(ODataError::bad_request(
                "0x80040203",
                format!("The {name} {id} has already been closed."),
            )),
            _ => Ok(row),
        }
    }

    fn close(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        changes: Vec<(String, Box<RawValue>)>,
    ) -> Result<(), ODataError> {
        let key = RowKey::Primary(before.id);
        self.update_record(writer, table, before, &Members(changes), &key)
    }
}

/// The columns that close a row: the state, and the status of the body.
fn state_change(
    body: &Members,
    action: &str,
    state: i64,
) -> Result<Vec<(String, Box<RawValue>)>, ODataError> {
    let status: i64 = body
        .get("Status")
        .and_then(|raw| raw.get().parse().ok())
        .ok_or_else(|| payload_error(action, "The body has no whole number 'Status'."))?;
    let mut changes = vec![member("statecode", &json!(state))?];
    if status != USUAL {
        changes.push(member("statuscode", &json!(status))?);
    }
    Ok(changes)
}
