//! The request that creates a column (reference §5.7).

use super::name::SchemaName;
use super::{NewChoice, NewColumn, NewType, Requirement};
use crate::json::{Writer, array, quoted};

/// The longest name of a relationship, in characters.
const MAX_RELATIONSHIP_NAME: usize = 100;

/// A column to be created, its table, and what its description needs.
pub(super) struct Request<'n> {
    pub(super) table: &'n str,
    pub(super) name: &'n SchemaName,
    pub(super) new: &'n NewColumn,
    /// The language of labels (an LCID).
    pub(super) language: i64,
    /// The first value of the publisher's choices, if it is known.
    pub(super) first_value: Option<i32>,
}

impl Request<'_> {
    /// The resource and the body of the request. A lookup is created with its relationship.
    pub(super) fn compose(&self) -> (String, String) {
        if let NewType::Reference(target) = &self.new.new_type {
            return (
                "RelationshipDefinitions".to_owned(),
                self.relationship(target),
            );
        }
        let path = format!("EntityDefinitions(LogicalName='{}')/Attributes", self.table);
        (path, self.column())
    }

    fn column(&self) -> String {
        let new_type = &self.new.new_type;
        let (kind, type_name) = match new_type {
            NewType::Text { multiline, .. } if *multiline => ("Memo", "Memo"),
            NewType::Text { .. } => ("String", "String"),
            NewType::Integer => ("Integer", "Integer"),
            NewType::Decimal(_) => ("Decimal", "Decimal"),
            NewType::Money(_) => ("Money", "Money"),
            NewType::Boolean => ("Boolean", "Boolean"),
            NewType::Choice(_) => ("Picklist", "Picklist"),
            // The older name of the type does not distinguish it.
            NewType::ChoiceList(_) => ("Virtual", "MultiSelectPicklist"),
            NewType::Date | NewType::Timestamp => ("DateTime", "DateTime"),
            NewType::Reference(_) => ("Lookup", "Lookup"),
        };
        let mut column = Writer::new();
        column.text(
            "@odata.type",
            &format!("Microsoft.Dynamics.CRM.{type_name}AttributeMetadata"),
        );
        column.text("AttributeType", kind);
        column.member("AttributeTypeName", &value(&format!("{type_name}Type")));
        column.text("SchemaName", self.name.as_str());
        let title = match self.new.title.trim() {
            "" => self.name.as_str(),
            title => title,
        };
        column.member("DisplayName", &self.label(title));
        if let Some(description) = &self.new.description {
            column.member("Description", &self.label(description));
        }
        column.member(
            "RequiredLevel",
            &value(match self.new.requirement {
                Requirement::Optional => "None",
                Requirement::Recommended => "Recommended",
                Requirement::Required | Requirement::SystemRequired => "ApplicationRequired",
            }),
        );
        self.write_type(&mut column);
        column.end()
    }

    /// The properties that only columns of this type have.
    fn write_type(&self, column: &mut Writer) {
        let mut bounds = |minimum: &str, maximum: &str| {
            column.member("MinValue", minimum);
            column.member("MaxValue", maximum);
        };
        match &self.new.new_type {
            NewType::Text {
                max_length,
                multiline,
            } => {
                column.member("MaxLength", &max_length.to_string());
                let format = if *multiline { "TextArea" } else { "Text" };
                column.member("FormatName", &value(format));
            }
            NewType::Integer => {
                bounds("-2147483648", "2147483647");
                column.text("Format", "None");
            }
            NewType::Decimal(digits) => {
                bounds("-100000000000", "100000000000");
                column.member("Precision", &digits.to_string());
            }
            NewType::Money(digits) => {
                bounds("-922337203685477", "922337203685477");
                column.member("Precision", &digits.to_string());
                // The precision of the column, not of the currency.
                column.member("PrecisionSource", "0");
            }
            NewType::Boolean => {
                let mut set = Writer::new();
                set.text("OptionSetType", "Boolean");
                set.member("TrueOption", &self.option(Some(1), "Yes"));
                set.member("FalseOption", &self.option(Some(0), "No"));
                column.member("OptionSet", &set.end());
                column.member("DefaultValue", "false");
            }
            NewType::Choice(choices) | NewType::ChoiceList(choices) => {
                let mut set = Writer::new();
                set.text("OptionSetType", "Picklist");
                set.member("IsGlobal", "false");
                set.member("Options", &self.options(choices));
                column.member("OptionSet", &set.end());
            }
            NewType::Date => {
                column.text("Format", "DateOnly");
                column.member("DateTimeBehavior", &value("DateOnly"));
            }
            NewType::Timestamp => {
                column.text("Format", "DateAndTime");
                column.member("DateTimeBehavior", &value("UserLocal"));
            }
            NewType::Reference(target) => {
                column.member("Targets", &array([quoted(target)].into_iter()));
            }
        }
    }

    fn relationship(&self, target: &str) -> String {
        let mut name = format!("{}_{}_{target}", self.name, self.table);
        name.truncate(MAX_RELATIONSHIP_NAME);
        let mut relationship = Writer::new();
        relationship.text(
            "@odata.type",
            "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        );
        relationship.text("SchemaName", &name);
        relationship.text("ReferencedEntity", target);
        relationship.text("ReferencingEntity", self.table);
        // Deleting the other row clears the reference; nothing else cascades.
        relationship.member(
            "CascadeConfiguration",
            "{\"Assign\":\"NoCascade\",\"Delete\":\"RemoveLink\",\"Merge\":\"NoCascade\",\
             \"Reparent\":\"NoCascade\",\"Share\":\"NoCascade\",\"Unshare\":\"NoCascade\"}",
        );
        relationship.member("Lookup", &self.column());
        relationship.end()
    }

    /// The choices; those without a value get the next free value of the publisher.
    fn options(&self, choices: &[NewChoice]) -> String {
        let mut next = self.first_value;
        let options = choices.iter().map(|choice| {
            let is_taken = |value| choices.iter().any(|choice| choice.value == value);
            while next.is_some() && is_taken(next) {
                next = next.and_then(|value| value.checked_add(1));
            }
            let value = choice.value.or_else(|| {
                let value = next?;
                next = value.checked_add(1);
                Some(value)
            });
            self.option(value, &choice.label)
        });
        array(options)
    }

    fn option(&self, value: Option<i32>, label: &str) -> String {
        let mut option = Writer::new();
        // Without a value the service chooses one.
        if let Some(value) = value {
            option.member("Value", &value.to_string());
        }
        option.member("Label", &self.label(label));
        option.end()
    }

    fn label(&self, text: &str) -> String {
        let mut localized = Writer::new();
        localized.text("@odata.type", "Microsoft.Dynamics.CRM.LocalizedLabel");
        localized.text("Label", text);
        localized.member("LanguageCode", &self.language.to_string());
        let mut label = Writer::new();
        label.text("@odata.type", "Microsoft.Dynamics.CRM.Label");
        label.member("LocalizedLabels", &array([localized.end()].into_iter()));
        label.end()
    }
}

/// `{"Value": …}`, as many properties are.
fn value(text: &str) -> String {
    let mut value = Writer::new();
    value.text("Value", text);
    value.end()
}
