//! From a JSON document to [`Settings`].

use std::time::Duration;

use serde_json::Value;

use super::document::{Faults, Fields};
use super::{
    ApiVersion, Auth, ClientSecret, EnvironmentUrl, Limits, Origin, RetrySettings, SecretName,
    Settings, Tenant, purpose,
};
use crate::error::{Error, ErrorKind};

const SIGN_IN_TYPES: &str = "\"client-secret\"";

pub(super) fn parse(json: &str) -> Result<Settings, Error> {
    let members = match serde_json::from_str(json) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(refused("they must be a JSON object")),
        // The parser's own words could quote a misplaced secret; its position cannot.
        Err(error) => {
            return Err(refused(&format!(
                "they are not JSON (line {}, column {})",
                error.line(),
                error.column()
            )));
        }
    };
    let mut faults = Faults::default();
    let mut root = Fields::root(members, &mut faults);
    let settings = read(&mut root);
    root.finish();
    match (settings, faults.into_sentence()) {
        (Some(settings), None) => Ok(settings),
        (_, Some(faults)) => Err(refused(&faults)),
        (None, None) => Err(Error::new(
            ErrorKind::Internal,
            "the settings were refused without a reason; this is a defect of the connector",
        )),
    }
}

fn refused(faults: &str) -> Error {
    Error::new(
        ErrorKind::InvalidSettings,
        format!("the settings cannot be used: {faults}"),
    )
}

fn read(fields: &mut Fields<'_>) -> Option<Settings> {
    let environment = fields.required_text("environment", EnvironmentUrl::parse);
    let api_version = fields.text("apiVersion", |text| {
        ApiVersion::parse(text)
            .ok_or_else(|| "must be \"8.0\", \"8.1\", \"8.2\", \"9.0\", \"9.1\" or \"9.2\"".into())
    });
    let tenant = fields.text("tenant", Tenant::parse);
    let authority = fields.text("authority", Origin::parse);
    let auth = fields.required_object("auth", auth).flatten();
    let purpose = fields.object("purpose", purpose::read);
    let retry = fields.object("retry", |retry| RetrySettings {
        max_wait: seconds(retry.integer("maxWaitSeconds", 0..=86_400, 300)),
    });
    let limits = fields.object("limits", |limits| Limits {
        request_timeout: seconds(limits.integer("requestTimeoutSeconds", 1..=3_600, 120)),
        page_size: limits.integer("pageSize", 1..=5_000, 5_000),
        max_concurrency: usize::try_from(limits.integer("maxConcurrency", 1..=52, 8)).unwrap_or(1),
    });
    Some(Settings {
        environment: environment?,
        api_version: api_version.unwrap_or(ApiVersion::CURRENT),
        tenant,
        authority,
        auth: auth?,
        purpose: purpose?,
        retry: retry?,
        limits: limits?,
    })
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

fn auth(fields: &mut Fields<'_>) -> Option<Auth> {
    let known = fields.required_text("type", |text| match text {
        "client-secret" => Ok(()),
        _ => Err(format!("must be {SIGN_IN_TYPES}")),
    });
    if known.is_none() {
        fields.ignore_rest();
        return None;
    }
    let client_id = fields.required_text("clientId", |text| {
        guid(text).ok_or_else(|| {
            "must be the application (client) ID, a GUID such as \
             00001111-aaaa-2222-bbbb-3333cccc4444"
                .to_owned()
        })
    });
    let secret = fields.required_text("secret", secret_name);
    let scope = fields.text("scope", |text| {
        let plain = text.chars().all(|c| c.is_ascii_graphic());
        if plain && text.ends_with("/.default") {
            Ok(text.to_owned())
        } else {
            Err(
                "must end with /.default, such as https://contoso.crm.dynamics.com/.default"
                    .to_owned(),
            )
        }
    });
    Some(Auth::ClientSecret(ClientSecret {
        client_id: client_id?,
        secret: secret?,
        scope,
    }))
}

pub(super) fn tenant(text: &str) -> Result<Tenant, String> {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "common" | "organizations" | "consumers") {
        return Err(format!(
            "must name one directory, and \"{text}\" stands for many; use its GUID or domain"
        ));
    }
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if guid(&text).is_some() || (text.contains('.') && text.split('.').all(label)) {
        Ok(Tenant(text))
    } else {
        Err("must be the directory's GUID or a domain such as contoso.onmicrosoft.com".to_owned())
    }
}

/// The GUID in lower case.
fn guid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (lengths == [8, 4, 4, 4, 12] && hexadecimal).then_some(text)
}

