//! The tables every emulated organization starts with: those of Dynamics 365 Sales.

/// File name and text of each table.
macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".table"), include_str!(concat!("../../schema/", $name, ".table")))),*]
    };
}

#[rustfmt::skip]
pub(super) const TABLES: &[(&str, &str)] = tables![
    "account", "activityparty", "activitypointer", "annotation", "appointment",
    "asyncoperation", "attributemap", "audit", "businessunit", "campaign", "campaignresponse",
    "competitor", "connection", "connectionrole", "contact", "customeraddress",
    "customeropportunityrole", "duplicaterule", "duplicaterulecondition", "email", "emailserverprofile", "entitymap",
    "fax", "fieldpermission", "fieldsecurityprofile", "goal", "importmap", "incident", "invoice", "lead",
    "leadtoopportunitysalesprocess", "letter", "list", "listmember", "mailbox", "opportunity",
    "opportunityclose", "opportunityproduct", "opportunitysalesprocess", "organization",
    "phonecall", "position", "pricelevel", "principalobjectaccess", "privilege", "processstage",
    "product", "publisher", "queue", "queueitem", "quote", "recurringappointmentmaster", "role", "roleprivileges",
    "roletemplate", "salesorder", "savedquery", "sdkmessage", "sdkmessagefilter", "sla",
    "socialactivity", "solution", "subject", "systemuser", "systemuserprofiles", "systemuserroles", "task",
    "team", "teammembership", "teamprofiles", "teamroles", "territory", "transactioncurrency", "userquery",
    "usersettings", "workflow",
];
