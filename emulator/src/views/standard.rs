//! Views as a new organization with the sales solutions has them.

use super::{Join, Kind, View};

const PUBLIC: Kind = Kind::Public { default: false };
const DEFAULT: Kind = Kind::Public { default: true };

const ACTIVE: &str = r#"<condition attribute="statecode" operator="eq" value="0" />"#;
const INACTIVE: &str = r#"<condition attribute="statecode" operator="eq" value="1" />"#;
const MINE: &str = concat!(
    r#"<condition attribute="ownerid" operator="eq-userid" />"#,
    r#"<condition attribute="statecode" operator="eq" value="0" />"#
);

const fn view(
    table: &'static str,
    name: &'static str,
    kind: Kind,
    columns: &'static [&'static str],
    order: (&'static str, bool),
    filter: &'static str,
) -> View {
    View {
        table,
        name,
        kind,
        columns,
        order,
        filter,
        link: None,
        distinct: false,
    }
}

const fn joined(mut view: View, link: Join) -> View {
    view.link = Some(link);
    view
}

const ACCOUNT: &[&str] = &["name", "telephone1", "address1_city", "primarycontactid"];
const CONTACT: &[&str] = &[
    "fullname",
    "emailaddress1",
    "parentcustomerid",
    "telephone1",
];
const LEAD: &[&str] = &["fullname", "subject", "statuscode", "createdon"];
const OPPORTUNITY: &[&str] = &[
    "name",
    "customerid",
    "estimatedclosedate",
    "estimatedvalue",
    "closeprobability",
    "ownerid",
];
const CLOSED: &[&str] = &[
    "name",
    "customerid",
    "actualclosedate",
    "actualvalue",
    "ownerid",
];
const ACTIVITY: &[&str] = &[
    "subject",
    "regardingobjectid",
    "prioritycode",
    "scheduledend",
];

/// The primary contact's mail address beside an account.
const PRIMARY_CONTACT: Join = Join {
    attributes: "name=\"contact\" from=\"contactid\" to=\"primarycontactid\" visible=\"false\" \
                 link-type=\"outer\"",
    alias: "accountprimarycontactidcontactcontactid",
    columns: &["emailaddress1"],
    filter: "",
};