/// A name, and not by mistake the secret itself. Whatever it is, it is not repeated.
fn secret_name(text: &str) -> Result<SecretName, String> {
    let named = (1..=128).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if named {
        Ok(SecretName(text.to_owned()))
    } else {
        Err(
            "must be the NAME under which the secret is stored (letters, digits, '.', '_', '-'; \
             at most 128), never its value; if the value was pasted here, remove it and put it \
             into the secret store"
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
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
    fn little_needs_to_be_said() {
        let settings = Settings::parse(MINIMAL).unwrap();
        assert_eq!(
            settings.environment.as_str(),
            "https://contoso.crm.dynamics.com"
        );
        assert_eq!(settings.api_version, ApiVersion::CURRENT);
        assert_eq!(settings.tenant, None);
        assert_eq!(settings.retry.max_wait, Duration::from_mins(5));
        assert_eq!(settings.limits.request_timeout, Duration::from_mins(2));
        assert_eq!(settings.limits.page_size, 5000);
        let Auth::ClientSecret(auth) = settings.auth;
        assert_eq!(auth.client_id, "00001111-aaaa-2222-bbbb-3333cccc4444");
        assert_eq!(auth.secret.as_str(), "dataverse-secret");
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
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
                "\"colour\" is not a setting (known here: ",
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
                "origin alone",
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
    fn several_faults_come_at_once() {
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
            let error =
                Settings::parse(&with(|d| d["auth"]["secret"] = pasted.into())).unwrap_err();
            assert!(error.message.contains("NAME"), "{error}");
            assert!(
                pasted.is_empty() || !error.message.contains(pasted),
                "{error}"
            );
        }
    }

    /// Whatever is pasted wherever: the refusal does not repeat it.
    #[test]
    fn no_value_is_repeated() {
        let full = example(&serde_json::from_str(Settings::schema()).unwrap());
        let places = full
            .as_object()
            .unwrap()
            .keys()
            .map(|key| format!("/{key}"));
        let nested = ["auth", "purpose", "retry", "limits"]
            .iter()
            .flat_map(|key| {
                full[key]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(move |inner| format!("/{key}/{inner}"))
            });
        for place in places.chain(nested) {
            for value in [
                "MARKER~1",
                "https://me:MARKER@x.example",
                "[{\"MARKER\"",
                "MARKER.x/y",
            ] {
                let mut document = full.clone();
                *document.pointer_mut(&place).unwrap() = value.into();
                let error = Settings::parse(&document.to_string()).unwrap_err();
                assert!(!error.message.contains("MARKER"), "{place}: {error}");
                // The same in the middle of a document that is cut off.
                let cut = document.to_string().replace("}}", "");
                let error = Settings::parse(&cut[..cut.len() - 1]).unwrap_err();
                assert!(!error.message.contains("MARKER"), "{place}: {error}");
            }
        }
    }

    /// Walks schema and parser side by side: a document that fills every key of the schema
    /// with its first example is accepted, and a stray key in any object makes the parser
    /// list exactly the keys of the schema.
    #[test]
    fn the_schema_and_the_parser_know_the_same_keys() {
        let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
        let full = example(&schema);
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
            let (_, list) = error.message.split_once("known here: ").unwrap();
            let mut known: Vec<&str> = list.trim_end_matches(')').split(", ").collect();
            known.sort_unstable();
            let node = object_schema(&schema, place);
            assert_eq!(node["additionalProperties"], false, "{place}");
            let mut described: Vec<&str> = node["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            described.sort_unstable();
            assert_eq!(known, described, "{place}");
        }
    }

    #[test]
    fn the_schema_tells_the_parsers_defaults() {
        let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
        let settings = Settings::parse(MINIMAL).unwrap();
        let default = |place: &str| schema.pointer(place).unwrap()["default"].clone();
        assert_eq!(
            default("/properties/apiVersion"),
            settings.api_version.to_string()
        );
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

    fn object_schema<'s>(schema: &'s Value, place: &str) -> &'s Value {
        let node =
            place
                .split('/')
                .skip(1)
                .fold(schema, |node, step| match step.parse::<usize>() {
                    Ok(_) => &node["items"],
                    Err(_) => &node["properties"][step],
                });
        node.get("oneOf").map_or(node, |choices| &choices[0])
    }

    fn example(schema: &Value) -> Value {
        let schema = schema.get("oneOf").map_or(schema, |choices| &choices[0]);
        if let Some(properties) = schema["properties"].as_object() {
            return properties
                .iter()
                .map(|(key, node)| (key.clone(), example(node)))
                .collect();
        }
        if let Some(items) = schema.get("items") {
            return Value::Array(vec![example(items)]);
        }
        ["const", "default"]
            .into_iter()
            .find_map(|key| schema.get(key))
            .or_else(|| schema["examples"].get(0))
            .unwrap_or_else(|| panic!("no example: {schema}"))
            .clone()
    }
}
