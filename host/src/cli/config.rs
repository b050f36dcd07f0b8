//! The connection file: TOML that a person writes and keeps under version control. It never holds
//! a secret.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use dataverse_host::{Limits, Network, Origin, Profile, Proxy, Timeouts, Trust};

use super::exit::{Exit, Failure};
use super::selection::Selection;
use super::stores::{StoreSections, Stores};

/// A connection as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionFile {
    settings: Settings,
    #[serde(default)]
    secrets: StoreSections,
    #[serde(default)]
    network: NetworkSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    pub(super) sync: Selection,
    /// Relative paths in the file start here.
    #[serde(skip)]
    directory: PathBuf,
}

/// What the connector gets to know of a connection. It knows what it means.
#[derive(Debug)]
enum Settings {
    Table(toml::Table),
    ConnectionString(String),
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableOrText;

        impl<'de> Visitor<'de> for TableOrText {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table [settings], or a connection string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Settings::ConnectionString(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                toml::Table::deserialize(MapAccessDeserializer::new(map)).map(Settings::Table)
            }
        }

        deserializer.deserialize_any(TableOrText)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NetworkSection {
    #[serde(default)]
    ca_certificates: Vec<PathBuf>,
    #[serde(default)]
    only_own_certificates: bool,
    #[serde(default)]
    allow_private: bool,
    allowed_origins: Option<Vec<String>>,
    proxy: Option<String>,
    connect_timeout_seconds: Option<NonZeroU32>,
    first_byte_timeout_seconds: Option<NonZeroU32>,
    between_bytes_timeout_seconds: Option<NonZeroU32>,
    total_timeout_seconds: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsSection {
    memory_mib: Option<NonZeroU16>,
    call_timeout_seconds: Option<NonZeroU32>,
}

impl ConnectionFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| usage(format!("{} cannot be read: {error}", path.display())))?;
        let mut file = Self::parse(&text, &path.display().to_string())?;
        file.directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
        file.sync.stand_in(&file.directory);
        Ok(file)
    }

    fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        parse_toml(text, name)
    }

    /// The profile that the file describes, with a pool of its own.
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        self.profile_for(&[])
    }

    /// The same for what these profiles of use need as well.
    pub(super) fn profile_for(&self, uses: &[String]) -> Result<Profile, Failure> {
        Ok(Profile::new(self.settings_for(uses)?, self.stores()?)?
            .with_network(&self.network()?)?
            .with_limits(self.limits()))
    }

    /// The stores of the connection's secrets.
    pub(super) fn stores(&self) -> Result<Stores, Failure> {
        self.secrets.open(&self.directory)
    }

    /// The settings as the connector takes them. What these profiles of use need is added to what
    /// the settings say the connection is for.
    pub(super) fn settings_for(&self, uses: &[String]) -> Result<String, Failure> {
        let table = match &self.settings {
            Settings::ConnectionString(text) if uses.is_empty() => return Ok(text.clone()),
            Settings::ConnectionString(_) => {
                return Err(usage(
                    "--profile adds to settings that are a table, and these are a connection \
                     string; write them as [settings]",
                ));
            }
            Settings::Table(table) => table,
        };
        let mut settings = serde_json::to_value(table)
            .map_err(|error| usage(format!("[settings] cannot be written as JSON: {error}")))?;
        add_uses(&mut settings, uses)?;
        Ok(settings.to_string())
    }

    fn network(&self) -> Result<Network, Failure> {
        let section = &self.network;
        let mut trust = Trust::default();
        for path in &section.ca_certificates {
            let path = self.directory.join(path);
            let name = path.display().to_string();
            let pem = std::fs::read(&path)
                .map_err(|error| usage(format!("{name} cannot be read: {error}")))?;
            trust.add_pem(&pem, &name)?;
        }
        if section.only_own_certificates {
            trust.only_own();
        }
        let default = Timeouts::default();
        let wrong = |error: &dyn fmt::Display| usage(format!("[network] {error}"));
        let parse = |text: &String| text.parse::<Origin>().map_err(|error| wrong(&error));
        let proxy = section.proxy.as_ref().map(|text| text.parse::<Proxy>());
        let allowed = section.allowed_origins.as_ref();
        Ok(Network {
            trust,
            allow_private: section.allow_private,
            proxy: proxy.transpose().map_err(|error| wrong(&error))?,
            timeouts: Timeouts {
                connect: seconds(section.connect_timeout_seconds, default.connect),
                first_byte: seconds(section.first_byte_timeout_seconds, default.first_byte),
                between_bytes: seconds(
                    section.between_bytes_timeout_seconds,
                    default.between_bytes,
                ),
                total: seconds(section.total_timeout_seconds, default.total),
            },
            allowed_origins: allowed
                .map(|list| list.iter().map(parse).collect())
                .transpose()?,
        })
    }

    fn limits(&self) -> Limits {
        let default = Limits::default();
        let LimitsSection {
            memory_mib,
            call_timeout_seconds,
        } = &self.limits;
        Limits {
            memory: memory_mib.map_or(default.memory, |mib| usize::from(mib.get()) << 20),
            call: seconds(*call_timeout_seconds, default.call),
        }
    }
}

