use crate::error::ErrorKind;
use crate::settings::Settings;

const ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";

/// The string results in the same settings as the JSON document.
fn assert_equivalent(string: &str, json: &str) {
    let string = string.replace("{ID}", ID);
    let json = json.replace("{ID}", ID);
    let settings = Settings::parse(&string).unwrap_or_else(|error| panic!("{string}: {error}"));
    assert_eq!(settings, Settings::parse(&json).unwrap(), "{string}");
}

#[test]
fn connection_strings_are_equivalent_to_documents() {
    for (string, json) in [
        (
            "AuthType=ClientSecret;Url=https://contoso.crm.dynamics.com;ClientId={ID};\
             ClientSecret=secret:crm-secret",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"client-secret",
                "clientId":"{ID}","secret":"crm-secret"}}"#,
        ),
        (
            " authtype = clientsecret ; SERVICE URI='https://contoso.crm.dynamics.com/' ; \
             App_Id=\"{ID}\"; Secret=Secret:crm-secret; RequireNewInstance=true; \
             LoginPrompt=Never; TokenCacheStorePath=c:\\a b\\c;",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"client-secret",
                "clientId":"{ID}","secret":"crm-secret"}}"#,
        ),
        (
            "AuthType=Certificate;Url=https://contoso.crm.dynamics.com;AppId={ID};\
             Thumbprint=0123456789ABCDEF;StoreName=My;Certificate=secret:crm-pem",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"certificate",
                "clientId":"{ID}","certificate":"crm-pem"}}"#,
        ),
        (
            "AuthType=OAuth;Username=jo@contoso.com;Url=https://contoso.crm.dynamics.com;\
             AppId={ID};RedirectUri=http://localhost:33333;LoginPrompt=Auto;\
             RefreshToken=secret:jo",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"delegated",
                "clientId":"{ID}","refreshToken":"jo"}}"#,
        ),
        (
            "AuthScheme=AzureServicePrincipal;OAuthClientId={ID};OAuthClientSecret=secret:s;\
             AzureTenant=contoso.onmicrosoft.com;CRMVersion=CRMOnline;InitiateOAuth=GETANDREFRESH;\
             CallbackURL=http://localhost:33333;URL=https://contoso.crm4.dynamics.com",
            r#"{"environment":"https://contoso.crm4.dynamics.com","tenant":"contoso.onmicrosoft.com",
                "auth":{"type":"client-secret","clientId":"{ID}","secret":"s"}}"#,
        ),
        (
            "AuthScheme=AzureServicePrincipalCert;OAuthClientId={ID};OAuthJWTCert=secret:c;\
             OAuthJWTCertType=PEMKEY_BLOB;OAuthJWTCertSubject=*;AzureTenant=contoso.com;\
             URL=https://contoso.crm.dynamics.cn;AzureEnvironment=China",
            r#"{"environment":"https://contoso.crm.dynamics.cn","tenant":"contoso.com",
                "authority":"https://login.partner.microsoftonline.cn",
                "auth":{"type":"certificate","clientId":"{ID}","certificate":"c"}}"#,
        ),
        (
            "AuthScheme=AzureAD;OAuthClientId={ID};OAuthClientSecret=secret:s;\
             OAuthRefreshToken=secret:r;Url=https://contoso.crm.dynamics.com",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"delegated",
                "clientId":"{ID}","secret":"s","refreshToken":"r"}}"#,
        ),
        (
            "AuthScheme=OAuth;InitiateOAuth=OFF;OAuthClientId={ID};OAuthAccessToken=secret:t;\
             Url=https://contoso.crm.dynamics.com",
            r#"{"environment":"https://contoso.crm.dynamics.com","auth":{"type":"access-token",
                "token":"t"}}"#,
        ),
        (
            "AuthType=OAuth;Url=https://crm.contoso.com/Sales;AppId={ID};RefreshToken=secret:r;\
             Authority=https://adfs.contoso.com/adfs;Resource=https://crm.contoso.com/",
            r#"{"environment":"https://crm.contoso.com/Sales",
                "authority":"https://adfs.contoso.com/adfs","resource":"https://crm.contoso.com/",
                "auth":{"type":"delegated","clientId":"{ID}","refreshToken":"r"}}"#,
        ),
    ] {
        assert_equivalent(string, json);
    }
}

