//! `$metadata`: the service's CSDL document (reference §5.1).

use std::fmt::Write as _;

use crate::{
    odata::{Model, Navigation, constant::edm_type, model::wire_name},
    schema::{ChangeTracking, Table},
};

const NAMESPACE: &str = "Microsoft.Dynamics.CRM";

/// The document; `annotated` adds which entity sets support change tracking.
pub(super) fn document(model: &Model, annotated: bool) -> String {
    let mut xml = String::with_capacity(1024 * 1024);
    xml.push_str(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
         <edmx:Reference Uri=\"http://vocabularies.odata.org/OData.Community.Keys.V1.xml\">\
         <edmx:Include Namespace=\"OData.Community.Keys.V1\" Alias=\"Keys\" /></edmx:Reference>\
         <edmx:DataServices>",
    );
    let _ = write!(
        xml,
        "<Schema Namespace=\"{NAMESPACE}\" Alias=\"mscrm\" \
         xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
         <EntityType Name=\"crmbaseentity\" Abstract=\"true\" />\
         <EntityType Name=\"principal\" BaseType=\"mscrm.crmbaseentity\"><Key>\
         <PropertyRef Name=\"ownerid\" /></Key>\
         <Property Name=\"ownerid\" Type=\"Edm.Guid\" /></EntityType>"
    );
    for table in model.schema.tables() {
        push_entity_type(&mut xml, model, table);
    }
    push_functions(&mut xml);
    xml.push_str("<EntityContainer Name=\"System\">");
    for table in model.schema.tables() {
        push_entity_set(&mut xml, model, table, annotated);
    }
    xml.push_str(
        "<FunctionImport Name=\"WhoAmI\" Function=\"mscrm.WhoAmI\" />\
         <FunctionImport Name=\"RetrieveVersion\" Function=\"mscrm.RetrieveVersion\" />\
         </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
    );
    xml
}

fn push_entity_type(xml: &mut String, model: &Model, table: &Table) {
    let principal = crate::odata::model::is_principal(table);
    let base = if principal {
        "principal"
    } else {
        "crmbaseentity"
    };
    let name = &table.logical_name;
    let _ = write!(
        xml,
        "<EntityType Name=\"{name}\" BaseType=\"mscrm.{base}\">"
    );
    if !principal {
        let _ = write!(
            xml,
            "<Key><PropertyRef Name=\"{}\" /></Key>",
            table.primary_id
        );
    }
    for property in model.properties(table) {
        if principal && property.name == "ownerid" {
            continue;
        }
        let _ = write!(
            xml,
            "<Property Name=\"{}\" Type=\"{}\"",
            property.name,
            edm_type(&property)
        );
        if let crate::store::Stored::Scaled(scale) = property.stored {
            let _ = write!(xml, " Scale=\"{scale}\"");
        }
        xml.push_str(" />");
    }
    let mut navigations: Vec<_> = model.navigations(name).collect();
    navigations.sort_by(|left, right| left.0.cmp(right.0));
    for (navigation_name, navigation) in navigations {
        push_navigation(xml, model, table, navigation_name, navigation);
    }
    for key in &table.keys {
        let names = key
            .columns
            .iter()
            .filter_map(|column| table.column(column))
            .map(wire_name);
        let mut records = String::new();
        for name in names {
            let _ = write!(
                records,
                "<Record Type=\"OData.Community.Keys.V1.PropertyRef\"><PropertyValue \
                 Property=\"Alias\" String=\"{name}\" /><PropertyValue Property=\"Name\" \
                 PropertyPath=\"{name}\" /></Record>"
            );
        }
        let _ = write!(
            xml,
            "<Annotation Term=\"OData.Community.Keys.V1.AlternateKeys\"><Collection><Record \
             Type=\"OData.Community.Keys.V1.AlternateKey\"><PropertyValue Property=\"Key\">\
             <Collection>{records}</Collection></PropertyValue></Record></Collection></Annotation>"
        );
    }
    xml.push_str("</EntityType>");
}

fn push_navigation(
    xml: &mut String,
    model: &Model,
    table: &Table,
    name: &str,
    navigation: &Navigation,
) {
    let collection = |target: &str| format!("Collection(mscrm.{target})");
    let (kind, constraint) = match navigation {
        Navigation::ToOwner => ("mscrm.principal".to_owned(), None),
        Navigation::ToOne { column, target } => {
            let key = model
                .schema
                .table(target)
                .map(|target| target.primary_id.clone());
            let property = table.column(column).map(wire_name);
            (format!("mscrm.{target}"), property.zip(key))
        }
        Navigation::ToMany { table, .. } | Navigation::Associated { table, .. } => {
            (collection(table), None)
        }
    };
    let _ = write!(xml, "<NavigationProperty Name=\"{name}\" Type=\"{kind}\"");
    if let Some(partner) = partner(model, table, name, navigation) {
        let _ = write!(xml, " Partner=\"{partner}\"");
    }
    match constraint {
        Some((column, key)) => {
            let _ = write!(
                xml,
                "><ReferentialConstraint Property=\"{column}\" \
                 ReferencedProperty=\"{key}\" /></NavigationProperty>"
            );
        }
        None => xml.push_str(" />"),
    }
}

/// The navigation property that leads back.
fn partner(model: &Model, table: &Table, name: &str, navigation: &Navigation) -> Option<String> {
    match navigation {
        Navigation::ToMany {
            table: child,
            column,
        } => model
            .lookup_navigation(child, column, &table.logical_name)
            .map(str::to_owned),
        Navigation::Associated { table: other, .. } => {
            model.navigation(other, name).map(|_| name.to_owned())
        }
        Navigation::ToOne { .. } | Navigation::ToOwner => None,
    }
}

fn push_entity_set(xml: &mut String, model: &Model, table: &Table, annotated: bool) {
    let _ = write!(
        xml,
        "<EntitySet Name=\"{}\" EntityType=\"{NAMESPACE}.{}\">",
        table.entity_set_name, table.logical_name
    );
    for (name, navigation) in model.navigations(&table.logical_name) {
        let target = match navigation {
            Navigation::ToOne { target, .. } => target,
            Navigation::ToMany { table, .. } | Navigation::Associated { table, .. } => table,
            Navigation::ToOwner => continue,
        };
        if let Some(target) = model.schema.table(target) {
            let _ = write!(
                xml,
                "<NavigationPropertyBinding Path=\"{name}\" Target=\"{}\" />",
                target.entity_set_name
            );
        }
    }
    if annotated && table.change_tracking == ChangeTracking::Enabled {
        xml.push_str(
            "<Annotation Term=\"Org.OData.Capabilities.V1.ChangeTracking\"><Record>\
             <PropertyValue Property=\"Supported\" Bool=\"true\" /></Record></Annotation>",
        );
    }
    xml.push_str("</EntitySet>");
}

fn push_functions(xml: &mut String) {
    xml.push_str(
        "<ComplexType Name=\"WhoAmIResponse\">\
         <Property Name=\"BusinessUnitId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
         <Property Name=\"UserId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
         <Property Name=\"OrganizationId\" Type=\"Edm.Guid\" Nullable=\"false\" /></ComplexType>\
         <ComplexType Name=\"RetrieveVersionResponse\">\
         <Property Name=\"Version\" Type=\"Edm.String\" /></ComplexType>\
         <Function Name=\"WhoAmI\"><ReturnType Type=\"mscrm.WhoAmIResponse\" Nullable=\"false\" />\
         </Function><Function Name=\"RetrieveVersion\">\
         <ReturnType Type=\"mscrm.RetrieveVersionResponse\" Nullable=\"false\" /></Function>",
    );
}
