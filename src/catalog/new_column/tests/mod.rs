mod environment;

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use self::environment::environment;
use super::*;
use crate::host::{HttpError, Method};
use crate::simulation::{self, Reply, SETTINGS, Simulation};

fn new(name: &str, new_type: NewType) -> NewColumn {
    NewColumn {
        name: name.to_owned(),
        title: "Größe \"XL\"".to_owned(),
        description: None,
        new_type,
        requirement: Requirement::Optional,
        solution: None,
    }
}

fn text(name: &str) -> NewColumn {
    new(
        name,
        NewType::Text {
            max_length: 80,
            multiline: false,
        },
    )
}

fn create_in(host: &Rc<Simulation>, column: &NewColumn) -> Result<Column, Error> {
    let client = simulation::client(host, SETTINGS);
    host.block_on(create(&client, "account", column))
}

#[test]
fn a_column_is_created_published_and_described() {
    let (host, environment) = environment();
    let column = NewColumn {
        description: Some("How large".to_owned()),
        requirement: Requirement::Required,
        solution: Some("ours".to_owned()),
        ..text("BankName")
    };
    let created = create_in(&host, &column).unwrap();
    assert_eq!(created.name, "cr12_bankname");
    assert_eq!(created.max_length, Some(80));
    let environment = environment.borrow();
    let label = |text: &str| {
        json!({"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [{
            "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text,
            "LanguageCode": 1031}]})
    };
    assert_eq!(
        environment.created,
        [json!({
            "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
            "AttributeType": "String",
            "AttributeTypeName": {"Value": "StringType"},
            "SchemaName": "cr12_BankName",
            "DisplayName": label("Größe \"XL\""),
            "Description": label("How large"),
            "RequiredLevel": {"Value": "ApplicationRequired"},
            "MaxLength": 80,
            "FormatName": {"Value": "Text"},
        })]
    );
    assert_eq!(environment.solutions, ["ours"]);
    assert_eq!(environment.published, 1);
    let publish = host
        .requests()
        .into_iter()
        .find(|request| request.target.path_and_query.ends_with("/PublishXml"));
    let body: Value = serde_json::from_slice(publish.unwrap().body.as_ref().unwrap()).unwrap();
    assert_eq!(
        body["ParameterXml"],
        "<importexportxml><entities><entity>account</entity></entities></importexportxml>"
    );
}

/// Each type except a single line of text, with its type in rows, the service's name of it, and a
/// property that must be sent.
fn types() -> Vec<(NewType, DataType, &'static str, Value)> {
    let memo = NewType::Text {
        max_length: 1_048_576,
        multiline: true,
    };
    let least = json!({"MinValue": -2_147_483_648_i64});
    let date = json!({"DateTimeBehavior": {"Value": "DateOnly"}, "Format": "DateOnly"});
    let time = json!({"DateTimeBehavior": {"Value": "UserLocal"}});
    let to_contact = NewType::Reference("contact".to_owned());
    vec![
        (
            memo,
            DataType::Text,
            "Memo",
            json!({"MaxLength": 1_048_576}),
        ),
        (NewType::Integer, DataType::Integer, "Integer", least),
        (
            NewType::Decimal(10),
            DataType::Decimal,
            "Decimal",
            json!({"Precision": 10}),
        ),
        (
            NewType::Money(4),
            DataType::Decimal,
            "Money",
            json!({"PrecisionSource": 0}),
        ),
        (
            NewType::Boolean,
            DataType::Boolean,
            "Boolean",
            json!({"DefaultValue": false}),
        ),
        (
            NewType::Choice(colours()),
            DataType::Choice,
            "Picklist",
            json!({}),
        ),
        (
            NewType::ChoiceList(colours()),
            DataType::ChoiceList,
            "MultiSelectPicklist",
            json!({"AttributeType": "Virtual"}),
        ),
        (NewType::Date, DataType::Date, "DateTime", date),
        (NewType::Timestamp, DataType::Timestamp, "DateTime", time),
        (to_contact, DataType::Reference, "Lookup", json!({})),
    ]
}

fn colours() -> Vec<NewChoice> {
    let choice = |value, label: &str| NewChoice {
        value,
        label: label.to_owned(),
    };
    vec![
        choice(None, "Red"),
        choice(Some(483_210_001), "Green"),
        choice(None, "Blue"),
    ]
}

#[test]
fn every_type_is_created_once_with_its_properties() {
    for (new_type, data_type, type_name, particular) in types() {
        let (host, environment) = environment();
        let column = new("cr12_Thing", new_type.clone());
        let first = create_in(&host, &column).unwrap();
        assert_eq!(
            (first.name.as_str(), first.data_type),
            ("cr12_thing", data_type)
        );
        assert_eq!(create_in(&host, &column).unwrap(), first, "{type_name}");
        let bodies = environment.borrow().created.clone();
        let [body] = bodies.as_slice() else {
            panic!("{type_name}: {bodies:?}")
        };
        let sent = body.get("Lookup").unwrap_or(body);
        assert_eq!(
            sent["AttributeTypeName"]["Value"],
            format!("{type_name}Type")
        );
        for (name, value) in particular.as_object().unwrap() {
            assert_eq!(&sent[name], value, "{type_name} {name}");
        }
        // Another type under the same name is rejected.
        let other = match data_type {
            DataType::Integer => NewType::Boolean,
            _ => NewType::Integer,
        };
        let error = create_in(&host, &new("thing", other)).unwrap_err();
        assert_eq!(
            (error.kind, error.commit),
            (ErrorKind::Conflict, Commit::NotStarted)
        );
    }
}