fn seconds(own: Option<NonZeroU32>, default: Duration) -> Duration {
    own.map_or(default, |own| Duration::from_secs(own.get().into()))
}

/// Adds profiles of use to those that settings name in `purpose.profiles`.
pub(super) fn add_uses(settings: &mut serde_json::Value, uses: &[String]) -> Result<(), Failure> {
    if uses.is_empty() {
        return Ok(());
    }
    let profiles = settings.as_object_mut().and_then(|settings| {
        let purpose = settings.entry("purpose").or_insert_with(|| json!({}));
        let profiles = purpose.as_object_mut()?.entry("profiles");
        profiles.or_insert_with(|| json!([])).as_array_mut()
    });
    let profiles = profiles.ok_or_else(|| {
        usage("--profile adds to [settings.purpose] profiles, which must be a list in a table")
    })?;
    for name in uses {
        let name = json!(name);
        if !profiles.contains(&name) {
            profiles.push(name);
        }
    }
    Ok(())
}

/// Reads TOML that a person wrote. A mistake is told by line, and nothing of the text with it.
pub(super) fn parse_toml<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let before = before.unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let mut message = format!("{name}, line {line}: {}", without_values(error.message()));
        let section = before
            .lines()
            .rev()
            .find(|line| line.trim_start().starts_with('['));
        if section.is_some_and(|section| section.contains("[secrets]")) {
            message.push_str(
                "; [secrets] says where secrets are kept, their values never stand in this file",
            );
        }
        usage(message)
    })
}

