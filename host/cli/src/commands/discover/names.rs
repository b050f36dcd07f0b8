//! The contract's names of kinds and types, as it writes them.

use dataverse_host::contract::{Cardinality, ChangeDetection, DataType, Requirement, StreamKind};

pub(super) fn kind(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Table => "table",
        StreamKind::View => "view",
        StreamKind::Query => "query",
        StreamKind::History => "history",
        StreamKind::Members => "members",
    }
}

pub(super) fn change_detection(detection: ChangeDetection) -> &'static str {
    match detection {
        ChangeDetection::Tracked => "tracked",
        ChangeDetection::Watermark => "watermark",
        ChangeDetection::None => "none",
    }
}

pub(super) fn requirement(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Optional => "optional",
        Requirement::Recommended => "recommended",
        Requirement::Required => "required",
        Requirement::SystemRequired => "system-required",
    }
}

pub(super) fn cardinality(cardinality: Cardinality) -> &'static str {
    match cardinality {
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    }
}

pub(super) fn data_type(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Text => "text",
        DataType::Integer => "integer",
        DataType::BigInteger => "big-integer",
        DataType::Decimal => "decimal",
        DataType::FloatingPoint => "floating-point",
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Timestamp => "timestamp",
        DataType::LocalTimestamp => "local-timestamp",
        DataType::Identifier => "identifier",
        DataType::Choice => "choice",
        DataType::ChoiceList => "choice-list",
        DataType::Reference => "reference",
        DataType::StreamName => "stream-name",
        DataType::File => "file",
        DataType::Other => "other",
    }
}
