//! The tab on which the role editor shows a privilege, and its name there.
//!
//! Titles of custom tables are known from metadata only; those of the standard tables are
//! known here, so that a role can be described without an environment.

use std::fmt;

use super::{PrivilegeName, Right};

/// A tab of the role editor, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Accounts, contacts, activities and what belongs to them.
    CoreRecords,
    /// Campaigns and marketing lists.
    Marketing,
    /// Products, quotes, orders.
    Sales,
    /// Cases.
    Service,
    /// Users, teams, business units, the organization.
    BusinessManagement,
    /// Service levels.
    ServiceManagement,
    /// Metadata, processes, views.
    Customization,
    /// One table for each business process flow.
    BusinessProcessFlows,
    /// Tables that are not part of the product.
    CustomEntities,
}

impl Section {
    /// The tab's title.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CoreRecords => "Core Records",
            Self::Marketing => "Marketing",
            Self::Sales => "Sales",
            Self::Service => "Service",
            Self::BusinessManagement => "Business Management",
            Self::ServiceManagement => "Service Management",
            Self::Customization => "Customization",
            Self::BusinessProcessFlows => "Business Process Flows",
            Self::CustomEntities => "Custom Entities",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A privilege in the words of the role editor: "Account: Read", on the tab "Core Records".
///
/// The order is that of the editor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleEditorEntry {
    /// The tab.
    pub section: Section,
    /// Whether it belongs to no table; the editor lists such privileges below the tables of the
    /// tab.
    is_miscellaneous: bool,
    /// The row: a table's title, or "Miscellaneous Privileges".
    pub subject: String,
    right: Option<Right>,
    /// The column: a right, or what else may be done.
    pub action: String,
}

/// The row under which the editor lists privileges that belong to no table.
const MISCELLANEOUS: &str = "Miscellaneous Privileges";

impl RoleEditorEntry {
    /// The entry of a privilege. `title` is the title of its table, if the metadata has it.
    pub fn of(privilege: &PrivilegeName, title: Option<&str>) -> Self {
        if let Some((section, _, action)) = MISCELLANEOUS_PRIVILEGES
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(privilege.as_str()))
        {
            return Self::miscellaneous(*section, action);
        }
        let Some((right, subject)) = privilege.parts() else {
            return Self::miscellaneous(Section::CustomEntities, privilege.as_str());
        };
        let known = SUBJECTS
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(subject));
        let (section, subject) = match known {
            Some((section, _, title)) => (*section, *title),
            None => (Section::CustomEntities, title.unwrap_or(subject)),
        };
        Self {
            section,
            is_miscellaneous: false,
            subject: subject.to_owned(),
            right: Some(right),
            action: right.to_string(),
        }
    }

    fn miscellaneous(section: Section, action: &str) -> Self {
        Self {
            section,
            is_miscellaneous: true,
            subject: MISCELLANEOUS.to_owned(),
            right: None,
            action: action.to_owned(),
        }
    }

    /// How an administrator grants it: a clause such as "in a security role of the account,
    /// set Read of Account (tab Core Records) to Organization".
    pub(crate) fn remedy(&self, depth: super::Depth) -> String {
        format!(
            "in a security role of the account (Power Platform admin center, the environment, \
             Settings, Users + permissions, Security roles) open the tab {} and set \"{}\" of {} \
             to {depth}",
            self.section, self.action, self.subject
        )
    }
}

impl fmt::Display for RoleEditorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.action)
    }
}

