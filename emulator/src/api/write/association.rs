//! Many-to-many associations (reference §7.4).

use uuid::Uuid;

use crate::{
    api::{Call, security::Change},
    odata::Navigation,
    schema::{Relationship, Table, metadata_id},
    store::{StoreError, Value, Writer},
    wire::ODataError,
};

/// An association of two rows.
struct Link<'a> {
    intersect: &'a Table,
    one: End<'a>,
    other: End<'a>,
}

/// One of the rows of an association.
struct End<'a> {
    table: &'a Table,
    /// The intersect table's column with the row's key.
    column: &'a str,
    id: Uuid,
}

impl Call<'_> {
    /// Fails unless the caller may associate or part two rows, whether or not they are associated.
    pub(in crate::api) fn require_change(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        navigation: &str,
        other_id: Uuid,
        change: Change,
    ) -> Result<(), ODataError> {
        let link = self.association(table, id, navigation, other_id)?;
        self.require_link(writer, &link, change)
    }

    /// Adds the row that associates two others.
    pub(in crate::api) fn associate(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        navigation: &str,
        other_id: Uuid,
    ) -> Result<(), ODataError> {
        let link = self.association(table, id, navigation, other_id)?;
        self.require_link(writer, &link, Change::Associate)?;
        let Link {
            intersect,
            one,
            other,
        } = link;
        let key = link_id(&intersect.logical_name, one.id, other.id);
        if writer.row(&intersect.logical_name, key)?.is_some()
            || linked(writer, intersect, &one, &other)?.is_some()
        {
            return Err(ODataError::precondition(
                "0x80040237",
                "Cannot insert duplicate key.",
            ));
        }
        writer.create(
            &intersect.logical_name,
            self.author(),
            &[
                (intersect.primary_id.as_str(), Value::Guid(key)),
                (one.column, Value::lookup(&one.table.logical_name, one.id)),
                (
                    other.column,
                    Value::lookup(&other.table.logical_name, other.id),
                ),
            ],
        )?;
        Ok(())
    }

    /// Removes the row that associates two others.
    pub(in crate::api) fn disassociate(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        navigation: &str,
        other_id: Uuid,
    ) -> Result<(), ODataError> {
        let link = self.association(table, id, navigation, other_id)?;
        self.require_link(writer, &link, Change::Disassociate)?;
        let found = linked(writer, link.intersect, &link.one, &link.other)?;
        let found = found.ok_or_else(|| {
            let ends = [&link.other, &link.one];
            let far = ends.into_iter().find(|end| end.id == other_id);
            let table = far.map_or(&table.logical_name, |end| &end.table.logical_name);
            ODataError::no_row(table, other_id)
        })?;
        writer.delete(&link.intersect.logical_name, found)?;
        Ok(())
    }

    /// The ends of an association, in the order of the relationship, whichever way it is followed.
    fn association(
        &self,
        table: &Table,
        id: Uuid,
        navigation: &str,
        other_id: Uuid,
    ) -> Result<Link<'_>, ODataError> {
        let unknown = || ODataError::unknown_segment(navigation);
        let Some(Navigation::Associated {
            table: other,
            intersect,
            near,
            ..
        }) = self.model().navigation(&table.logical_name, navigation)
        else {
            return Err(unknown());
        };
        let model = self.model();
        let found = model
            .schema
            .relationships()
            .iter()
            .find_map(|relationship| {
                let Relationship::ManyToMany {
                    intersect_table,
                    table1,
                    intersect_column1,
                    table2,
                    intersect_column2,
                    ..
                } = relationship
                else {
                    return None;
                };
                let forwards =
                    *table1 == table.logical_name && table2 == other && intersect_column1 == near;
                let backwards =
                    *table2 == table.logical_name && table1 == other && intersect_column2 == near;
                (intersect_table == intersect && (forwards || backwards)).then_some((
                    (table1, intersect_column1),
                    (table2, intersect_column2),
                    forwards,
                ))
            });
        let ((table1, column1), (table2, column2), forwards) = found.ok_or_else(unknown)?;
        let (first, second) = if forwards {
            (id, other_id)
        } else {
            (other_id, id)
        };
        Ok(Link {
            intersect: model.table(intersect)?,
            one: End {
                table: model.table(table1)?,
                column: column1,
                id: first,
            },
            other: End {
                table: model.table(table2)?,
                column: column2,
                id: second,
            },
        })
    }

    /// Rejects a caller who may not make or end this association (reference §11.2).
    fn require_link(
        &self,
        writer: &Writer<'_>,
        link: &Link<'_>,
        change: Change,
    ) -> Result<(), ODataError> {
        let one = (link.one.table, link.one.id);
        let other = (link.other.table, link.other.id);
        self.require_appendable(writer, one, other)?;
        let intersect = &link.intersect.logical_name;
        self.require_association(writer, intersect, one, other, change)
    }
}

fn link_id(intersect: &str, one: Uuid, other: Uuid) -> Uuid {
    metadata_id(&["link", intersect, &one.to_string(), &other.to_string()])
}

/// The row that associates two others, if there is one.
fn linked(
    writer: &Writer<'_>,
    intersect: &Table,
    one: &End<'_>,
    other: &End<'_>,
) -> Result<Option<Uuid>, StoreError> {
    let name = &intersect.logical_name;
    let layout = writer.store().layout(name)?;
    for link in writer.referring(name, one.column, one.id)? {
        let row = writer.row(name, link)?;
        if row.is_some_and(|row| layout.get(&row.values, other.column).id() == Some(other.id)) {
            return Ok(Some(link));
        }
    }
    Ok(None)
}
