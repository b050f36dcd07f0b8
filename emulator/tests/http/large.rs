//! An organization with many custom tables.

use dataverse_emulator::Emulator;
use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn made_up_tables_are_like_others() {
    let emulator = Emulator::builder()
        .extra_tables(40, 60)
        .extra_rows(3)
        .start()
        .await
        .unwrap();
    let service = Service::with(emulator).await;
    let tables = service
        .get(
            "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=\
             IsCustomEntity eq true&$expand=Attributes($select=LogicalName,IsValidODataAttribute),\
             ManyToOneRelationships($select=ReferencingAttribute)",
        )
        .await;
    assert_eq!(tables.status, 200, "{}", tables.text);
    let tables = tables.rows();
    let extra = tables
        .iter()
        .filter(|table| table["LogicalName"].as_str().unwrap().starts_with("new_"));
    let mut count = 0;
    for table in extra {
        count += 1;
        assert!(table["Attributes"].as_array().unwrap().len() >= 60);
        assert!(
            !table["ManyToOneRelationships"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        let set = table["EntitySetName"].as_str().unwrap();
        let rows = service.get(set).await.rows();
        assert_eq!(rows.len(), 3, "{set}");
        assert!(rows.iter().all(|row| row["new_name"].is_string()));
    }
    assert_eq!(count, 40);
}

#[tokio::test]
async fn tables_on_demand_are_created_when_needed() {
    let emulator = Emulator::builder()
        .extra_tables(3, 30)
        .start()
        .await
        .unwrap();
    let service = Service::with(emulator).await;
    // A table that is not created yet has no rows, so it does not prevent deletions.
    let account = service.create("accounts", &json!({"name": "A"})).await;
    assert_eq!(
        service.delete(&format!("accounts({account})")).await.status,
        204
    );
    assert_eq!(service.get("new_assets").await.rows().len(), 0);
    let fetch = "new_benefits?fetchXml=<fetch><entity name='new_benefit'>\
                 <link-entity name='new_audit' from='new_auditid' to='new_benefitid'/></entity></fetch>";
    let response = service
        .get(&fetch.replace('<', "%3C").replace('>', "%3E"))
        .await;
    assert_eq!(response.status, 200, "{}", response.text);
    let id = service
        .create("new_audits", &json!({"new_name": "first"}))
        .await;
    let read = service
        .get(&format!("new_audits({id})?$select=new_name"))
        .await;
    assert_eq!(read.json()["new_name"], "first");
}
