//! The connection file: TOML that a person writes and keeps under version control. It never
//! contains a secret.

mod network;
mod stores;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use dataverse_host::Profile;

use crate::exit::{Exit, Failure};
use crate::selection::SelectionFile;
use crate::toml_file;
use network::{LimitsSection, NetworkSection};
use stores::{StoreSections, Stores};

/// A connection as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionFile {
    settings: Settings,
    #[serde(default)]
    secrets: StoreSections,
    #[serde(default)]
    network: NetworkSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    pub(crate) sync: SelectionFile,
    /// Relative paths in the file start here.
    #[serde(skip)]
    directory: PathBuf,
}

/// The connector's settings, which are passed on unchanged.
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

impl ConnectionFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = toml_file::read(path)?;
        let mut file = Self::parse(&text, &path.display().to_string())?;
        file.directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
        file.sync.set_directory(&file.directory);
        Ok(file)
    }

    fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        toml_file::parse(text, name)
    }

    /// The profile that the file describes, with a pool of its own.
    pub(crate) fn profile(&self) -> Result<Profile, Failure> {
        self.profile_for(&[])
    }

    /// The same for these application profiles as well.
    pub(crate) fn profile_for(&self, profiles: &[String]) -> Result<Profile, Failure> {
        Ok(Profile::new(self.settings_for(profiles)?, self.stores()?)?
            .with_network(&self.network.policy(&self.directory)?)?
            .with_limits(self.limits.limits()))
    }

    /// The stores of the connection's secrets.
    pub(crate) fn stores(&self) -> Result<Stores, Failure> {
        self.secrets.open(&self.directory)
    }

    /// The settings for the connector, with these application profiles added.
    pub(crate) fn settings_for(&self, profiles: &[String]) -> Result<String, Failure> {
        let table = match &self.settings {
            Settings::ConnectionString(text) if profiles.is_empty() => return Ok(text.clone()),
            Settings::ConnectionString(_) => {
                return Err(usage(
                    "--profile cannot be added to settings that are a connection string; write \
                     them as a table [settings]",
                ));
            }
            Settings::Table(table) => table,
        };
        let mut settings = serde_json::to_value(table)
            .map_err(|error| usage(format!("[settings] cannot be written as JSON: {error}")))?;
        add_profiles(&mut settings, profiles)?;
        Ok(settings.to_string())
    }
}

/// Adds application profiles to those in `purpose.profiles` of the settings.
pub(crate) fn add_profiles(
    settings: &mut serde_json::Value,
    names: &[String],
) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let profiles = settings.as_object_mut().and_then(|settings| {
        let purpose = settings.entry("purpose").or_insert_with(|| json!({}));
        let profiles = purpose.as_object_mut()?.entry("profiles");
        profiles.or_insert_with(|| json!([])).as_array_mut()
    });
    let profiles = profiles.ok_or_else(|| {
        usage("--profile cannot be added: profiles in [settings.purpose] must be a list")
    })?;
    for name in names {
        let name = json!(name);
        if !profiles.contains(&name) {
            profiles.push(name);
        }
    }
    Ok(())
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn all_sections_are_read() {
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
        assert_eq!(file.limits.limits().memory, 32 << 20);
        assert_eq!(file.limits.limits().call, Duration::from_mins(1));
        let network = file.network.policy(Path::new("")).unwrap();
        assert_eq!(network.timeouts.connect, Duration::from_secs(3));
        assert!(network.allow_private && network.proxy.is_some());
        let profile = format!("{:?}", file.profile().unwrap());
        assert!(
            profile.contains(r#"\"type\":\"client-secret\""#),
            "{profile}"
        );
    }

    #[test]
    fn errors_name_the_key_and_line() {
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
    fn a_connection_string_is_passed_on_unchanged() {
        let text = "settings = \"AuthType=ClientSecret;Url=https://x.example\"";
        let file = ConnectionFile::parse(text, "c.toml").unwrap();
        let settings = file.settings_for(&[]).unwrap();
        assert_eq!(settings, "AuthType=ClientSecret;Url=https://x.example");
        let refused = file.settings_for(&["x".to_owned()]).unwrap_err();
        assert!(refused.to_string().contains("connection string"));
        // A connection string may contain a secret.
        assert!(!format!("{:?}", file.profile().unwrap()).contains("ClientSecret"));
    }

    #[test]
    fn profiles_are_added_once() {
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
        let message = error("[settings]\n[secrets]\nclient-secret = \"hunter2~\"");
        assert!(
            message.contains("this file never contains their values"),
            "{message}"
        );
    }
}
