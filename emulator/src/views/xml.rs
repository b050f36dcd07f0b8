//! A view as the platform stores it.

use std::fmt::Write as _;

use super::{Join, Kind, View};
use crate::schema::Table;

/// The query, as the view designer writes it.
pub(super) fn fetch(view: &View, table: &Table) -> String {
    let distinct = if view.distinct {
        " distinct=\"true\""
    } else {
        ""
    };
    let mut xml = format!(
        "<fetch version=\"1.0\" output-format=\"xml-platform\" mapping=\"logical\"{distinct}>\
         <entity name=\"{}\">",
        view.table
    );
    push_attributes(&mut xml, view.columns);
    if !view.columns.contains(&table.primary_id.as_str()) {
        push_attributes(&mut xml, &[table.primary_id.as_str()]);
    }
    let (column, descending) = view.order;
    let _ = write!(
        xml,
        "<order attribute=\"{column}\" descending=\"{descending}\" />"
    );
    push_filter(&mut xml, view);
    if let Some(link) = &view.link {
        let Join {
            attributes, alias, ..
        } = link;
        let _ = write!(xml, "<link-entity {attributes} alias=\"{alias}\">");
        push_attributes(&mut xml, link.columns);
        if !link.filter.is_empty() {
            let _ = write!(xml, "<filter type=\"and\">{}</filter>", link.filter);
        }
        xml.push_str("</link-entity>");
    }
    xml.push_str("</entity></fetch>");
    xml
}

fn push_attributes(xml: &mut String, columns: &[&str]) {
    for column in columns {
        let _ = write!(xml, "<attribute name=\"{column}\" />");
    }
}

fn push_filter(xml: &mut String, view: &View) {
    if view.filter.is_empty() {
        return;
    }
    let _ = write!(xml, "<filter type=\"and\">{}</filter>", view.filter);
}

/// The grid that shows the rows.
pub(super) fn layout(view: &View, table: &Table) -> String {
    let jump = table.primary_name.as_deref().unwrap_or(&table.primary_id);
    let icon = u8::from(view.kind != Kind::Associated);
    let mut xml = format!(
        "<grid name=\"resultset\" object=\"{}\" jump=\"{jump}\" select=\"1\" icon=\"{icon}\" \
         preview=\"1\"><row name=\"result\" id=\"{}\">",
        table.object_type_code, table.primary_id
    );
    let own = view.columns.iter().map(|column| (*column).to_owned());
    let joined = view.link.iter().flat_map(|link| {
        let names = link.columns.iter();
        names.map(|column| format!("{}.{column}", link.alias))
    });
    for (at, column) in own.chain(joined).enumerate() {
        let width = if at == 0 { 300 } else { 150 };
        let _ = write!(xml, "<cell name=\"{column}\" width=\"{width}\" />");
    }
    xml.push_str("</row></grid>");
    xml
}
