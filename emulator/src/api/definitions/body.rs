//! The body of a definition: JSON as the reference shows it (reference §5.7).

use serde_json::{Map, Number, Value};

use crate::{
    schema::{Choice, Label, RequiredLevel},
    wire::ODataError,
};

/// The members of a definition.
#[derive(Debug)]
pub(super) struct Body {
    members: Map<String, Value>,
}

/// 400 for a body that is not a definition.
pub(super) fn unfit(problem: impl std::fmt::Display) -> ODataError {
    ODataError::bad_request(
        "0x80048d19",
        format!(
            "Error identified in Payload provided by the user for Entity :'' ----> \
             InnerException : Microsoft.OData.ODataException: {problem}"
        ),
    )
}

impl Body {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ODataError> {
        let members = serde_json::from_slice(bytes).map_err(unfit)?;
        Ok(Self { members })
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member of one type, if it is there.
    fn read<'v, T>(
        &'v self,
        name: &str,
        expected: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, ODataError> {
        let wrong = || unfit(format!("The value of '{name}' must be {expected}."));
        self.value(name)
            .map(|value| read(value).ok_or_else(wrong))
            .transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, ODataError> {
        self.read(name, "a text", Value::as_str)
    }

    pub(super) fn needed_text(&self, name: &str) -> Result<&str, ODataError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            ODataError::bad_request("0x80040203", format!("Required field '{name}' is missing"))
        })
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ODataError> {
        self.read(name, "true or false", Value::as_bool)
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, ODataError> {
        self.read(name, "a whole number", Value::as_i64)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<Number>, ODataError> {
        self.read(name, "a number", |value| value.as_number().cloned())
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, ODataError> {
        self.read(name, "a list", Value::as_array)
    }

    /// A nested object, if it is there.
    pub(super) fn nested(&self, name: &str) -> Result<Option<Self>, ODataError> {
        self.read(name, "an object", |value| {
            let members = value.as_object()?.clone();
            Some(Self { members })
        })
    }

    /// The objects of a list; none if it is not there.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, ODataError> {
        let items = self.list(name)?.into_iter().flatten();
        let object = |value: &Value| {
            let members = value.as_object().cloned();
            members
                .map(|members| Self { members })
                .ok_or_else(|| unfit(format!("The members of '{name}' must be objects.")))
        };
        items.map(object).collect()
    }

    /// The `Value` of a complex property such as `FormatName`; a plain text will do.
    pub(super) fn named(&self, name: &str) -> Result<Option<String>, ODataError> {
        match self.value(name) {
            Some(Value::String(text)) => Ok(Some(text.clone())),
            _ => match self.nested(name)? {
                None => Ok(None),
                Some(inner) => Ok(inner.text("Value")?.map(str::to_owned)),
            },
        }
    }

    /// The `Value` of a managed property such as `IsAuditEnabled`.
    pub(super) fn managed_flag(&self, name: &str) -> Result<Option<bool>, ODataError> {
        match self.nested(name)? {
            None => Ok(None),
            Some(inner) => inner.flag("Value"),
        }
    }

    /// A label in one language or several.
    pub(super) fn label(&self, name: &str) -> Result<Option<Label>, ODataError> {
        let Some(label) = self.nested(name)? else {
            return Ok(None);
        };
        let mut texts = Vec::new();
        for item in label.objects("LocalizedLabels")? {
            let language = item.integer("LanguageCode")?.unwrap_or(BASE_LANGUAGE);
            let language = i32::try_from(language)
                .map_err(|_| unfit(format!("{language} is no language code.")))?;
            texts.push((language, item.needed_text("Label")?.to_owned()));
        }
        let Some((_, first)) = texts.first() else {
            return Ok(None);
        };
        let base = i64::from;
        let text = texts
            .iter()
            .find(|(language, _)| base(*language) == BASE_LANGUAGE)
            .map_or(first, |(_, text)| text)
            .clone();
        texts.retain(|(language, _)| base(*language) != BASE_LANGUAGE);
        Ok(Some(Label {
            text,
            translations: texts,
        }))
    }

    pub(super) fn required_level(&self) -> Result<RequiredLevel, ODataError> {
        match self.named("RequiredLevel")?.as_deref() {
            None | Some("None") => Ok(RequiredLevel::None),
            Some("ApplicationRequired") => Ok(RequiredLevel::ApplicationRequired),
            Some("Recommended") => Ok(RequiredLevel::Recommended),
            Some(other) => Err(unfit(format!("'{other}' is no level of a custom column."))),
        }
    }

    /// The choices of an option set; those without a value get the publisher's next ones.
    pub(super) fn choices(&self, first: i32) -> Result<Vec<Choice>, ODataError> {
        let mut choices: Vec<Choice> = Vec::new();
        for item in self.objects("Options")? {
            let next = || {
                let highest = choices.iter().map(|choice| choice.value).max();
                highest.map_or(first, |highest| highest.saturating_add(1).max(first))
            };
            let value = match item.integer("Value")? {
                None => next(),
                Some(value) => i32::try_from(value)
                    .map_err(|_| unfit(format!("The option value {value} is too large.")))?,
            };
            if choices.iter().any(|choice| choice.value == value) {
                return Err(ODataError::bad_request(
                    "0x80048403",
                    format!("The option value {value} is there more than once."),
                ));
            }
            let label = item.label("Label")?.ok_or_else(|| {
                ODataError::bad_request("0x80040203", "An option needs a 'Label'.")
            })?;
            choices.push(Choice {
                value,
                label,
                state: None,
            });
        }
        Ok(choices)
    }
}

/// The organization's language, US English.
const BASE_LANGUAGE: i64 = 1033;
