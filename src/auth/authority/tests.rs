use super::*;

fn settings(environment: &str, more: &str) -> Settings {
    let auth = r#"{"type":"client-secret","clientId":"00001111-aaaa-2222-bbbb-3333cccc4444","secret":"s"}"#;
    Settings::parse(&format!(
        r#"{{"environment":"{environment}","auth":{auth}{more}}}"#
    ))
    .unwrap()
}

fn challenged(authorization: &str) -> Challenged {
    Challenged::Bearer(Challenge {
        authorization: Url::parse(authorization).unwrap(),
    })
}

fn endpoint(environment: &str, more: &str, authorization: &str) -> Result<String, Error> {
    let settings = settings(environment, more);
    let authority = match Authority::from_settings(&settings) {
        Some(authority) => authority,
        None => Authority::discovered(&settings, &challenged(authorization))?,
    };
    Ok(authority.token_endpoint().into())
}

const CLOUD: &str = "https://contoso.crm.dynamics.com";
const LOCAL: &str = "http://127.0.0.1:8080";

#[test]
fn settings_take_precedence_over_the_challenge() {
    for (environment, more, authorization, expected) in [
        (
            CLOUD,
            "",
            "https://login.microsoftonline.com/t.example/oauth2/authorize",
            "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
        ),
        (
            CLOUD,
            "",
            "https://login.windows.net/t.example/oauth2/authorize",
            "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
        ),
        (
            CLOUD,
            r#","tenant":"T.example""#,
            "https://evil.example/x/oauth2/authorize",
            "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
        ),
        (
            CLOUD,
            r#","authority":"https://sts.example""#,
            "https://evil.example/t.example/a",
            "https://sts.example/t.example/oauth2/v2.0/token",
        ),
        (
            "https://crm.contoso.com",
            r#","tenant":"t.example""#,
            "https://login.microsoftonline.us/common/oauth2/authorize?x=y#z",
            "https://login.microsoftonline.us/t.example/oauth2/v2.0/token",
        ),
        (
            LOCAL,
            "",
            "http://127.0.0.1:9090/t.example/oauth2/authorize",
            "http://127.0.0.1:9090/t.example/oauth2/v2.0/token",
        ),
    ] {
        assert_eq!(
            endpoint(environment, more, authorization).unwrap(),
            expected
        );
    }
}

#[test]
fn the_secret_is_sent_only_to_known_authorities() {
    for (environment, authorization) in [
        (CLOUD, "https://evil.example/t.example/oauth2/authorize"),
        (
            CLOUD,
            "https://login.microsoftonline.com.evil.example/t.example/oauth2/authorize",
        ),
        (
            CLOUD,
            "https://login.microsoftonline.com@evil.example/t.example/oauth2/authorize",
        ),
        (
            CLOUD,
            "https://me@login.microsoftonline.com/t.example/oauth2/authorize",
        ),
        (
            CLOUD,
            "https://login.microsoftonline.com:444/t.example/oauth2/authorize",
        ),
        (
            CLOUD,
            "http://login.microsoftonline.com/t.example/oauth2/authorize",
        ),
        (
            CLOUD,
            "https://login.microsoftonline.us/t.example/oauth2/authorize",
        ),
        (
            "https://contoso.crm.dynamics.cn",
            "https://login.windows.net/t.example/oauth2/authorize",
        ),
        (CLOUD, "http://login.windows.net/t.example/oauth2/authorize"),
        (
            CLOUD,
            "https://login.windows.net:444/t.example/oauth2/authorize",
        ),
        (CLOUD, "http://127.0.0.1/t.example/oauth2/authorize"),
        (
            LOCAL,
            "https://login.microsoftonline.com/t.example/oauth2/authorize",
        ),
        (LOCAL, "http://localhost:8080/t.example/oauth2/authorize"),
    ] {
        let error = endpoint(environment, "", authorization).unwrap_err();
        assert!(
            error.message.contains("set \"authority\""),
            "{authorization}: {error}"
        );
    }
}

#[test]
fn an_application_needs_one_tenant() {
    for (path, kind, words) in [
        (
            "common/oauth2/authorize",
            ErrorKind::InvalidSettings,
            "set \"tenant\"",
        ),
        (
            "organizations/oauth2/authorize",
            ErrorKind::InvalidSettings,
            "set \"tenant\"",
        ),
        ("", ErrorKind::InvalidSettings, "set \"tenant\""),
        (
            "a%2Fb/oauth2/authorize",
            ErrorKind::InvalidSettings,
            "set \"tenant\"",
        ),
    ] {
        let error = endpoint(
            CLOUD,
            "",
            &format!("https://login.microsoftonline.com/{path}"),
        )
        .unwrap_err();
        assert_eq!(error.kind, kind, "{path}");
        assert!(error.message.contains(words), "{path}: {error}");
    }
}