#[test]
fn invalid_connection_strings_are_rejected_with_the_reason() {
    let start = format!("AuthType=ClientSecret;Url=https://contoso.crm.dynamics.com;AppId={ID}");
    for (string, expected) in [
        (
            start.clone(),
            "\"ClientSecret\" is missing (add ClientSecret=secret:NAME",
        ),
        (
            format!("{start};ClientSecret=secret:s;ClintId=x"),
            "\"ClintId\" is not a known key of a connection string (did you mean \
             \"ClientId\"?)",
        ),
        (
            format!("{start};ClientSecret=secret:s;Colour=x"),
            "\"Colour\" is not a known key",
        ),
        (
            format!("{start};ClientSecret=secret:s;ClientId={ID}"),
            "\"ClientId\" is given twice",
        ),
        (
            format!("{start};ClientSecret=secret:s;RefreshToken=secret:r"),
            "\"RefreshToken\" cannot be used with this type of sign-in (client-secret)",
        ),
        (
            format!("{start};ClientSecret=secret:s;CRMVersion=CRM2016"),
            "\"CRMVersion\" must be CRMOnline",
        ),
        (
            format!("{start};ClientSecret=secret:s;AzureEnvironment=Mars"),
            "\"AzureEnvironment\" must be GLOBAL",
        ),
        (
            "AuthType=AD;Url=https://crm.contoso.com".to_owned(),
            "a Windows account",
        ),
        (
            "AuthType=Office365;Url=https://crm.contoso.com".to_owned(),
            "user name and password, which Dataverse no longer supports",
        ),
        (
            "AuthType=Office365;Url=https://crm.contoso.com;Username=jo;Password=pw".to_owned(),
            "invalid settings: \"AuthType\" selects a sign-in with user name and password",
        ),
        (
            "AuthScheme=AzureMSI;Url=https://crm.contoso.com".to_owned(),
            "managed identity",
        ),
        (
            "AuthType=Magic;Url=https://crm.contoso.com".to_owned(),
            "\"AuthType\" must be ClientSecret",
        ),
        (
            "Url=https://crm.contoso.com".to_owned(),
            "\"AuthType\" is missing",
        ),
        (
            "AuthType=ClientSecret;AppId=me;ClientSecret=secret:s".to_owned(),
            "\"Url\" is missing",
        ),
        (
            "AuthType=ClientSecret;Url=crm;AppId=me;ClientSecret=secret:s".to_owned(),
            "\"auth.clientId\" must be the application",
        ),
        (format!("{start};what"), "part 4 is not of the form"),
    ] {
        let error = Settings::parse(&string).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSettings);
        assert!(error.message.contains(expected), "{string}: {error}");
    }
}

#[test]
fn a_pasted_secret_is_rejected_and_not_repeated() {
    let start = format!("AuthType=ClientSecret;Url=https://contoso.crm.dynamics.com;AppId={ID}");
    for part in [
        "ClientSecret=MARKER",
        "ClientSecret=MARKER~8Q;MARKERMARKER=MARKER",
        "ClientSecret=MARKER;MARKER",
        "ClientSecret='MARKER;",
        "ClientSecret='MARKER'MARKER",
        "ClientSecret=secret:MARKER~8Q",
        "ClientSecret=secret:s;Password=MARKER",
        "ClientSecret=secret:s;Pwd=secret:MARKER;MARKER=1",
        "OAuthAccessToken=MARKER",
        "OAuthRefreshToken=MARKER",
        "OAuthJWTCertPassword=MARKER",
        "Certificate=MARKER",
        "ClientSecret=secret:s;AzureTenant=MARKER/x",
        "ClientSecret=secret:s;Authority=MARKER",
        "ClientSecret=secret:s;Scope=MARKER",
        "ClientSecret=secret:s;Resource=MARKER",
        "ClientSecret=secret:s;AzureEnvironment=MARKER",
        "ClientSecret=secret:s;CRMVersion=MARKER",
    ] {
        let error = Settings::parse(&format!("{start};{part}")).unwrap_err();
        assert!(!error.message.contains("MARKER"), "{part}: {error}");
        let error = Settings::parse(&format!("{part};{start}")).unwrap_err();
        assert!(!error.message.contains("MARKER"), "{part}: {error}");
    }
}
