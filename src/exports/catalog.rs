//! The `catalog` interface.

use super::{Connector, Session};
use crate::catalog;
use crate::host::wasi::bindings::exports::integration::connector as contract;
use crate::host::wasi::bindings::integration::connector::types;
use crate::host::wasi::block_on;

impl contract::catalog::Guest for Connector {
    fn list_streams(
        session: contract::catalog::SessionBorrow<'_>,
    ) -> Result<Vec<contract::catalog::Summary>, types::Error> {
        let session: &Session = session.get();
        Ok(block_on(catalog::list(session.0.client()))?
            .into_iter()
            .map(Into::into)
            .collect())
    }

    fn describe_streams(
        session: contract::catalog::SessionBorrow<'_>,
        names: Vec<String>,
    ) -> Result<Vec<contract::catalog::Description>, types::Error> {
        let session: &Session = session.get();
        Ok(block_on(catalog::describe(session.0.client(), &names))?
            .into_iter()
            .map(Into::into)
            .collect())
    }

    fn list_views(
        session: contract::catalog::SessionBorrow<'_>,
        stream: Option<String>,
    ) -> Result<Vec<contract::catalog::View>, types::Error> {
        let session: &Session = session.get();
        Ok(
            block_on(catalog::list_views(session.0.client(), stream.as_deref()))?
                .into_iter()
                .map(|view| contract::catalog::View {
                    name: view.name,
                    title: view.title,
                    stream: view.stream,
                    personal: view.personal,
                })
                .collect(),
        )
    }

    fn create_column(
        session: contract::catalog::SessionBorrow<'_>,
        stream: String,
        column: contract::catalog::NewColumn,
    ) -> Result<contract::catalog::Column, types::Error> {
        let session: &Session = session.get();
        let column = column.into();
        Ok(block_on(catalog::create_column(session.0.client(), &stream, &column))?.into())
    }
}

same_variants!(catalog::StreamKind => contract::catalog::StreamKind:
    Table View Query History Members);
same_variants!(catalog::ChangeDetection => contract::catalog::ChangeDetection:
    Tracked Watermark None);
same_variants!(catalog::DataType => contract::catalog::DataType:
    Text Integer BigInteger Decimal FloatingPoint Boolean Date Timestamp Identifier Choice
    ChoiceList Reference StreamName File Other);
same_variants!(catalog::Requirement => contract::catalog::Requirement:
    Optional Recommended Required SystemRequired);
same_variants!(contract::catalog::Requirement => catalog::Requirement:
    Optional Recommended Required SystemRequired);
same_variants!(catalog::Cardinality => contract::catalog::Cardinality:
    ManyToOne OneToMany ManyToMany);

impl From<catalog::Summary> for contract::catalog::Summary {
    fn from(summary: catalog::Summary) -> Self {
        Self {
            kind: summary.kind().into(),
            name: summary.name,
            title: summary.title,
            change_detection: summary.change_detection.into(),
        }
    }
}

impl From<catalog::Column> for contract::catalog::Column {
    fn from(column: catalog::Column) -> Self {
        Self {
            name: column.name,
            title: column.title,
            data_type: column.data_type.into(),
            format: column.format,
            nullable: column.nullable,
            requirement: column.requirement.into(),
            creatable: column.creatable,
            updatable: column.updatable,
            secured: column.secured,
            max_length: column.max_length,
            scale: column.scale,
            minimum: column.bounds.minimum,
            maximum: column.bounds.maximum,
            choices: column
                .choices
                .into_iter()
                .map(|choice| contract::catalog::Choice {
                    value: choice.value,
                    label: choice.label,
                })
                .collect(),
            choice_set: column.choice_set,
            targets: column.targets,
        }
    }
}

impl From<contract::catalog::NewColumn> for catalog::NewColumn {
    fn from(column: contract::catalog::NewColumn) -> Self {
        Self {
            name: column.name,
            title: column.title,
            description: column.description,
            new_type: column.new_type.into(),
            requirement: column.requirement.into(),
            solution: column.solution,
        }
    }
}

impl From<contract::catalog::NewType> for catalog::NewType {
    fn from(new_type: contract::catalog::NewType) -> Self {
        use contract::catalog::NewType;
        match new_type {
            NewType::Text(text) => Self::Text {
                max_length: text.max_length,
                multiline: text.multiline,
            },
            NewType::Integer => Self::Integer,
            NewType::Decimal(digits) => Self::Decimal(digits),
            NewType::Money(digits) => Self::Money(digits),
            NewType::Boolean => Self::Boolean,
            NewType::Choice(choices) => Self::Choice(new_choices(choices)),
            NewType::ChoiceList(choices) => Self::ChoiceList(new_choices(choices)),
            NewType::Date => Self::Date,
            NewType::Timestamp => Self::Timestamp,
            NewType::Reference(stream) => Self::Reference(stream),
        }
    }
}

fn new_choices(choices: Vec<contract::catalog::NewChoice>) -> Vec<catalog::NewChoice> {
    choices
        .into_iter()
        .map(|choice| catalog::NewChoice {
            value: choice.value,
            label: choice.label,
        })
        .collect()
}

impl From<catalog::Description> for contract::catalog::Description {
    fn from(description: catalog::Description) -> Self {
        Self {
            summary: description.summary.into(),
            primary_key: description.primary_key,
            name_column: description.name_column,
            columns: description.columns.into_iter().map(Into::into).collect(),
            alternate_keys: description
                .alternate_keys
                .into_iter()
                .map(|key| contract::catalog::AlternateKey {
                    name: key.name,
                    columns: key.columns,
                    usable: key.usable,
                })
                .collect(),
            change_detection_reason: description.change_detection_reason,
            relationships: description
                .relationships
                .into_iter()
                .map(|relationship| contract::catalog::Relationship {
                    name: relationship.name,
                    cardinality: relationship.cardinality.into(),
                    column: relationship.column,
                    stream: relationship.table,
                    other_column: relationship.other_column,
                    pairs: relationship.pairs,
                })
                .collect(),
            row_schema: description.row_schema,
        }
    }
}
