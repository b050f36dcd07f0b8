//! The enumerations whose members a query can name (reference §3, §5.1).

use super::Literal;
use crate::wire::ODataError;

const ENUMERATIONS: [(&str, &[&str]); 7] = [
    (
        "OwnershipTypes",
        &[
            "None",
            "UserOwned",
            "TeamOwned",
            "BusinessOwned",
            "OrganizationOwned",
            "BusinessParented",
        ],
    ),
    (
        "AttributeTypeCode",
        &[
            "String",
            "Memo",
            "Integer",
            "BigInt",
            "Decimal",
            "Double",
            "Money",
            "Boolean",
            "Picklist",
            "State",
            "Status",
            "Lookup",
            "Customer",
            "Owner",
            "PartyList",
            "DateTime",
            "Uniqueidentifier",
            "Virtual",
            "EntityName",
            "ManagedProperty",
            "CalendarRules",
        ],
    ),
    (
        "AttributeRequiredLevel",
        &[
            "None",
            "SystemRequired",
            "ApplicationRequired",
            "Recommended",
        ],
    ),
    (
        "RelationshipType",
        &["OneToManyRelationship", "ManyToManyRelationship"],
    ),
    ("EndpointAccessType", &["Default", "Internet", "Intranet"]),
    (
        "DeletedMetadataFilters",
        &[
            "Default",
            "Entity",
            "Attribute",
            "Relationship",
            "Label",
            "OptionSet",
            "All",
        ],
    ),
    (
        "TargetFieldType",
        &["All", "ValidForCreate", "ValidForUpdate", "ValidForRead"],
    ),
];

/// `Microsoft.Dynamics.CRM.{kind}'{member}'`.
pub(super) fn member(kind: &str, member: String) -> Result<Literal, ODataError> {
    if is_member(kind, &member) {
        return Ok(Literal::Member(kind.to_owned(), member));
    }
    Err(ODataError::syntax(format!(
        "The string 'Microsoft.Dynamics.CRM.{kind}'{member}'' is not a valid enumeration type \
         constant."
    )))
}

/// Whether the enumeration has a member of this name.
pub(crate) fn is_member(kind: &str, member: &str) -> bool {
    ENUMERATIONS
        .iter()
        .any(|(name, members)| *name == kind && members.contains(&member))
}

/// The enumeration that a property of a definition takes its value from.
pub(crate) fn of_property(path: &[String]) -> Option<&'static str> {
    match path {
        [name] if name == "OwnershipType" => Some("OwnershipTypes"),
        [name] if name == "RelationshipType" => Some("RelationshipType"),
        [name] if name == "AttributeType" => Some("AttributeTypeCode"),
        [name, value] if name == "RequiredLevel" && value == "Value" => {
            Some("AttributeRequiredLevel")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_members_of_an_enumeration_are_constants() {
        assert_eq!(
            member("EndpointAccessType", "Default".into()).unwrap(),
            Literal::Member("EndpointAccessType".into(), "Default".into())
        );
        assert!(member("EndpointAccessType", "UserOwned".into()).is_err());
        assert!(member("Nothing", "Default".into()).is_err());
    }
}
