use super::*;

const MINIMAL: &str = r#"{
    "environment": "https://contoso.crm.dynamics.com/",
    "auth": {
        "type": "client-secret",
        "clientId": "00001111-AAAA-2222-bbbb-3333cccc4444",
        "secret": "dataverse-secret"
    }
}"#;

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut document = serde_json::from_str(MINIMAL).unwrap();
    change(&mut document);
    document.to_string()
}

#[test]
fn the_minimal_settings_have_defaults() {
    let settings = Settings::parse(MINIMAL).unwrap();
    assert_eq!(
        settings.environment.as_str(),
        "https://contoso.crm.dynamics.com"
    );
    assert_eq!(settings.api_version, None);
    assert_eq!(settings.tenant, None);
    assert_eq!(settings.retry.max_wait, Duration::from_mins(5));
    assert_eq!(settings.limits.request_timeout, Duration::from_mins(2));
    assert_eq!(settings.limits.page_size, 5000);
    assert_eq!(
        settings.auth.to_string(),
        "as application 00001111-aaaa-2222-bbbb-3333cccc4444 using secret \
         \"dataverse-secret\""
    );
}

#[test]
fn every_fault_is_reported_with_its_place() {
    for (document, expected) in [
        ("[]".to_owned(), "JSON object"),
        ("{".to_owned(), "line 1, column 1"),
        (
            "{}".to_owned(),
            "\"environment\" is missing; \"auth\" is missing",
        ),
        (
            with(|d| d["enviroment"] = "x".into()),
            "did you mean \"environment\"?",
        ),
        (
            with(|d| d["auth"]["clientid"] = "x".into()),
            "did you mean \"auth.clientId\"?",
        ),
        (
            with(|d| d["colour"] = 1.into()),
            "\"colour\" is not a setting (known settings: ",
        ),
        (
            with(|d| d["tenant"] = 7.into()),
            "\"tenant\" must be text, not a number",
        ),
        (
            with(|d| d["tenant"] = "common".into()),
            "must name one directory",
        ),
        (with(|d| d["tenant"] = "a/b.c".into()), "GUID or a domain"),
        (
            with(|d| d["auth"] = "x".into()),
            "\"auth\" must be an object, not text",
        ),
        (
            with(|d| d["auth"]["type"] = "magic".into()),
            "\"auth.type\" must be \"client",
        ),
        (
            with(|d| d["auth"]["clientId"] = "me".into()),
            "\"auth.clientId\" must be the app",
        ),
        (
            with(|d| d["apiVersion"] = "9.9".into()),
            "\"apiVersion\" must be",
        ),
        (
            with(|d| d["authority"] = "http://login.example.com".into()),
            "https://",
        ),
        (
            with(|d| d["authority"] = "https://a.example/b".into()),
            "only an origin",
        ),
        (
            with(|d| d["authority"] = "https://a.example/adfs/oauth2".into()),
            "the base of an AD FS server",
        ),
        (
            with(|d| d["resource"] = "crm".into()),
            "\"resource\" must be",
        ),
        (
            with(|d| d["auth"]["type"] = "certificate".into()),
            "\"auth.certificate\" is missing; \"auth.secret\" is not a setting (known settings: \
             type, clientId, certificate, algorithm, scope)",
        ),
        (
            with(|d| {
                d["auth"] = serde_json::json!({
                    "type": "delegated",
                    "clientId": "00001111-AAAA-2222-bbbb-3333cccc4444",
                    "refreshToken": "one",
                    "secret": "one",
                });
            }),
            "must be another secret than",
        ),
        (
            with(|d| d["limits"] = serde_json::json!({"pageSize": 5001})),
            "\"limits.pageSize\" must be a whole number from 1 to 5000, not 5001",
        ),
        (
            with(|d| d["retry"] = serde_json::json!({"maxWaitSeconds": "5"})),
            "\"retry.maxWaitSeconds\" must be a whole number from 0 to 86400, not text",
        ),
    ] {
        let error = Settings::parse(&document).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSettings);
        assert!(error.message.contains(expected), "{document}: {error}");
    }
}

#[test]
fn several_faults_are_reported_at_once() {
    let error = Settings::parse(&with(|d| {
        d["environment"] = "contoso".into();
        d["auth"]["secret"] = 1.into();
        d["x"] = 1.into();
    }))
    .unwrap_err();
    for place in ["\"environment\"", "\"auth.secret\"", "\"x\""] {
        assert!(error.message.contains(place), "{error}");
    }
}

#[test]
fn a_pasted_secret_is_recognised_and_not_repeated() {
    for pasted in ["Abc8Q~s3cr3t.value", "two words", &"a".repeat(129), ""] {
        let error = Settings::parse(&with(|d| d["auth"]["secret"] = pasted.into())).unwrap_err();
        assert!(error.message.contains("name of the secret"), "{error}");
        assert!(
            pasted.is_empty() || !error.message.contains(pasted),
            "{error}"
        );
    }
}

