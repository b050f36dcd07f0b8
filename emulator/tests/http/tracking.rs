//! Change tracking (reference §6).

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn changes_are_read_by_delta_link() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(
            service
                .create("accounts", &json!({"name": format!("A{number}")}))
                .await,
        );
    }
    let prefer = "odata.track-changes,odata.maxpagesize=2";
    let mut page = service
        .get_preferring("accounts?$select=name", prefer)
        .await;
    assert_eq!(page.header("preference-applied"), "odata.maxpagesize=2");
    let mut read = page.rows().len();
    // A row that changes while the pages are read is reported again by the delta.
    service
        .patch(
            &format!("accounts({})", ids[0]),
            &json!({"name": "changed early"}),
        )
        .await;
    while let Some(next) = page.link("@odata.nextLink") {
        assert!(page.link("@odata.deltaLink").is_none());
        assert!(next.contains("istracking=%22True%22"));
        page = service.follow(&next, prefer).await;
        read += page.rows().len();
    }
    assert_eq!(read, 5);
    let delta = page.link("@odata.deltaLink").unwrap();
    let (start, token) = delta.split_once("&$deltatoken=").unwrap();
    assert!(start.ends_with("/accounts?$select=name"), "{delta}");
    let (version, time) = token.split_once("%21").unwrap();
    assert!(version.parse::<i64>().is_ok());
    assert_eq!(time.len(), "08%2f22%2f2017%2008%3a10%3a44".len());

    let changes = service.follow(&delta, "odata.track-changes").await;
    assert_eq!(changes.rows().len(), 1);
    assert!(
        changes
            .link("@odata.context")
            .unwrap()
            .ends_with("#accounts(name)/$delta")
    );
    let delta = changes.link("@odata.deltaLink").unwrap();
    let nothing = service.follow(&delta, "odata.track-changes").await;
    assert_eq!(nothing.rows().len(), 0);
    assert!(nothing.link("@odata.deltaLink").is_some());

    service
        .patch(&format!("accounts({})", ids[3]), &json!({"name": "later"}))
        .await;
    service
        .patch(&format!("accounts({})", ids[2]), &json!({"name": "latest"}))
        .await;
    service.delete(&format!("accounts({})", ids[1])).await;
    let brief = service.create("accounts", &json!({"name": "brief"})).await;
    service.delete(&format!("accounts({brief})")).await;
    let count = service
        .follow(&delta.replace("/accounts?", "/accounts/$count?"), "")
        .await;
    assert_eq!(count.text, "4");
    let mut rows = Vec::new();
    let mut page = service.follow(&delta, prefer).await;
    loop {
        assert!(page.rows().len() <= 2);
        rows.extend(page.rows());
        match page.link("@odata.nextLink") {
            Some(next) => page = service.follow(&next, prefer).await,
            None => break,
        }
    }
    let names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["later", "latest"]);
    let context = format!("{}$metadata#accounts/$deletedEntity", service.address(""));
    assert_eq!(
        rows[2],
        json!({"@odata.context": context, "id": ids[1], "reason": "deleted"})
    );
    assert_eq!(rows[3]["id"], json!(brief));
    assert_eq!(rows.len(), 4);
    assert!(page.link("@odata.deltaLink").is_some());
}

#[tokio::test]
async fn tokens_expire_and_options_are_rejected() {
    let service = Service::start().await;
    let prefer = "odata.track-changes";
    for option in [
        "$filter=name eq 'a'",
        "$orderby=name",
        "$top=3",
        "$expand=primarycontactid",
    ] {
        let response = service
            .get_preferring(&format!("accounts?{option}"), prefer)
            .await;
        let name = option.split('=').next().unwrap();
        assert_eq!(response.status, 400);
        assert_eq!(
            response.error().1,
            format!(
                "The \"{name}\" query parameter isn't supported when Change Tracking is enabled."
            )
        );
    }
    let untracked = service.get_preferring("organizations", prefer).await;
    assert_eq!(
        untracked.error(),
        (
            "0x80072491".into(),
            "Entity organization isn't enabled for change tracking.".into()
        )
    );
    let malformed = service.get("accounts?$deltatoken=nonsense").await;
    assert_eq!(malformed.status, 400);

    let first = service
        .get_preferring("accounts?$select=name", prefer)
        .await;
    let delta = first.link("@odata.deltaLink").unwrap();
    let expired = (
        "0x80044352".to_owned(),
        "Version stamp associated with the client has expired. Please perform a full sync."
            .to_owned(),
    );
    assert_eq!(service.follow(&delta, prefer).await.status, 200);
    service.emulator.expire_delta_tokens().unwrap();
    assert_eq!(service.follow(&delta, prefer).await.error(), expired);

    let mut service = Service::start().await;
    let first = service
        .get_preferring("accounts?$select=name", prefer)
        .await;
    let delta = first.link("@odata.deltaLink").unwrap();
    service.emulator.clock().advance(7 * 86_400 + 10);
    service.sign_in().await;
    assert_eq!(service.follow(&delta, prefer).await.error(), expired);
}
