//! Templates: text with CSV columns and generated values in it.

use std::str::FromStr;

use crate::seed::{names, random::Random};

/// A text such as `{email-name:contact_id}@{domain:account_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Literal text.
    Text(String),
    /// The value of a column.
    Column(String),
    /// A value made up for the key in a column.
    Made(Generator, String),
}

/// Makes up a value that belongs to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generator {
    /// A given name.
    FirstName,
    /// A family name.
    LastName,
    /// Both names as the local part of a mail address, with the digits of the key.
    EmailName,
    /// A company.
    Company,
    /// The company's domain.
    Domain,
    /// A street with a number.
    Street,
    /// A town in the United States.
    UsCity,
    /// The state of that town.
    UsState,
    /// A telephone number there.
    UsPhone,
    /// A town in the United Kingdom.
    UkCity,
    /// A telephone number there.
    UkPhone,
    /// A time of the working day, to be appended to a date: `T09:37:12Z`.
    Time,
}

const US: &str = "United States";
const UK: &str = "United Kingdom";

impl Generator {
    const ALL: [(&'static str, Self); 12] = [
        ("first-name", Self::FirstName),
        ("last-name", Self::LastName),
        ("email-name", Self::EmailName),
        ("company", Self::Company),
        ("domain", Self::Domain),
        ("street", Self::Street),
        ("us-city", Self::UsCity),
        ("us-state", Self::UsState),
        ("us-phone", Self::UsPhone),
        ("uk-city", Self::UkCity),
        ("uk-phone", Self::UkPhone),
        ("time", Self::Time),
    ];

    /// The value for this key; empty for an empty key.
    pub(super) fn make(self, key: &str) -> String {
        if key.is_empty() {
            return String::new();
        }
        // Every generator draws from the start of the key's own sequence, so that the mail
        // address of a person has the name of that person.
        let mut random = Random::for_text(key);
        let digits = key
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .trim_start_matches('0');
        match self {
            Self::FirstName => names::first_name(&mut random).to_owned(),
            Self::LastName => {
                names::first_name(&mut random);
                names::last_name(&mut random).to_owned()
            }
            Self::EmailName => {
                let first = names::address_part(names::first_name(&mut random));
                let last = names::address_part(names::last_name(&mut random));
                format!("{first}.{last}{digits}")
            }
            Self::Company => names::company(&mut random),
            Self::Domain => {
                let name = names::company(&mut random);
                let words: Vec<&str> = name.split(' ').collect();
                let words = words.split_last().map_or(&[][..], |(_form, words)| words);
                let words: Vec<String> =
                    words.iter().map(|word| names::address_part(word)).collect();
                format!("{}{digits}.example", words.join("-"))
            }
            Self::Street => names::street(&mut random),
            Self::UsCity => names::town_of(US, &mut random).city.to_owned(),
            Self::UsState => names::town_of(US, &mut random).region.to_owned(),
            Self::UsPhone => names::phone("1", &mut random),
            Self::UkCity => names::town_of(UK, &mut random).city.to_owned(),
            Self::UkPhone => names::phone("44", &mut random),
            Self::Time => {
                let (hour, minute) = (random.between(8, 17), random.between(0, 59));
                format!("T{hour:02}:{minute:02}:{:02}Z", random.between(0, 59))
            }
        }
    }
}

impl Template {
    /// A template without columns.
    pub(super) fn constant(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, after) = after
                .split_once('}')
                .ok_or_else(|| format!("`{text}` has no closing brace"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match inside.split_once(':') {
                None => Part::Column(inside.to_owned()),
                Some((name, column)) => {
                    let generator = Generator::ALL.iter().find(|(known, _)| *known == name);
                    let (_, generator) = generator.ok_or_else(|| {
                        let known = Generator::ALL.map(|(name, _)| name).join(", ");
                        format!("`{name}` is not a generator; use one of {known}")
                    })?;
                    Part::Made(*generator, column.to_owned())
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read() {
        let template: Template = "{a}-{domain:b.c} x".parse().unwrap();
        assert_eq!(
            template.0,
            [
                Part::Column("a".into()),
                Part::Text("-".into()),
                Part::Made(Generator::Domain, "b.c".into()),
                Part::Text(" x".into()),
            ]
        );
        assert!(
            "{a".parse::<Template>()
                .unwrap_err()
                .contains("closing brace")
        );
        assert!(
            "{nose:a}"
                .parse::<Template>()
                .unwrap_err()
                .contains("first-name")
        );
    }

    #[test]
    fn a_person_has_the_address_of_their_name() {
        let first = Generator::FirstName.make("cnt_000017");
        let last = Generator::LastName.make("cnt_000017");
        let email = Generator::EmailName.make("cnt_000017");
        let expected = format!(
            "{}.{}17",
            names::address_part(&first),
            names::address_part(&last)
        );
        assert_eq!(email, expected);
        assert_eq!(Generator::Company.make(""), "");
    }
}