/// No error repeats a pasted value.
#[test]
fn no_value_is_repeated() {
    for full in examples(&serde_json::from_str(Settings::schema()).unwrap()) {
        for place in places(&full, "") {
            nothing_is_repeated(&full, &place);
        }
    }
}

fn nothing_is_repeated(full: &Value, place: &str) {
    for value in [
        "MARKER~1",
        "https://me:MARKER@x.example",
        "[{\"MARKER\"",
        "MARKER.x/y",
    ] {
        let mut document = full.clone();
        *document.pointer_mut(place).unwrap() = value.into();
        let error = Settings::parse(&document.to_string()).unwrap_err();
        assert!(!error.message.contains("MARKER"), "{place}: {error}");
        // The same in the middle of a document that is cut off.
        let cut = document.to_string().replace("}}", "");
        let error = Settings::parse(&cut[..cut.len() - 1]).unwrap_err();
        assert!(!error.message.contains("MARKER"), "{place}: {error}");
    }
}

/// The places of all values, those within others too.
fn places(value: &Value, above: &str) -> Vec<String> {
    let members = value.as_object().into_iter().flatten();
    let items = value.as_array().into_iter().flatten().enumerate();
    members
        .map(|(key, value)| (key.clone(), value))
        .chain(items.map(|(index, value)| (index.to_string(), value)))
        .flat_map(|(key, value)| {
            let place = format!("{above}/{key}");
            let mut places = places(value, &place);
            places.push(place);
            places
        })
        .collect()
}

/// Walks schema and parser side by side: a document that fills every key of the schema
/// with its first example is accepted, and a stray key in any object makes the parser
/// list exactly the keys of the schema. Once for each way of signing in.
#[test]
fn the_schema_and_the_parser_have_the_same_keys() {
    let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
    for (choice, full) in examples(&schema).into_iter().enumerate() {
        Settings::parse(&full.to_string()).unwrap();
        for place in [
            "",
            "/auth",
            "/purpose",
            "/purpose/write/0",
            "/retry",
            "/limits",
        ] {
            let mut document = full.clone();
            document.pointer_mut(place).unwrap()["~"] = true.into();
            let error = Settings::parse(&document.to_string()).unwrap_err();
            let (_, list) = error.message.split_once("known settings: ").unwrap();
            let mut known: Vec<&str> = list.trim_end_matches(')').split(", ").collect();
            known.sort_unstable();
            let node = object_schema(&schema, place, choice);
            assert_eq!(node["additionalProperties"], false, "{place}");
            let mut described: Vec<&str> = node["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            described.sort_unstable();
            assert_eq!(known, described, "{place}");
            // What the schema calls required is required, and nothing else is.
            for key in described {
                let mut document = full.clone();
                let object = document.pointer_mut(place).unwrap();
                object.as_object_mut().unwrap().remove(key);
                let required = node["required"]
                    .as_array()
                    .is_some_and(|required| required.contains(&key.into()));
                let outcome = Settings::parse(&document.to_string());
                assert_eq!(outcome.is_err(), required, "{place}/{key}: {outcome:?}");
            }
        }
    }
}

#[test]
fn the_schema_has_the_parsers_defaults() {
    let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
    let settings = Settings::parse(MINIMAL).unwrap();
    let default = |place: &str| schema.pointer(place).unwrap()["default"].clone();
    assert_eq!(
        default("/properties/retry/properties/maxWaitSeconds"),
        settings.retry.max_wait.as_secs()
    );
    let limits = |key: &str| default(&format!("/properties/limits/properties/{key}"));
    assert_eq!(
        limits("requestTimeoutSeconds"),
        settings.limits.request_timeout.as_secs()
    );
    assert_eq!(limits("pageSize"), settings.limits.page_size);
    assert_eq!(limits("maxConcurrency"), settings.limits.max_concurrency);
}

fn object_schema<'s>(schema: &'s Value, place: &str, choice: usize) -> &'s Value {
    let node = place
        .split('/')
        .skip(1)
        .fold(schema, |node, step| match step.parse::<usize>() {
            Ok(_) => &node["items"],
            Err(_) => &node["properties"][step],
        });
    node.get("oneOf").map_or(node, |choices| &choices[choice])
}

/// A full document for each way of signing in.
fn examples(schema: &Value) -> Vec<Value> {
    let ways = schema["properties"]["auth"]["oneOf"].as_array().unwrap();
    (0..ways.len())
        .map(|choice| example(schema, choice))
        .collect()
}

fn example(schema: &Value, choice: usize) -> Value {
    let schema = schema
        .get("oneOf")
        .map_or(schema, |choices| &choices[choice]);
    if let Some(properties) = schema["properties"].as_object() {
        return properties
            .iter()
            .map(|(key, node)| (key.clone(), example(node, choice)))
            .collect();
    }
    if let Some(items) = schema.get("items") {
        return Value::Array(vec![example(items, choice)]);
    }
    ["const", "default"]
        .into_iter()
        .find_map(|key| schema.get(key))
        .or_else(|| schema["examples"].get(0))
        .unwrap_or_else(|| panic!("no example: {schema}"))
        .clone()
}
