//! What an entry of the log says beside who and when.

use std::borrow::Cow;

use dataverse_rows::{column_name, elements, members, mended, string};

use crate::json::quoted;

const LABEL: &str = "@OData.Community.Display.V1.FormattedValue";
/// The longest text that the log keeps, in characters; a longer one ends with an ellipsis.
const LONGEST: usize = 5_000;

/// A row of the history, but for the entry's own columns. Values are JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
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

impl Line {
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
        let cut_off = (is_cut_off(&self.old.value), is_cut_off(&self.new.value));
        [
            ("column", &self.column),
            ("oldvalue", &self.old.value),
            ("newvalue", &self.new.value),
            ("oldvaluename", &self.old.label),
            ("newvaluename", &self.new.label),
            ("detail", self.detail.as_deref().unwrap_or("null")),
            (
                "truncated",
                match cut_off {
                    (true, true) => "\"both\"",
                    (true, false) => "\"old\"",
                    (false, true) => "\"new\"",
                    (false, false) => "null",
                },
            ),
        ]
    }
}

/// The rows of an entry, from the answer about its details, or else from what the log keeps.
/// There is always one.
pub(super) fn lines(answer: Option<&[u8]>, changes: Option<&str>) -> Vec<Line> {
    let lines = answer
        .and_then(|body| std::str::from_utf8(body).ok())
        .and_then(|body| of_answer(&mended(body)))
        .or_else(|| of_changes(&mended(changes?)))
        .unwrap_or_default();
    if lines.is_empty() {
        vec![Line::new("")]
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

fn of_answer(body: &str) -> Option<Vec<Line>> {
    let answer = members(body)?;
    let text = get(&answer, "AuditDetail")?;
    let detail = members(text)?;
    let kind = get(&detail, "@odata.type").and_then(string);
    let of_columns = get(&detail, "OldValue").is_some() || get(&detail, "NewValue").is_some();
    if of_columns || kind.is_some_and(|kind| kind.ends_with(".AttributeAuditDetail")) {
        return Some(of_columns_changed(&detail));
    }
    // Something that was given or taken: a share, a role, a privilege, a place in a list, access.
    let mut line = Line::new("");
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

fn of_columns_changed(detail: &Members<'_>) -> Vec<Line> {
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

/// What the log itself keeps of an entry.
fn of_changes(text: &str) -> Option<Vec<Line>> {
    let kept = members(text)?;
    let Some(changed) = get(&kept, "changedAttributes") else {
        let mut line = Line::new("");
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

fn line<'l>(lines: &'l mut Vec<Line>, column: &str) -> &'l mut Line {
    let key = quoted(column);
    let index = lines.iter().position(|line| line.column == key);
    let index = index.unwrap_or_else(|| {
        lines.push(Line::new(column));
        lines.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "it was found or added just now")]
    &mut lines[index]
}

fn side<'l>(lines: &'l mut Vec<Line>, column: &str, is_new: bool) -> &'l mut Side {
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

fn is_cut_off(value: &str) -> bool {
    value.len() > LONGEST
        && string(value).is_some_and(|text| {
            text.chars().count() >= LONGEST && (text.ends_with('…') || text.ends_with("..."))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &Line) -> Vec<&str> {
        line.members().into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn each_column_is_a_line_with_both_values() {
        let body = r##"{"@odata.context":"c","AuditDetail":{
            "@odata.type":"#Microsoft.Dynamics.CRM.AttributeAuditDetail",
            "InvalidNewValueAttributes":["broken"],"LocLabelLanguageCode":0,
            "DeletedAttributes":{"Count":1,"Keys":[7],"Values":["gone"]},
            "OldValue":{"@odata.type":"#Microsoft.Dynamics.CRM.account","name":"a\n",
                "revenue":20000.0000,"_ownerid_value":"o1",
                "_ownerid_value@OData.Community.Display.V1.FormattedValue":"Ann"},
            "NewValue":{"name":"b","_ownerid_value":"o2","donotemail":true,
                "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team"}}}"##;
        let found = lines(Some(body.as_bytes()), None);
        let found: Vec<Vec<&str>> = found.iter().map(told).collect();
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
    fn what_is_no_column_is_one_line() {
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
            let found = lines(Some(body.as_bytes()), None);
            assert_eq!(found.len(), 1, "{kind}");
            let told = told(&found[0]);
            assert_eq!(told[0], "\"\"");
            assert_eq!(string(told[5]).unwrap(), detail);
            let expected = if kind == "ShareAuditDetail" {
                "\"ReadAccess\""
            } else {
                "null"
            };
            assert_eq!(told[2], expected);
        }
    }

    #[test]
    fn what_the_log_keeps_stands_in_for_lost_details() {
        let kept = r#"{"changedAttributes":[{"logicalName":"name","oldValue":null,"newValue":"b"},
                       {"logicalName":"ownerid","oldValue":"systemuser,1"}]}"#;
        let found = lines(None, Some(kept));
        assert_eq!(told(&found[0])[..3], ["\"name\"", "null", "\"b\""]);
        assert_eq!(
            told(&found[1])[..3],
            ["\"ownerid\"", "\"systemuser,1\"", "null"]
        );
        assert_eq!(lines(Some(b"\xFF"), Some("no JSON")), [Line::new("")]);
        assert_eq!(lines(Some(b"{}"), None), [Line::new("")]);
        let long = format!("\"{}…\"", "x".repeat(5_000));
        let body = format!(r#"{{"AuditDetail":{{"NewValue":{{"memo":{long}}}}}}}"#);
        assert_eq!(told(&lines(Some(body.as_bytes()), None)[0])[6], "\"new\"");
    }
}