/// Every system view.
pub(super) const SYSTEM_VIEWS: &[View] = &[
    joined(
        view(
            "account",
            "Active Accounts",
            DEFAULT,
            ACCOUNT,
            ("name", false),
            ACTIVE,
        ),
        PRIMARY_CONTACT,
    ),
    view(
        "account",
        "Inactive Accounts",
        PUBLIC,
        ACCOUNT,
        ("name", false),
        INACTIVE,
    ),
    joined(
        view(
            "account",
            "My Active Accounts",
            PUBLIC,
            ACCOUNT,
            ("name", false),
            MINE,
        ),
        PRIMARY_CONTACT,
    ),
    view(
        "account",
        "Account Advanced Find View",
        Kind::Advanced,
        ACCOUNT,
        ("name", false),
        "",
    ),
    view(
        "account",
        "Account Associated View",
        Kind::Associated,
        ACCOUNT,
        ("name", false),
        ACTIVE,
    ),
    view(
        "account",
        "Quick Find Active Accounts",
        Kind::QuickFind,
        ACCOUNT,
        ("name", false),
        concat!(
            r#"<condition attribute="statecode" operator="eq" value="0" />"#,
            r#"<filter type="or" isquickfindfields="1">"#,
            r#"<condition attribute="name" operator="like" value="{0}" />"#,
            r#"<condition attribute="accountnumber" operator="like" value="{0}" />"#,
            r#"<condition attribute="emailaddress1" operator="like" value="{0}" />"#,
            "</filter>"
        ),
    ),
    view(
        "account",
        "Account Lookup View",
        Kind::Lookup,
        ACCOUNT,
        ("name", false),
        ACTIVE,
    ),
    view(
        "contact",
        "Active Contacts",
        DEFAULT,
        CONTACT,
        ("fullname", false),
        ACTIVE,
    ),
    view(
        "contact",
        "Inactive Contacts",
        PUBLIC,
        CONTACT,
        ("fullname", false),
        INACTIVE,
    ),
    view(
        "contact",
        "My Active Contacts",
        PUBLIC,
        CONTACT,
        ("fullname", false),
        MINE,
    ),
    view(
        "contact",
        "Contact Lookup View",
        Kind::Lookup,
        CONTACT,
        ("fullname", false),
        ACTIVE,
    ),
    view(
        "lead",
        "Open Leads",
        DEFAULT,
        LEAD,
        ("createdon", true),
        ACTIVE,
    ),
    view(
        "lead",
        "My Open Leads",
        PUBLIC,
        LEAD,
        ("createdon", true),
        MINE,
    ),
    view(
        "lead",
        "Leads Opened Last Week",
        PUBLIC,
        LEAD,
        ("createdon", true),
        r#"<condition attribute="createdon" operator="last-week" />"#,
    ),
    view(
        "lead",
        "Leads Older Than 6 Months",
        PUBLIC,
        LEAD,
        ("createdon", false),
        concat!(
            r#"<condition attribute="statecode" operator="eq" value="0" />"#,
            r#"<condition attribute="createdon" operator="olderthan-x-months" value="6" />"#
        ),
    ),
    view(
        "opportunity",
        "Open Opportunities",
        DEFAULT,
        OPPORTUNITY,
        ("name", false),
        ACTIVE,
    ),
    view(
        "opportunity",
        "My Open Opportunities",
        PUBLIC,
        OPPORTUNITY,
        ("estimatedclosedate", false),
        MINE,
    ),
    view(
        "opportunity",
        "Opportunities Closing Next Month",
        PUBLIC,
        OPPORTUNITY,
        ("estimatedclosedate", false),
        concat!(
            r#"<condition attribute="statecode" operator="eq" value="0" />"#,
            r#"<condition attribute="estimatedclosedate" operator="next-month" />"#
        ),
    ),
    view(
        "opportunity",
        "Won Opportunities",
        PUBLIC,
        CLOSED,
        ("actualclosedate", true),
        INACTIVE,
    ),
    view(
        "opportunity",
        "Lost Opportunities",
        PUBLIC,
        CLOSED,
        ("actualclosedate", true),
        r#"<condition attribute="statecode" operator="eq" value="2" />"#,
    ),
    view(
        "opportunity",
        "Closed Opportunities in Current Fiscal Year",
        PUBLIC,
        CLOSED,
        ("actualclosedate", true),
        concat!(
            r#"<condition attribute="statecode" operator="in">"#,
            "<value>1</value><value>2</value></condition>",
            r#"<condition attribute="actualclosedate" operator="this-fiscal-year" />"#
        ),
    ),
    view(
        "task",
        "All Tasks",
        PUBLIC,
        ACTIVITY,
        ("subject", false),
        "",
    ),
    view(
        "task",
        "My Tasks",
        DEFAULT,
        ACTIVITY,
        ("scheduledend", false),
        MINE,
    ),
    view(
        "phonecall",
        "My Phone Calls",
        DEFAULT,
        ACTIVITY,
        ("scheduledend", false),
        MINE,
    ),
    view(
        "activitypointer",
        "My Activities",
        DEFAULT,
        &[
            "subject",
            "activitytypecode",
            "regardingobjectid",
            "scheduledend",
        ],
        ("scheduledend", false),
        MINE,
    ),
    view(
        "activitypointer",
        "Activities Due in the Next 7 Days",
        PUBLIC,
        &[
            "subject",
            "activitytypecode",
            "regardingobjectid",
            "scheduledend",
        ],
        ("scheduledend", false),
        concat!(
            r#"<condition attribute="statecode" operator="eq" value="0" />"#,
            r#"<condition attribute="scheduledend" operator="next-x-days" value="7" />"#
        ),
    ),
    joined(
        view(
            "systemuser",
            "Enabled Users",
            DEFAULT,
            &["fullname", "businessunitid", "title"],
            ("fullname", false),
            concat!(
                r#"<condition attribute="isdisabled" operator="eq" value="0" />"#,
                r#"<condition attribute="accessmode" operator="ne" value="3" />"#
            ),
        ),
        Join {
            attributes: "name=\"businessunit\" from=\"businessunitid\" to=\"businessunitid\" \
                         visible=\"false\" link-type=\"outer\"",
            alias: "systemuserbusinessunitidbusinessunitbusinessunitid",
            columns: &["name"],
            filter: "",
        },
    ),
    view(
        "systemuser",
        "Disabled Users",
        PUBLIC,
        &["fullname", "businessunitid"],
        ("fullname", false),
        r#"<condition attribute="isdisabled" operator="eq" value="1" />"#,
    ),
    view(
        "team",
        "All Teams",
        DEFAULT,
        &["name", "teamtype", "businessunitid"],
        ("name", false),
        "",
    ),
    view(
        "campaign",
        "Active Campaigns",
        DEFAULT,
        &["name", "codename", "typecode", "statuscode"],
        ("name", false),
        ACTIVE,
    ),
    view(
        "list",
        "Active Marketing Lists",
        DEFAULT,
        &["listname", "type", "createdfromcode", "lastusedon"],
        ("listname", false),
        ACTIVE,
    ),
];

/// Views that people keep for themselves: the administrator's and a seller's.
pub(super) const PERSONAL: [View; 2] = [
    view(
        "account",
        "Accounts without a phone number",
        PUBLIC,
        &["name", "emailaddress1"],
        ("name", false),
        concat!(
            r#"<condition attribute="statecode" operator="eq" value="0" />"#,
            r#"<condition attribute="telephone1" operator="null" />"#
        ),
    ),
    View {
        distinct: true,
        ..joined(
            view(
                "account",
                "Accounts with open opportunities",
                PUBLIC,
                &["name", "address1_city", "ownerid"],
                ("name", false),
                ACTIVE,
            ),
            Join {
                attributes: "name=\"opportunity\" from=\"parentaccountid\" to=\"accountid\" \
                             link-type=\"inner\"",
                alias: "ab",
                columns: &[],
                filter: ACTIVE,
            },
        )
    },
];
