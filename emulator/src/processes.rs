//! The business process flows of a new organization (reference §12.3): their definitions, which
//! are rows of `workflows`, and their stages, which are rows of `processstages`.

use uuid::Uuid;

use crate::{
    ids::SYSTEM,
    schema::metadata_id,
    store::{Author, Store, StoreError, Value, Writer},
};

/// A process whose instances are rows of a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// From the opportunity to its end.
    Opportunity,
    /// From the lead to the end of its opportunity.
    LeadToOpportunity,
}

/// The stages of both processes, in their order; the position is the `stagecategory`.
pub(crate) const STAGES: [&str; 4] = ["Qualify", "Develop", "Propose", "Close"];

impl Process {
    pub(crate) const ALL: [Self; 2] = [Self::Opportunity, Self::LeadToOpportunity];

    /// The table of its instances, which is also the definition's `uniquename`.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Opportunity => "opportunitysalesprocess",
            Self::LeadToOpportunity => "leadtoopportunitysalesprocess",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Opportunity => "Opportunity Sales Process",
            Self::LeadToOpportunity => "Lead to Opportunity Sales Process",
        }
    }

    /// The table whose rows a stage is about.
    fn primary_table(self, stage: usize) -> &'static str {
        match (self, stage) {
            (Self::LeadToOpportunity, 0) => "lead",
            _ => "opportunity",
        }
    }

    /// Key of the definition.
    pub(crate) fn id(self) -> Uuid {
        metadata_id(&["workflow", self.table()])
    }

    /// Key of a stage.
    pub(crate) fn stage(self, stage: usize) -> Uuid {
        metadata_id(&["processstage", self.table(), &stage.to_string()])
    }
}

/// Adds the processes whose tables the schema has.
pub(crate) fn seed(store: &Store) -> Result<(), StoreError> {
    let needed = ["workflow", "processstage"];
    if needed.iter().any(|table| store.layout(table).is_err()) {
        return Ok(());
    }
    let author = Author::in_person(SYSTEM, store.clock().now());
    store.write(|writer| {
        for process in Process::ALL {
            if store.layout(process.table()).is_ok() {
                add(writer, author, process)?;
            }
        }
        Ok(())
    })
}

fn add(writer: &Writer<'_>, author: Author, process: Process) -> Result<(), StoreError> {
    let id = process.id();
    writer.create(
        "workflow",
        author,
        &[
            ("workflowid", Value::Guid(id)),
            ("workflowidunique", Value::Guid(id)),
            ("name", process.name().into()),
            ("uniquename", process.table().into()),
            // A business process flow, and the definition itself.
            ("category", Value::Int(4)),
            ("type", Value::Int(1)),
            ("businessprocesstype", Value::Int(0)),
            ("primaryentity", process.primary_table(0).into()),
            ("scope", Value::Int(4)),
            ("mode", Value::Int(0)),
            ("ismanaged", Value::Bool(true)),
            ("componentstate", Value::Int(0)),
            ("statecode", Value::Int(1)),
            ("statuscode", Value::Int(2)),
        ],
    )?;
    for (at, name) in STAGES.into_iter().enumerate() {
        writer.create(
            "processstage",
            author,
            &[
                ("processstageid", Value::Guid(process.stage(at))),
                ("stagename", name.into()),
                (
                    "stagecategory",
                    Value::Int(i64::try_from(at).unwrap_or(i64::MAX)),
                ),
                ("processid", Value::lookup("workflow", id)),
                ("primaryentitytypecode", process.primary_table(at).into()),
            ],
        )?;
    }
    Ok(())
}