#[test]
fn choices_have_the_publishers_values() {
    let (host, _) = environment();
    let column = create_in(&host, &new("Colour", NewType::Choice(colours()))).unwrap();
    let choices: Vec<(i32, &str)> = column
        .choices
        .iter()
        .map(|choice| (choice.value, choice.label.as_str()))
        .collect();
    let expected = [
        (483_210_000, "Red"),
        (483_210_001, "Green"),
        (483_210_002, "Blue"),
    ];
    assert_eq!(choices, expected);
}

#[test]
fn a_reference_is_created_with_its_relationship() {
    let (host, environment) = environment();
    let to_contact = NewType::Reference("contact".to_owned());
    let column = create_in(&host, &new("Thing", to_contact)).unwrap();
    assert_eq!(column.targets, ["contact"]);
    assert_eq!(host.count("/RelationshipDefinitions"), 1);
    let body = &environment.borrow().created[0];
    assert_eq!(body["SchemaName"], "cr12_Thing_account_contact");
    assert_eq!(body["ReferencedEntity"], "contact");
    assert_eq!(body["ReferencingEntity"], "account");
}

#[test]
fn create_waits_until_the_column_is_visible() {
    let (host, environment) = environment();
    environment.borrow_mut().lag = 5;
    let began = host.now();
    create_in(&host, &text("Bank")).unwrap();
    assert_eq!(environment.borrow().lag, 0);
    assert!(host.now() > began + Duration::from_secs(15));

    environment.borrow_mut().lag = 1_000;
    let error = create_in(&host, &text("Other")).unwrap_err();
    assert_eq!(
        (error.kind, error.commit),
        (ErrorKind::Unavailable, Commit::Done)
    );
    assert!(
        error.message.contains("cr12_other of account was created"),
        "{error}"
    );
}

#[test]
fn existing_columns_are_read_again_after_an_unknown_outcome() {
    let lost = || Reply::failure(HttpError::Lost);
    let duplicate = || Reply::fault(400, "0x80047013", "An attribute with the name exists.");
    for (reply, is_created, kind) in [
        (lost(), true, None),
        (
            lost(),
            false,
            Some((ErrorKind::Unavailable, Commit::Unknown)),
        ),
        (Reply::status(502), true, None),
        (duplicate(), true, None),
        (
            duplicate(),
            false,
            Some((ErrorKind::Conflict, Commit::NotStarted)),
        ),
    ] {
        let (host, environment) = environment();
        environment.borrow_mut().rejections = vec![reply];
        environment.borrow_mut().creates_anyway = is_created;
        let outcome = create_in(&host, &text("Bank"));
        let failed = outcome.err().map(|error| (error.kind, error.commit));
        assert_eq!(failed, kind);
        let posts = host.requests().into_iter().filter(|request| {
            request.method == Method::Post && request.target.path_and_query.ends_with("/Attributes")
        });
        assert_eq!(posts.count(), 1);
        assert_eq!(environment.borrow().published, usize::from(is_created));
    }
    // A request that was rejected before it started is retried.
    let (host, environment) = environment();
    let locked = || {
        Reply::fault(
            503,
            "0x80071151",
            "Cannot start another [EntityCustomization].",
        )
    };
    environment.borrow_mut().rejections = vec![locked(), locked(), Reply::status(429)];
    create_in(&host, &text("Bank")).unwrap();
    assert_eq!(environment.borrow().created.len(), 1);
}

#[test]
fn errors_say_what_to_do() {
    let (host, environment) = environment();
    let kind = |column: &NewColumn, words: &str| {
        let error = create_in(&host, column).unwrap_err();
        assert!(error.message.contains(words), "{error}");
        (error.kind, error.commit)
    };
    let untouched = |kind| (kind, Commit::NotStarted);
    let foreign = text("abc_Bank");
    assert_eq!(
        kind(&foreign, "use cr12_abc_Bank"),
        untouched(ErrorKind::InvalidData)
    );
    for (solution, words, expected) in [
        (
            "nowhere",
            "cannot find the solution nowhere",
            ErrorKind::NotFound,
        ),
        ("theirs", "it is managed", ErrorKind::Conflict),
        ("a b", "letters", ErrorKind::InvalidData),
    ] {
        let column = NewColumn {
            solution: Some(solution.to_owned()),
            ..text("Bank")
        };
        assert_eq!(kind(&column, words), untouched(expected));
    }
    let duplicates = vec![
        NewChoice {
            value: Some(1),
            label: "a".to_owned(),
        };
        2
    ];
    for new_type in [
        NewType::Text {
            max_length: 4_001,
            multiline: false,
        },
        NewType::Text {
            max_length: 0,
            multiline: true,
        },
        NewType::Decimal(11),
        NewType::Money(5),
        NewType::Choice(duplicates),
    ] {
        let column = new("Bank", new_type);
        assert_eq!(kind(&column, "; "), untouched(ErrorKind::InvalidData));
    }
    let missing = Reply::fault(
        403,
        "0x80040220",
        "Principal user is missing prvCreateAttribute privilege (Id=1) on OTC=2.",
    );
    environment.borrow_mut().rejections = vec![missing.clone()];
    let rejected = kind(&text("Bank"), "privilege/prvCreateAttribute");
    assert_eq!(rejected, untouched(ErrorKind::Forbidden));
    assert_eq!(environment.borrow().created.len(), 0);

    environment.borrow_mut().unpublished = Some(missing);
    let unpublished = kind(
        &text("Bank"),
        "created and can be used, but it is not published",
    );
    assert_eq!(unpublished, (ErrorKind::Forbidden, Commit::Partial));

    let client = simulation::client(&host, SETTINGS);
    for table in ["acount", "account')/x", "view:1"] {
        let error = host
            .block_on(create(&client, table, &text("Bank")))
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    }
}
