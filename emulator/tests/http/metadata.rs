//! Definitions (reference §5).

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn definitions_answer_the_queries_clients_send() {
    let service = Service::start().await;
    let tables = service
        .get(
            "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute,\
             CanChangeTrackingBeEnabled,ChangeTrackingEnabled&$expand=Attributes($select=\
             LogicalName,AttributeType)",
        )
        .await
        .rows();
    let account = tables
        .iter()
        .find(|table| table["LogicalName"] == "account")
        .unwrap();
    assert_eq!(account["EntitySetName"], "accounts");
    assert_eq!(account["ChangeTrackingEnabled"], true);
    assert!(account["MetadataId"].is_string() && account.get("@odata.etag").is_none());
    let owner = account["Attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|column| column["LogicalName"] == "ownerid")
        .unwrap();
    assert_eq!(owner["AttributeType"], "Owner");
    assert_eq!(
        owner["@odata.type"],
        "#Microsoft.Dynamics.CRM.LookupAttributeMetadata"
    );

    let code = service
        .get("EntityDefinitions(LogicalName='account')/ObjectTypeCode/$value")
        .await;
    assert_eq!(code.text, "1");
    let cast = "EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.";
    let status = service
        .get(&format!(
            "{cast}StatusAttributeMetadata?$select=LogicalName&$expand=OptionSet"
        ))
        .await
        .rows();
    assert_eq!(status[0]["OptionSet"]["Options"][1]["State"], 1);
    let lookups = service
        .get(&format!(
            "{cast}LookupAttributeMetadata?$select=LogicalName,Targets"
        ))
        .await
        .rows();
    let owner = lookups
        .iter()
        .find(|column| column["LogicalName"] == "ownerid")
        .unwrap();
    assert_eq!(owner["Targets"], json!(["systemuser", "team"]));
    assert_eq!(
        service
            .get(&format!("{cast}EnumAttributeMetadata"))
            .await
            .status,
        400
    );
    let base = "EntityDefinitions(LogicalName='account')/Attributes?$select=MaxLength";
    assert_eq!(service.get(base).await.status, 400);
    let filtered = service
        .get(
            "EntityDefinitions?$select=LogicalName&$filter=OwnershipType eq Microsoft.Dynamics.CRM.\
             OwnershipTypes'UserOwned' and IsAuditEnabled/Value eq true",
        )
        .await;
    assert!(
        filtered
            .rows()
            .iter()
            .any(|table| table["LogicalName"] == "account")
    );
    for option in ["$top=1", "$orderby=LogicalName", "$count=true"] {
        assert_eq!(
            service
                .get(&format!("EntityDefinitions?{option}"))
                .await
                .status,
            400
        );
    }
    assert_eq!(
        service
            .get("EntityDefinitions(LogicalName='nope')")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_csdl_marks_tracked_sets() {
    let service = Service::start().await;
    let plain = service.get("$metadata").await;
    assert_eq!(plain.header("content-type"), "application/xml");
    assert!(!plain.text.contains("Capabilities.V1.ChangeTracking"));
    let annotated = service.get("$metadata?annotations=true").await;
    let set = "<EntitySet Name=\"accounts\" EntityType=\"Microsoft.Dynamics.CRM.account\">";
    let (_, after) = annotated.text.split_once(set).unwrap();
    let (account, _) = after.split_once("</EntitySet>").unwrap();
    assert!(account.contains("Org.OData.Capabilities.V1.ChangeTracking"));
    let sets = service.get("").await.rows();
    let account = sets.iter().find(|set| set["name"] == "accounts").unwrap();
    assert_eq!(
        account,
        &json!({"name": "accounts", "kind": "EntitySet", "url": "accounts"})
    );
}
