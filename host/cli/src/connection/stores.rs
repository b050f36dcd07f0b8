//! `[secrets]` of the connection file: the stores of secrets, in order.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use dataverse_host::secrets::{
    Chain, Directory, Environment, Secret, SecretError, SecretFile, SecretStore, is_secret_name,
};

use crate::exit::{Exit, Failure};
use crate::output::log;
#[cfg(feature = "keyring")]
use crate::secrets::Keyring;

/// One store, `[secrets]`, or several, `[[secrets]]`.
#[derive(Debug)]
pub(super) struct StoreSections(Vec<StoreSection>);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreSection {
    #[serde(default)]
    from: Kind,
    prefix: Option<String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    path: Option<PathBuf>,
    service: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Environment,
    Directory,
    File,
    Keyring,
}

impl Default for StoreSections {
    fn default() -> Self {
        Self(vec![StoreSection::default()])
    }
}

impl<'de> Deserialize<'de> for StoreSections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = StoreSections;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table [secrets], or tables [[secrets]]")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let section = StoreSection::deserialize(MapAccessDeserializer::new(map))?;
                Ok(StoreSections(vec![section]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(StoreSections)
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

impl StoreSections {
    /// The stores that the sections describe; relative paths start at `base`.
    pub(super) fn open(&self, base: &Path) -> Result<Stores, Failure> {
        let places = self
            .0
            .iter()
            .map(|section| section.place(base))
            .collect::<Result<Vec<_>, _>>()?;
        let chain = places.iter().cloned().fold(Chain::new(), Place::append_to);
        Ok(Stores { chain, places })
    }
}

impl StoreSection {
    fn place(&self, base: &Path) -> Result<Place, Failure> {
        self.refuse_keys_of_other_kinds()?;
        let path = || {
            let path = self.path.as_ref().ok_or_else(|| {
                usage(format!(
                    "[secrets] from = \"{}\" needs path, {}",
                    self.from.name(),
                    match self.from {
                        Kind::Directory => "the directory of the files",
                        Kind::File | Kind::Environment | Kind::Keyring => {
                            "the file of the secrets, such as secrets.json"
                        }
                    }
                ))
            })?;
            Ok::<_, Failure>(base.join(path))
        };
        Ok(match self.from {
            Kind::Environment => Place::Environment(self.environment()?),
            Kind::Directory => Place::Directory(path()?),
            Kind::File => Place::File(path()?),
            Kind::Keyring => self.keyring()?,
        })
    }

    fn refuse_keys_of_other_kinds(&self) -> Result<(), Failure> {
        let given = [
            ("prefix", self.prefix.is_some(), &[Kind::Environment][..]),
            ("names", !self.names.is_empty(), &[Kind::Environment]),
            ("path", self.path.is_some(), &[Kind::Directory, Kind::File]),
            ("service", self.service.is_some(), &[Kind::Keyring]),
        ];
        for (key, is_given, kinds) in given {
            if is_given && !kinds.contains(&self.from) {
                let kinds: Vec<_> = kinds
                    .iter()
                    .map(|kind| format!("from = \"{}\"", kind.name()))
                    .collect();
                let kinds = kinds.join(" or ");
                return Err(usage(format!("[secrets] {key} belongs to {kinds}")));
            }
        }
        Ok(())
    }

    fn environment(&self) -> Result<Environment, Failure> {
        let prefix = self
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
        for (name, variable) in &self.names {
            let is_variable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !is_secret_name(name) || variable.is_empty() || !variable.bytes().all(is_variable) {
                return Err(usage(format!(
                    "[secrets.names] {name} must name an environment variable, of letters, digits \
                     and _; this file never contains the secret's value"
                )));
            }
            store = store.name(name, variable);
        }
        Ok(store)
    }

    #[cfg(feature = "keyring")]
    fn keyring(&self) -> Result<Place, Failure> {
        let service = self.service.as_deref().unwrap_or(Keyring::DEFAULT_SERVICE);
        if service.is_empty() {
            return Err(usage(
                "[secrets] service is empty; leave it out or give it a value",
            ));
        }
        Ok(Place::Keyring(service.to_owned()))
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(clippy::unused_self, reason = "the same call in every build")]
    fn keyring(&self) -> Result<Place, Failure> {
        Err(usage(
            "this program was built without key ring support; keep secrets in a file: [secrets] \
             from = \"file\"",
        ))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Directory => "directory",
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

/// Where one store keeps its secrets.
#[derive(Debug, Clone)]
enum Place {
    Environment(Environment),
    Directory(PathBuf),
    File(PathBuf),
    #[cfg(feature = "keyring")]
    Keyring(String),
}

impl Place {
    fn append_to(chain: Chain, place: Self) -> Chain {
        match place {
            Self::Environment(environment) => chain.then(environment),
            Self::Directory(path) => chain.then(Directory::new(path)),
            Self::File(path) => chain.then(SecretFile::new(path)),
            #[cfg(feature = "keyring")]
            Self::Keyring(service) => chain.then(Keyring::of_service(service)),
        }
    }

    fn is_writable(&self) -> bool {
        !matches!(self, Self::Environment(_))
    }

    /// Says that the secret of this name is missing here.
    fn missing(&self, name: &str) -> String {
        match self {
            Self::Environment(environment) => format!(
                "the environment variable {} is not set",
                environment.variable(name)
            ),
            Self::Directory(path) => {
                format!("the file {} does not exist", path.join(name).display())
            }
            Self::File(path) => format!("{} has no secret {name}", path.display()),
            #[cfg(feature = "keyring")]
            Self::Keyring(service) => {
                format!("the key ring has no secret {name} of the service {service}")
            }
        }
    }
}

/// The stores of a connection, searched in order. Reports where a missing secret was searched
/// for, which the connector does not know.
pub(crate) struct Stores {
    chain: Chain,
    places: Vec<Place>,
}

impl Stores {
    /// Fails if no store can be written.
    pub(crate) fn require_writable(&self) -> Result<(), Failure> {
        if self.places.iter().any(Place::is_writable) {
            return Ok(());
        }
        Err(usage(
            "a new secret cannot be stored: [secrets] of the connection file names only the \
             environment; add a writable store, such as from = \"keyring\", or from = \"file\" \
             with a path",
        ))
    }
}

#[async_trait]
impl SecretStore for Stores {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let found = self.chain.get(name).await;
        if found == Err(SecretError::NotFound) {
            for place in &self.places {
                log(format_args!("note: {}", place.missing(name)));
            }
        }
        found
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        self.chain.put(name, value).await
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        secrets: StoreSections,
    }

    fn stores(text: &str) -> Result<Stores, Failure> {
        let file: File = toml::from_str(text).unwrap();
        file.secrets.open(Path::new("base"))
    }

    fn error(text: &str) -> String {
        match stores(text) {
            Ok(_) => panic!("accepted: {text}"),
            Err(failure) => failure.to_string(),
        }
    }

    #[tokio::test]
    async fn stores_are_searched_in_order_and_the_writable_one_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let text =
            "[[secrets]]\nprefix = \"CARGO_\"\n[[secrets]]\nfrom = \"file\"\npath = \"s.json\"";
        let file: File = toml::from_str(text).unwrap();
        let stores = file.secrets.open(directory.path()).unwrap();
        stores.require_writable().unwrap();
        let from_environment = stores.get("pkg-name").await.unwrap();
        assert_eq!(from_environment.expose(), "dataverse-host-cli");
        stores.put("token", Secret::new("t")).await.unwrap();
        assert_eq!(stores.get("token").await.unwrap().expose(), "t");
        assert!(directory.path().join("s.json").exists());
        // The environment's value would hide the new one.
        let hidden = stores.put("pkg-name", Secret::new("x")).await;
        assert_eq!(hidden, Err(SecretError::Denied));
    }

    #[test]
    fn the_environment_alone_is_not_writable() {
        for text in ["", "[secrets]\nprefix = \"CRM_\""] {
            let refused = stores(text).unwrap().require_writable();
            assert!(refused.unwrap_err().to_string().contains("keyring"));
        }
    }

    #[test]
    fn keys_of_other_stores_and_missing_keys_are_named() {
        for (text, words) in [
            ("[secrets]\nfrom = \"file\"", "needs path, the file"),
            (
                "[secrets]\nfrom = \"directory\"",
                "needs path, the directory",
            ),
            (
                "[secrets]\npath = \"x\"",
                "path belongs to from = \"directory\" or from = \"file\"",
            ),
            (
                "[secrets]\nfrom = \"file\"\npath = \"x\"\nprefix = \"C\"",
                "prefix belongs to",
            ),
            (
                "[secrets]\nfrom = \"file\"\npath = \"x\"\nservice = \"C\"",
                "service belongs to",
            ),
            ("[secrets]\nprefix = \"\"", "prefix is empty"),
            (
                "[secrets]\nnames = { x = \"a-b\" }",
                "must name an environment variable",
            ),
        ] {
            assert!(error(text).contains(words), "{text}: {}", error(text));
        }
        #[cfg(feature = "keyring")]
        assert!(
            error("[secrets]\nfrom = \"keyring\"\nservice = \"\"").contains("service is empty")
        );
    }
}