/// A parser's complaint without the text it quotes, which may be a secret in the wrong place.
fn without_values(message: &str) -> String {
    let Some((head, rest)) = message.split_once(": string \"") else {
        return message.to_owned();
    };
    match rest.rsplit_once("\", expected") {
        Some((_, expected)) => format!("{head}: a text, expected{expected}"),
        None => head.to_owned(),
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        match ConnectionFile::parse(text, "c.toml").and_then(|file| file.profile()) {
            Ok(_) => panic!("accepted: {text}"),
            Err(failure) => {
                assert_eq!(failure.exit(), Exit::Usage);
                failure.to_string()
            }
        }
    }

    #[test]
    fn a_whole_file_is_understood() {
        let file = ConnectionFile::parse(
            r#"
            [settings]
            environment = "https://contoso.crm4.dynamics.com"
            auth = { type = "client-secret", secret = "client-secret" }
            [secrets]
            from = "environment"
            prefix = "CRM_"
            names = { client-secret = "MY_SECRET" }
            [network]
            allow-private = true
            proxy = "http://proxy.contoso.com:3128"
            allowed-origins = ["https://contoso.crm4.dynamics.com"]
            connect-timeout-seconds = 3
            [limits]
            memory-mib = 32
            call-timeout-seconds = 60
            [sync]
            labels = true
            [[sync.streams]]
            name = "account"
            columns = ["name"]
            "#,
            "c.toml",
        )
        .unwrap();
        assert_eq!(file.limits().memory, 32 << 20);
        assert_eq!(file.limits().call, Duration::from_mins(1));
        let network = file.network().unwrap();
        assert_eq!(network.timeouts.connect, Duration::from_secs(3));
        assert!(network.allow_private && network.proxy.is_some());
        let profile = format!("{:?}", file.profile().unwrap());
        assert!(
            profile.contains(r#"\"type\":\"client-secret\""#),
            "{profile}"
        );
    }

    #[test]
    fn mistakes_are_told_by_name_and_line() {
        assert!(error("[settings]\n[netwrk]\n").contains("line 2: unknown field `netwrk`"));
        assert!(error("[secrets]\nfrom = \"environment\"\n").contains("missing field `settings`"));
        assert!(error("[settings]\nx = 1\n[limits]\nmemory = 5").contains("line 4: unknown field"));
        assert!(error("[settings]\nx = \n").contains("line 2"));
        let never = error("[settings]\n[limits]\ncall-timeout-seconds = 0");
        assert!(
            never.contains("line 3: invalid value: integer `0`"),
            "{never}"
        );
        assert!(error("settings = 5\n").contains("a table [settings], or a connection string"));
        let origin = error("[settings]\n[network]\nallowed-origins = [\"http://x.org\"]");
        assert!(origin.contains("loopback"), "{origin}");
        let proxy = error("[settings]\n[network]\nproxy = \"socks5://me:hunter2@x\"");
        assert!(
            proxy.contains("http://proxy") && !proxy.contains("hunter2"),
            "{proxy}"
        );
        let store = error("[settings]\n[secrets]\nfrom = \"file\"\npath = \"x\"\nnmae = 1");
        assert!(store.contains("line 5: unknown field `nmae`"), "{store}");
    }

    #[test]
    fn a_connection_string_is_passed_on_as_it_is() {
        let text = "settings = \"AuthType=ClientSecret;Url=https://x.example\"";
        let file = ConnectionFile::parse(text, "c.toml").unwrap();
        let settings = file.settings_for(&[]).unwrap();
        assert_eq!(settings, "AuthType=ClientSecret;Url=https://x.example");
        let refused = file.settings_for(&["x".to_owned()]).unwrap_err();
        assert!(refused.to_string().contains("connection string"));
        // It may hold what it must not.
        assert!(!format!("{:?}", file.profile().unwrap()).contains("ClientSecret"));
    }

    #[test]
    fn profiles_of_use_are_added_once() {
        let settings = |text: &str| {
            let file = ConnectionFile::parse(text, "c.toml").unwrap();
            let uses = ["a".to_owned(), "b".to_owned()];
            let settings = file.settings_for(&uses);
            settings.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap())
        };
        let bare = settings("[settings]\nx = 1").unwrap();
        assert_eq!(bare, json!({"x": 1, "purpose": {"profiles": ["a", "b"]}}));
        let more = "[settings.purpose]\nprofiles = [\"b\", \"c\"]\naudit = true";
        let expected = json!({"purpose": {"profiles": ["b", "c", "a"], "audit": true}});
        assert_eq!(settings(more).unwrap(), expected);
        assert!(settings("[settings]\npurpose = 1").is_err());
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        for text in [
            "[settings]\n[secrets]\nclient-secret = \"hunter2~\"",
            "[settings]\n[[secrets]]\nclient-secret = \"hunter2~\"",
            "secrets = \"hunter2~\"\n[settings]",
            "[settings]\n[secrets]\nnames = \"hunter2~\"",
            "[settings]\n[secrets.names]\nclient-secret = \"hunter2~\"",
            "[settings]\n[limits]\nmemory-mib = \"hunter2~\"",
        ] {
            let message = error(text);
            assert!(!message.contains("hunter2"), "{message}");
        }
        let told = error("[settings]\n[secrets]\nclient-secret = \"hunter2~\"");
        assert!(
            told.contains("their values never stand in this file"),
            "{told}"
        );
    }
}
