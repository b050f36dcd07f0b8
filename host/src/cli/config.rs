//! The connection file: TOML that a person writes and keeps under version control. It never holds
//! a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use async_trait::async_trait;
use dataverse_host::secrets::{
    Directory, Environment, Secret, SecretError, SecretStore, is_secret_name,
};
use dataverse_host::{Limits, Network, Origin, Profile, Timeouts, Trust};

use super::exit::{Exit, Failure};

/// A connection as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionFile {
    /// Passed to the connector as they are; it knows what they mean.
    settings: toml::Table,
    #[serde(default)]
    secrets: Secrets,
    #[serde(default)]
    network: NetworkSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    pub(super) sync: SyncSection,
    /// Relative paths in the file start here.
    #[serde(skip)]
    directory: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    #[serde(default)]
    from: Place,
    prefix: Option<String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    path: Option<PathBuf>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    #[default]
    Environment,
    Directory,
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
    connect_timeout_seconds: Option<u32>,
    first_byte_timeout_seconds: Option<u32>,
    between_bytes_timeout_seconds: Option<u32>,
    total_timeout_seconds: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsSection {
    memory_mib: Option<u16>,
    call_timeout_seconds: Option<u32>,
}

/// What to read when the command line does not say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SyncSection {
    #[serde(default)]
    pub(super) labels: bool,
    pub(super) page_size: Option<u32>,
    #[serde(default)]
    pub(super) streams: Vec<StreamSection>,
}

/// One stream of the connection file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StreamSection {
    pub(super) name: String,
    #[serde(default)]
    pub(super) columns: Vec<String>,
    pub(super) labels: Option<bool>,
    pub(super) page_size: Option<u32>,
}

impl ConnectionFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| usage(format!("{} cannot be read: {error}", path.display())))?;
        let mut file = Self::parse(&text, &path.display().to_string())?;
        file.directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(file)
    }

    fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let mut message = format!("{name}, line {line}: {}", without_values(error.message()));
            let section = before.lines().rev().find(|line| line.trim_start().starts_with('['));
            if section.is_some_and(|section| section.trim() == "[secrets]") {
                message.push_str(
                    "; [secrets] says where secrets are kept, their values never stand in this file",
                );
            }
            usage(message)
        })
    }

    /// The profile that the file describes, with a pool of its own.
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        let settings = serde_json::to_string(&self.settings)
            .map_err(|error| usage(format!("[settings] cannot be written as JSON: {error}")))?;
        let profile = match self.secrets.from {
            Place::Environment => Profile::new(settings, Announced(self.environment()?))?,
            Place::Directory => Profile::new(settings, self.secret_directory()?)?,
        };
        Ok(profile
            .with_network(&self.network()?)?
            .with_limits(self.limits()))
    }

    fn environment(&self) -> Result<Environment, Failure> {
        if self.secrets.path.is_some() {
            return Err(usage("[secrets] path goes with from = \"directory\""));
        }
        let prefix = self
            .secrets
            .prefix
            .as_deref()
            .unwrap_or(Environment::DEFAULT_PREFIX);
        // Without a prefix a connector could ask for any variable by its name.
        if prefix.is_empty() {
            return Err(usage(
                "[secrets] prefix is empty; leave it out or give it a value",
            ));
        }
        let mut store = Environment::with_prefix(prefix);
        for (name, variable) in &self.secrets.names {
            let is_variable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !is_secret_name(name) || variable.is_empty() || !variable.bytes().all(is_variable) {
                return Err(usage(format!(
                    "[secrets.names] {name} must name an environment variable, of letters, digits \
                     and _; the secret's value never stands in this file"
                )));
            }
            store = store.name(name, variable);
        }
        Ok(store)
    }

    fn secret_directory(&self) -> Result<Directory, Failure> {
        let secrets = &self.secrets;
        if secrets.prefix.is_some() || !secrets.names.is_empty() {
            return Err(usage(
                "[secrets] prefix and names go with from = \"environment\"",
            ));
        }
        let path = secrets.path.as_ref().ok_or_else(|| {
            usage("[secrets] from = \"directory\" needs path, the directory of the files")
        })?;
        Ok(Directory::new(self.directory.join(path)))
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
        let seconds = |own: Option<u32>, default| {
            own.map_or(default, |seconds| Duration::from_secs(u64::from(seconds)))
        };
        let default = Timeouts::default();
        let parse = |text: &String| {
            text.parse::<Origin>()
                .map_err(|error| usage(format!("[network] {error}")))
        };
        let allowed = section.allowed_origins.as_ref();
        Ok(Network {
            trust,
            allow_private: section.allow_private,
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
            memory: memory_mib.map_or(default.memory, |mib| usize::from(mib) << 20),
            call: call_timeout_seconds.map_or(default.call, |seconds| {
                Duration::from_secs(u64::from(seconds))
            }),
        }
    }
}

/// Tells where a missing secret was looked for, which the connector does not know.
struct Announced(Environment);

#[async_trait]
impl SecretStore for Announced {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let found = self.0.get(name).await;
        if found == Err(SecretError::NotFound) {
            eprintln!(
                "note: the environment variable {} is not set",
                self.0.variable(name)
            );
        }
        found
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        self.0.put(name, value).await
    }
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
        assert!(network.allow_private && file.sync.labels);
        let variable = file.environment().unwrap().variable("client-secret");
        assert_eq!(variable, "MY_SECRET");
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
        let needs_path = error("[settings]\n[secrets]\nfrom = \"directory\"");
        assert!(needs_path.contains("needs path"), "{needs_path}");
        let origin = error("[settings]\n[network]\nallowed-origins = [\"http://x.org\"]");
        assert!(origin.contains("loopback"), "{origin}");
        assert!(error("[settings]\n[secrets]\nprefix = \"\"").contains("prefix is empty"));
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        for text in [
            "[settings]\n[secrets]\nclient-secret = \"hunter2~\"",
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
