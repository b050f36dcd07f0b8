//! The `catalog` interface.

use std::cell::RefCell;

use super::{Connector, Session};
use crate::catalog;
use crate::host::wasi::bindings::exports::integration::connector as contract;
use crate::host::wasi::bindings::integration::connector::types;
use crate::host::wasi::block_on;

impl contract::catalog::Guest for Connector {
    type Description = Description;
    type NewColumn = NewColumn;

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
            .map(|table| contract::catalog::Description::new(Description(table)))
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
        let column = column.into_inner::<NewColumn>().0.into_inner();
        let created = block_on(catalog::create_column(session.0.client(), &stream, &column))?;
        Ok((&created).into())
    }
}

/// A described stream. Its parts are converted when the host requests them: most hosts need only
/// some, and a schema is as large as all other parts together.
pub(crate) struct Description(catalog::Table);

impl contract::catalog::GuestDescription for Description {
    fn summary(&self) -> contract::catalog::Summary {
        contract::catalog::Summary {
            name: self.0.name.clone(),
            kind: self.0.kind().into(),
            title: self.0.title.clone(),
            change_detection: self.0.change_detection.into(),
        }
    }

    fn primary_key(&self) -> Vec<String> {
        self.0.key()
    }

    fn name_column(&self) -> Option<String> {
        self.0.name_column.clone()
    }

    fn columns(&self) -> Vec<contract::catalog::Column> {
        self.0.columns.iter().map(Into::into).collect()
    }

    fn alternate_keys(&self) -> Vec<contract::catalog::AlternateKey> {
        self.0
            .alternate_keys
            .iter()
            .map(|key| contract::catalog::AlternateKey {
                name: key.name.clone(),
                columns: key.columns.clone(),
                usable: key.usable,
            })
            .collect()
    }

    fn relationships(&self) -> Vec<contract::catalog::Relationship> {
        self.0
            .relationships
            .iter()
            .map(|relationship| contract::catalog::Relationship {
                name: relationship.name.clone(),
                cardinality: relationship.cardinality.into(),
                column: relationship.column.clone(),
                stream: relationship.table.clone(),
                other_column: relationship.other_column.clone(),
                pairs: relationship.pairs.clone(),
            })
            .collect()
    }

    fn change_detection_reason(&self) -> String {
        self.0.change_detection_reason()
    }

    fn row_schema(&self) -> types::Json {
        catalog::row_schema(&self.0, None, false)
    }
}

/// A column to be created.
pub(crate) struct NewColumn(RefCell<catalog::NewColumn>);

impl contract::catalog::GuestNewColumn for NewColumn {
    fn new(name: String, title: String, new_type: contract::catalog::NewType) -> Self {
        Self(RefCell::new(catalog::NewColumn {
            name,
            title,
            description: None,
            new_type: new_type.into(),
            requirement: catalog::Requirement::default(),
            solution: None,
        }))
    }

    fn set_description(&self, description: String) {
        self.0.borrow_mut().description = Some(description);
    }

    fn set_requirement(&self, requirement: contract::catalog::Requirement) {
        self.0.borrow_mut().requirement = requirement.into();
    }

    fn set_solution(&self, solution: String) {
        self.0.borrow_mut().solution = Some(solution);
    }
}

same_variants!(catalog::StreamKind => contract::catalog::StreamKind:
    Table View Query History Members);
same_variants!(catalog::ChangeDetection => contract::catalog::ChangeDetection:
    Tracked Watermark None);
same_variants!(catalog::DataType => contract::catalog::DataType:
    Text Integer BigInteger Decimal FloatingPoint Boolean Date Timestamp LocalTimestamp Identifier
    Choice ChoiceList Reference StreamName File Other);
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

impl From<&catalog::Column> for contract::catalog::Column {
    fn from(column: &catalog::Column) -> Self {
        Self {
            name: column.name.clone(),
            title: column.title.clone(),
            data_type: column.data_type.into(),
            format: column.format.clone(),
            nullable: column.nullable,
            requirement: column.requirement.into(),
            creatable: column.creatable,
            updatable: column.updatable,
            secured: column.secured,
            max_length: column.max_length,
            scale: column.scale,
            minimum: column.bounds.minimum.clone(),
            maximum: column.bounds.maximum.clone(),
            choices: column
                .choices
                .iter()
                .map(|choice| contract::catalog::Choice {
                    value: choice.value,
                    label: choice.label.clone(),
                })
                .collect(),
            choice_set: column.choice_set.clone(),
            targets: column.targets.clone(),
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
