//! A column's line and the indented lines below it.

use super::{
    super::{Cascade, Choice, Column, ColumnKind, Label, Relationship, RequiredLevel, SourceType},
    kind::column_kind,
    words::{Words, number},
};

/// Reads the line of a column.
pub(super) fn read_column(table: &str, line: &str) -> Result<Column, String> {
    let mut words = Words(line);
    let schema_name = words.name()?;
    let kind = column_kind(words.expect("a type")?)?;
    let mut column = Column {
        display_name: words.optional_quoted()?.map(Label::from),
        ..Column::plain(table, &schema_name, kind)
    };
    while let Some(flag) = words.next() {
        match flag {
            "required" => column.required = RequiredLevel::ApplicationRequired,
            "recommended" => column.required = RequiredLevel::Recommended,
            "system" => column.required = RequiredLevel::SystemRequired,
            "read-only" => (column.creatable, column.updatable) = (false, false),
            "create-only" => column.updatable = false,
            "update-only" => column.creatable = false,
            "unreadable" => column.readable = false,
            "calculated" => column.source = SourceType::Calculated,
            "rollup" => column.source = SourceType::Rollup,
            "custom" => column.is_custom = true,
            "secured" => column.secured = true,
            "of" => column.attribute_of = Some(words.name()?),
            "global" => match &mut column.kind {
                ColumnKind::Picklist { global, .. }
                | ColumnKind::MultiSelectPicklist { global, .. } => *global = Some(words.name()?),
                _ => return Err("only choices can be `global`".into()),
            },
            "default-yes" => match &mut column.kind {
                ColumnKind::Boolean { default, .. } => *default = true,
                _ => return Err("only a yes-no column can be `default-yes`".into()),
            },
            other => return Err(format!("`{other}` is not a column flag")),
        }
    }
    Ok(column)
}

/// Reads an indented line: a reference to another table, or a choice.
pub(super) fn read_detail(
    table: &str,
    column: &mut Column,
    line: &str,
) -> Result<Option<Relationship>, String> {
    let mut words = Words(line);
    let first = words.expect("a choice or ->")?;
    if first == "->" {
        return read_reference(table, column, words).map(Some);
    }
    match &mut column.kind {
        ColumnKind::Boolean {
            true_label,
            false_label,
            ..
        } => match first {
            "yes" => *true_label = words.tail()?.into(),
            "no" => *false_label = words.tail()?.into(),
            _ => return Err("the choices of a yes-no column are `yes` and `no`".into()),
        },
        ColumnKind::Picklist { options, .. }
        | ColumnKind::MultiSelectPicklist { options, .. }
        | ColumnKind::State { options } => {
            options.push(Choice {
                value: number(first)?,
                label: words.tail()?.into(),
                state: None,
            });
        }
        ColumnKind::Status { options } => {
            if words.expect("`in`")? != "in" {
                return Err("a status names its state, as in `1 in 0  Active`".into());
            }
            let state = Some(words.number()?);
            options.push(Choice {
                value: number(first)?,
                label: words.tail()?.into(),
                state,
            });
        }
        _ => return Err(format!("column {} takes no choices", column.schema_name)),
    }
    Ok(None)
}

fn read_reference(
    table: &str,
    column: &mut Column,
    mut words: Words<'_>,
) -> Result<Relationship, String> {
    let referenced_table = words.name()?;
    let referencing_navigation = words.name()?;
    let schema_name = words.name()?;
    let mut referenced_navigation = Some(schema_name.clone());
    let mut cascade_delete = Cascade::RemoveLink;
    while let Some(word) = words.next() {
        match word {
            "reverse" => referenced_navigation = Some(words.name()?),
            "no-reverse" => referenced_navigation = None,
            "cascade" => cascade_delete = Cascade::Cascade,
            "restrict" => cascade_delete = Cascade::Restrict,
            other => return Err(format!("`{other}` is not allowed after a reference")),
        }
    }
    match &mut column.kind {
        ColumnKind::Lookup { targets } | ColumnKind::Customer { targets } => {
            targets.push(referenced_table.clone());
        }
        ColumnKind::Owner | ColumnKind::Uniqueidentifier => {}
        _ => {
            return Err(format!(
                "column {} cannot refer to a table",
                column.schema_name
            ));
        }
    }
    Ok(Relationship::OneToMany {
        schema_name,
        referenced_table,
        // The key of the referenced table is known once all tables are read.
        referenced_column: String::new(),
        referencing_table: table.to_owned(),
        referencing_column: column.logical_name.clone(),
        referencing_navigation,
        referenced_navigation,
        cascade_delete,
    })
}
