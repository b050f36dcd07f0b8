//! What an entry of the audit log changed.

use std::borrow::Cow;

use dataverse_rows::{column_name, elements, members, sanitized, string};

use crate::json::quoted;

const LABEL: &str = "@OData.Community.Display.V1.FormattedValue";
/// The longest text that the log stores, in characters; a longer one ends with an ellipsis.
const MAX_TEXT: usize = 5_000;

/// A row of the history without the entry's own columns. Values are JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    column: String,
    old: Side,
    new: Side,
    detail: Option<String>,
}

/// What a column held before or after.
#[derive(Debug, PartialEq, Eq)]
struct Side {
    value: String,
    label: String,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            value: "null".to_owned(),
            label: "null".to_owned(),
        }
    }
}

impl Change {
    fn new(column: &str) -> Self {
        Self {
            column: quoted(column),
            old: Side::default(),
            new: Side::default(),
            detail: None,
        }
    }

    /// Its columns with their values.
    pub(super) fn members(&self) -> [(&'static str, &str); 7] {
        let truncated = (is_truncated(&self.old.value), is_truncated(&self.new.value));
        [
            ("column", &self.column),
            ("oldvalue", &self.old.value),
            ("newvalue", &self.new.value),
            ("oldvaluename", &self.old.label),
            ("newvaluename", &self.new.label),
            ("detail", self.detail.as_deref().unwrap_or("null")),
            (
                "truncated",
                match truncated {
                    (true, true) => "\"both\"",
                    (true, false) => "\"old\"",
                    (false, true) => "\"new\"",
                    (false, false) => "null",
                },
            ),
        ]
    }
}

/// The changes of an entry, from the response with its details, or else from what the log stores.
/// There is at least one.
pub(super) fn changes(details: Option<&[u8]>, stored: Option<&str>) -> Vec<Change> {
    let lines = details
        .and_then(|body| std::str::from_utf8(body).ok())
        .and_then(|body| from_details(&sanitized(body)))
        .or_else(|| from_stored(&sanitized(stored?)))
        .unwrap_or_default();
    if lines.is_empty() {
        vec![Change::new("")]
    } else {
        lines
    }
}

type Members<'t> = Vec<(Cow<'t, str>, &'t str)>;

fn get<'m>(members: &'m Members<'_>, wanted: &str) -> Option<&'m str> {
    members
        .iter()
        .find_map(|(name, value)| (name == wanted).then_some(*value))
}

fn from_details(body: &str) -> Option<Vec<Change>> {
    let body = members(body)?;
    let text = get(&body, "AuditDetail")?;
    let detail = members(text)?;
    let kind = get(&detail, "@odata.type").and_then(string);
    let of_columns = get(&detail, "OldValue").is_some() || get(&detail, "NewValue").is_some();
    if of_columns || kind.is_some_and(|kind| kind.ends_with(".AttributeAuditDetail")) {
        return Some(changed_columns(&detail));
    }
    // Something granted or revoked: a share, a role, a privilege, membership of a list, access.
    let mut line = Change::new("");
    for (name, side) in [
        ("OldPrivileges", &mut line.old),
        ("NewPrivileges", &mut line.new),
    ] {
        if let Some(value) = get(&detail, name) {
            side.value = as_text(value);
        }
    }
    line.detail = Some(quoted(text));
    Some(vec![line])
}

fn changed_columns(detail: &Members<'_>) -> Vec<Change> {
    let mut lines = Vec::new();
    for (name, is_new) in [("OldValue", false), ("NewValue", true)] {
        let row = get(detail, name).and_then(members).unwrap_or_default();
        for (name, value) in &row {
            let (column, label) = match name.strip_suffix(LABEL) {
                Some(column) => (column, true),
                None if name.contains('@') => continue,
                None => (&**name, false),
            };
            let side = side(&mut lines, &column_name(column), is_new);
            if label {
                side.label = as_text(value);
            } else {
                side.value = as_text(value);
            }
        }
    }
    let remarks = [
        ("InvalidNewValueAttributes", "the new value is not valid"),
        ("DeletedAttributes", "the column has been deleted since"),
    ];
    for (name, remark) in remarks {
        let found = get(detail, name).unwrap_or_default();
        let names = members(found).and_then(|it| get(&it, "Values").map(str::to_owned));
        for column in elements(names.as_deref().unwrap_or(found)).unwrap_or_default() {
            if let Some(column) = string(column) {
                line(&mut lines, &column).detail = Some(quoted(remark));
            }
        }
    }
    lines
}

/// What the log itself stores of an entry.
fn from_stored(text: &str) -> Option<Vec<Change>> {
    let stored = members(text)?;
    let Some(changed) = get(&stored, "changedAttributes") else {
        let mut line = Change::new("");
        line.detail = Some(quoted(text));
        return Some(vec![line]);
    };
    let mut lines = Vec::new();
    for change in elements(changed)? {
        let change = members(change)?;
        let name = get(&change, "logicalName").and_then(string)?;
        for (member, is_new) in [("oldValue", false), ("newValue", true)] {
            let value = get(&change, member).unwrap_or("null");
            side(&mut lines, &name, is_new).value = as_text(value);
        }
    }
    Some(lines)
}

fn line<'l>(lines: &'l mut Vec<Change>, column: &str) -> &'l mut Change {
    let key = quoted(column);
    let index = lines.iter().position(|line| line.column == key);
    let index = index.unwrap_or_else(|| {
        lines.push(Change::new(column));
        lines.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "it was found or added just now")]
    &mut lines[index]
}

