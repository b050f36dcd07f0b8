//! The saved views of a new organization (reference §4.14): those of the system and a few of
//! people.

mod standard;
mod xml;

use uuid::Uuid;

use crate::{
    ids::{ADMINISTRATOR, DEFAULT_TEAM, SELLERS, SYSTEM},
    schema::{PrivilegeType, metadata_id},
    store::{Author, Store, StoreError, Value, Writer},
};
use standard::{PERSONAL, SYSTEM_VIEWS};

/// A view: which rows of a table, which columns, in which order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) table: &'static str,
    pub(crate) name: &'static str,
    kind: Kind,
    columns: &'static [&'static str],
    /// The column that orders, and whether downwards.
    order: (&'static str, bool),
    /// The contents of the query's `filter`.
    filter: &'static str,
    /// Joined tables, with the columns that the view shows of them.
    link: Option<Join>,
    distinct: bool,
}

/// A table joined to a view's own.
#[derive(Debug, Clone, Copy)]
struct Join {
    /// The attributes of the `link-entity` element.
    attributes: &'static str,
    alias: &'static str,
    columns: &'static [&'static str],
    /// The contents of its `filter`.
    filter: &'static str,
}

/// What a view is for (`querytype`, reference §4.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A list that users choose; the default is what they see first.
    Public { default: bool },
    /// The columns of an advanced search.
    Advanced,
    /// The rows that belong to a row of another table.
    Associated,
    /// What the search box of a list finds.
    QuickFind,
    /// What a lookup offers.
    Lookup,
}

impl Kind {
    fn query_type(self) -> i64 {
        match self {
            Self::Public { .. } => 0,
            Self::Advanced => 1,
            Self::Associated => 2,
            Self::QuickFind => 4,
            Self::Lookup => 64,
        }
    }
}

/// Adds the views whose tables the schema has.
pub(crate) fn seed(store: &Store) -> Result<(), StoreError> {
    if store.layout("savedquery").is_err() || store.layout("userquery").is_err() {
        return Ok(());
    }
    let now = store.clock().now();
    store.write(|writer| {
        let system = Author::in_person(SYSTEM, now);
        for view in SYSTEM_VIEWS {
            add_system_view(writer, system, view)?;
        }
        let [seller, ..] = SELLERS;
        for (view, owner) in PERSONAL.iter().zip([ADMINISTRATOR, seller]) {
            add_personal_view(writer, Author::in_person(owner, now), view)?;
        }
        // The seller's view is shared with all users of the root business unit.
        match PERSONAL.get(1) {
            Some(view) => share(writer, system, view_id("userquery", view), DEFAULT_TEAM),
            None => Ok(()),
        }
    })
}

/// Key of the row that holds a view.
fn view_id(table: &str, view: &View) -> Uuid {
    metadata_id(&[table, view.table, view.name])
}

fn add_system_view(writer: &Writer<'_>, author: Author, view: &View) -> Result<(), StoreError> {
    let Ok(table) = writer.store().table(view.table) else {
        return Ok(());
    };
    let id = view_id("savedquery", view);
    let mut values = common(view, table);
    values.extend([
        ("savedqueryid", Value::Guid(id)),
        ("savedqueryidunique", Value::Guid(id)),
        (
            "isdefault",
            Value::Bool(view.kind == Kind::Public { default: true }),
        ),
        (
            "isquickfindquery",
            Value::Bool(view.kind == Kind::QuickFind),
        ),
        ("iscustom", Value::Bool(false)),
        ("ismanaged", Value::Bool(true)),
        ("isuserdefined", Value::Bool(false)),
        ("componentstate", Value::Int(0)),
        ("introducedversion", "5.0.0.0".into()),
    ]);
    writer.create("savedquery", author, &values)?;
    Ok(())
}

fn add_personal_view(writer: &Writer<'_>, owner: Author, view: &View) -> Result<(), StoreError> {
    let Ok(table) = writer.store().table(view.table) else {
        return Ok(());
    };
    let mut values = common(view, table);
    values.push(("userqueryid", Value::Guid(view_id("userquery", view))));
    writer.create("userquery", owner, &values)?;
    Ok(())
}

fn common(view: &View, table: &crate::schema::Table) -> Vec<(&'static str, Value)> {
    vec![
        ("name", view.name.into()),
        ("returnedtypecode", view.table.into()),
        ("querytype", Value::Int(view.kind.query_type())),
        ("fetchxml", Value::Text(xml::fetch(view, table))),
        ("layoutxml", Value::Text(xml::layout(view, table))),
    ]
}

/// Lets a team read a personal view.
fn share(writer: &Writer<'_>, author: Author, view: Uuid, team: Uuid) -> Result<(), StoreError> {
    let known = writer.row("userquery", view)?.is_some();
    if !known || writer.store().layout("principalobjectaccess").is_err() {
        return Ok(());
    }
    let id = metadata_id(&["share", &view.to_string(), &team.to_string()]);
    writer.create(
        "principalobjectaccess",
        author,
        &[
            ("principalobjectaccessid", Value::Guid(id)),
            ("objectid", Value::Guid(view)),
            ("objecttypecode", "userquery".into()),
            ("principalid", Value::Guid(team)),
            ("principaltypecode", "team".into()),
            (
                "accessrightsmask",
                Value::Int(PrivilegeType::Read.access_right()),
            ),
            ("inheritedaccessrightsmask", Value::Int(0)),
            ("changedon", Value::DateTime(author.now)),
        ],
    )?;
    Ok(())
}