/// The subjects of privileges, with their titles.
const SUBJECTS: [(Section, &str, &str); 58] = {
    use Section::{
        BusinessManagement, BusinessProcessFlows, CoreRecords, Customization, Marketing, Sales,
        Service, ServiceManagement,
    };
    [
        (CoreRecords, "Account", "Account"),
        (CoreRecords, "Activity", "Activity"),
        (CoreRecords, "Connection", "Connection"),
        (CoreRecords, "ConnectionRole", "Connection Role"),
        (CoreRecords, "Contact", "Contact"),
        (
            CoreRecords,
            "CustomerOpportunityRole",
            "Opportunity Relationship",
        ),
        (CoreRecords, "DuplicateRule", "Duplicate Detection Rule"),
        (CoreRecords, "ImportMap", "Data Map"),
        (CoreRecords, "Lead", "Lead"),
        (CoreRecords, "Note", "Note"),
        (CoreRecords, "Opportunity", "Opportunity"),
        (CoreRecords, "Queue", "Queue"),
        (CoreRecords, "UserQuery", "Saved View"),
        (Marketing, "Campaign", "Campaign"),
        (Marketing, "List", "Marketing List"),
        (Sales, "Competitor", "Competitor"),
        (Sales, "Invoice", "Invoice"),
        (Sales, "Order", "Order"),
        (Sales, "PriceLevel", "Price List"),
        (Sales, "Product", "Product"),
        (Sales, "Quote", "Quote"),
        (Sales, "Territory", "Territory"),
        (Service, "Incident", "Case"),
        (Service, "Subject", "Subject"),
        (BusinessManagement, "BusinessUnit", "Business Unit"),
        (
            BusinessManagement,
            "EmailServerProfile",
            "Email Server Profile",
        ),
        (
            BusinessManagement,
            "FieldSecurityProfile",
            "Field Security Profile",
        ),
        (BusinessManagement, "Goal", "Goal"),
        (BusinessManagement, "Mailbox", "Mailbox"),
        (BusinessManagement, "Organization", "Organization"),
        (BusinessManagement, "Position", "Position"),
        (BusinessManagement, "Role", "Security Role"),
        (BusinessManagement, "Team", "Team"),
        (BusinessManagement, "TransactionCurrency", "Currency"),
        (BusinessManagement, "User", "User"),
        (BusinessManagement, "UserSettings", "User Settings"),
        (ServiceManagement, "SLA", "SLA"),
        (Customization, "AsyncOperation", "System Job"),
        (Customization, "Attribute", "Field"),
        (Customization, "AttributeMap", "Attribute Map"),
        (Customization, "Customization", "Customizations"),
        (Customization, "Entity", "Entity"),
        (Customization, "EntityKey", "Entity Key"),
        (Customization, "EntityMap", "Entity Map"),
        (Customization, "OptionSet", "Option Set"),
        (Customization, "ProcessStage", "Process Stage"),
        (Customization, "Publisher", "Publisher"),
        (Customization, "Query", "View"),
        (Customization, "Relationship", "Relationship"),
        (Customization, "SdkMessage", "Sdk Message"),
        (Customization, "SdkMessageFilter", "Sdk Message Filter"),
        (Customization, "Solution", "Solution"),
        (Customization, "SystemForm", "System Form"),
        (Customization, "WebResource", "Web Resource"),
        (Customization, "Workflow", "Process"),
        (
            BusinessProcessFlows,
            "LeadToOpportunitySalesProcess",
            "Lead To Opportunity Sales Process",
        ),
        (
            BusinessProcessFlows,
            "OpportunitySalesProcess",
            "Opportunity Sales Process",
        ),
        (
            BusinessProcessFlows,
            "PhoneToCaseProcess",
            "Phone To Case Process",
        ),
    ]
};

/// Privileges that belong to no table.
const MISCELLANEOUS_PRIVILEGES: [(Section, &str, &str); 4] = [
    (
        Section::CoreRecords,
        "prvReadRecordAuditHistory",
        "View Audit History",
    ),
    (
        Section::CoreRecords,
        "prvReadAuditSummary",
        "View Audit Summary",
    ),
    (Section::BusinessManagement, "prvBulkEdit", "Bulk Edit"),
    (
        Section::BusinessManagement,
        "prvActOnBehalfOfAnotherUser",
        "Act on Behalf of Another User",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_named_as_in_the_role_editor() {
        for (name, title, words, section) in [
            ("prvReadAccount", None, "Account: Read", "Core Records"),
            (
                "prvAppendToUser",
                Some("Nutzer"),
                "User: Append To",
                "Business Management",
            ),
            (
                "prvreadopportunitysalesprocess",
                None,
                "Opportunity Sales Process: Read",
                "Business Process Flows",
            ),
            ("prvCreateAttribute", None, "Field: Create", "Customization"),
            (
                "prvReadAuditSummary",
                None,
                "Miscellaneous Privileges: View Audit Summary",
                "Core Records",
            ),
            (
                "prvReadnew_Tour",
                Some("Tour"),
                "Tour: Read",
                "Custom Entities",
            ),
            ("prvReadnew_Tour", None, "new_Tour: Read", "Custom Entities"),
            (
                "prvGoOffline",
                None,
                "Miscellaneous Privileges: prvGoOffline",
                "Custom Entities",
            ),
        ] {
            let found = RoleEditorEntry::of(&PrivilegeName::parse(name).unwrap(), title);
            assert_eq!(found.to_string(), words, "{name}");
            assert_eq!(found.section.as_str(), section, "{name}");
        }
    }

    #[test]
    fn entries_are_in_the_order_of_the_role_editor() {
        let words = |name: &str| RoleEditorEntry::of(&PrivilegeName::parse(name).unwrap(), None);
        let names = [
            "prvReadAccount",
            "prvAppendAccount",
            "prvAppendToAccount",
            "prvReadContact",
            "prvReadAuditSummary",
            "prvReadCampaign",
            "prvReadUser",
            "prvReadEntity",
            "prvReadnew_Tour",
        ];
        assert!(names.map(words).is_sorted());
    }
}