fn side<'l>(lines: &'l mut Vec<Change>, column: &str, is_new: bool) -> &'l mut Side {
    let line = line(lines, column);
    if is_new { &mut line.new } else { &mut line.old }
}

/// A value as JSON text of a string, or null: numbers keep their digits.
fn as_text(value: &str) -> String {
    if value == "null" || value.starts_with('"') {
        value.to_owned()
    } else {
        quoted(value)
    }
}

fn is_truncated(value: &str) -> bool {
    value.len() > MAX_TEXT
        && string(value).is_some_and(|text| {
            text.chars().count() >= MAX_TEXT && (text.ends_with('…') || text.ends_with("..."))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &Change) -> Vec<&str> {
        line.members().into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn each_column_is_a_row_with_both_values() {
        let body = r##"{"@odata.context":"c","AuditDetail":{
            "@odata.type":"#Microsoft.Dynamics.CRM.AttributeAuditDetail",
            "InvalidNewValueAttributes":["broken"],"LocLabelLanguageCode":0,
            "DeletedAttributes":{"Count":1,"Keys":[7],"Values":["gone"]},
            "OldValue":{"@odata.type":"#Microsoft.Dynamics.CRM.account","name":"a\n",
                "revenue":20000.0000,"_ownerid_value":"o1",
                "_ownerid_value@OData.Community.Display.V1.FormattedValue":"Ann"},
            "NewValue":{"name":"b","_ownerid_value":"o2","donotemail":true,
                "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team"}}}"##;
        let found = changes(Some(body.as_bytes()), None);
        let found: Vec<Vec<&str>> = found.iter().map(values).collect();
        assert_eq!(
            found,
            [
                vec![
                    "\"name\"", "\"a\\n\"", "\"b\"", "null", "null", "null", "null"
                ],
                vec![
                    "\"revenue\"",
                    "\"20000.0000\"",
                    "null",
                    "null",
                    "null",
                    "null",
                    "null"
                ],
                vec![
                    "\"ownerid\"",
                    "\"o1\"",
                    "\"o2\"",
                    "\"Ann\"",
                    "null",
                    "null",
                    "null"
                ],
                vec![
                    "\"donotemail\"",
                    "null",
                    "\"true\"",
                    "null",
                    "null",
                    "null",
                    "null"
                ],
                vec![
                    "\"broken\"",
                    "null",
                    "null",
                    "null",
                    "null",
                    "\"the new value is not valid\"",
                    "null"
                ],
                vec![
                    "\"gone\"",
                    "null",
                    "null",
                    "null",
                    "null",
                    "\"the column has been deleted since\"",
                    "null"
                ],
            ]
        );
    }

    #[test]
    fn a_change_of_no_column_is_one_row() {
        for (kind, rest) in [
            (
                "ShareAuditDetail",
                r#""OldPrivileges":"None","NewPrivileges":"ReadAccess","Principal":{}"#,
            ),
            (
                "RelationshipAuditDetail",
                r#""RelationshipName":"r","TargetRecords":[]"#,
            ),
            (
                "RolePrivilegeAuditDetail",
                r#""OldRolePrivileges":[],"NewRolePrivileges":[]"#,
            ),
            (
                "UserAccessAuditDetail",
                r#""AccessTime":"2024-01-01T00:00:00Z","Interval":4"#,
            ),
            ("AuditDetail", r#""x":1"#),
        ] {
            let detail = format!(r##"{{"@odata.type":"#Microsoft.Dynamics.CRM.{kind}",{rest}}}"##);
            let body = format!(r#"{{"AuditDetail":{detail}}}"#);
            let found = changes(Some(body.as_bytes()), None);
            assert_eq!(found.len(), 1, "{kind}");
            let row = values(&found[0]);
            assert_eq!(row[0], "\"\"");
            assert_eq!(string(row[5]).unwrap(), detail);
            let expected = if kind == "ShareAuditDetail" {
                "\"ReadAccess\""
            } else {
                "null"
            };
            assert_eq!(row[2], expected);
        }
    }

    #[test]
    fn stored_changes_replace_lost_details() {
        let kept = r#"{"changedAttributes":[{"logicalName":"name","oldValue":null,"newValue":"b"},
                       {"logicalName":"ownerid","oldValue":"systemuser,1"}]}"#;
        let found = changes(None, Some(kept));
        assert_eq!(values(&found[0])[..3], ["\"name\"", "null", "\"b\""]);
        assert_eq!(
            values(&found[1])[..3],
            ["\"ownerid\"", "\"systemuser,1\"", "null"]
        );
        assert_eq!(changes(Some(b"\xFF"), Some("no JSON")), [Change::new("")]);
        assert_eq!(changes(Some(b"{}"), None), [Change::new("")]);
        let long = format!("\"{}…\"", "x".repeat(5_000));
        let body = format!(r#"{{"AuditDetail":{{"NewValue":{{"memo":{long}}}}}}}"#);
        assert_eq!(
            values(&changes(Some(body.as_bytes()), None)[0])[6],
            "\"new\""
        );
    }
}
