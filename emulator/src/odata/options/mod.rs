//! The query options of a request (reference §4.1).

mod expand;

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

pub(crate) use expand::Expand;
use expand::{count_expands, parse_expand};

use super::filter::{self, Condition, Operand};
use crate::wire::ODataError;

/// Most conditions of a filter (reference §4.13).
const MAX_CONDITIONS: usize = 500;

/// Most `$expand`s in one query (reference §4.7).
const MAX_EXPANDS: usize = 15;

/// One column of `$orderby`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) path: Vec<String>,
    pub(crate) descending: bool,
}

/// The parsed options of a query or of an expanded property.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) filter: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) top: Option<usize>,
    pub(crate) count: bool,
    pub(crate) expand: Vec<Expand>,
    pub(crate) skip_token: Option<String>,
    pub(crate) delta_token: Option<String>,
    /// `$apply` as it was written: it is read when its table is known.
    pub(crate) apply: Option<String>,
    order_alias: Option<String>,
    /// `$id` of a disassociation.
    pub(crate) id: Option<String>,
    /// `@p1=…`
    pub(crate) aliases: HashMap<String, String>,
    /// Options without a dollar sign, such as `annotations` and `tag`.
    pub(crate) custom: HashMap<String, String>,
    /// Names of the system options given, in order.
    pub(crate) given: Vec<String>,
    /// The `$select` as it was written, for the context address.
    pub(crate) select_text: Option<String>,
}

impl Options {
    /// Parses the part of an address after the question mark.
    pub(crate) fn parse(query: &str) -> Result<Self, ODataError> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name.starts_with('@') {
                options.aliases.insert(name, value);
            } else if name.starts_with('$') {
                if options.given.contains(&name) {
                    return Err(ODataError::syntax(format!(
                        "Query option '{name}' was specified more than once, but it must be \
                         specified at most once."
                    )));
                }
                options.set(&name, &value, false)?;
                options.given.push(name);
            } else {
                options.custom.insert(name, value);
            }
        }
        if let Some(alias) = &options.order_alias {
            let order = options.aliases.get(alias);
            options.order =
                order.map_or_else(|| Err(order_error(alias)), |text| parse_order(text))?;
        }
        if count_expands(&options.expand) > MAX_EXPANDS {
            return Err(ODataError::bad_request(
                "0x80060888",
                format!("The query has more than {MAX_EXPANDS} $expand options, the most allowed."),
            ));
        }
        Ok(options)
    }

    pub(crate) fn has(&self, option: &str) -> bool {
        self.given.iter().any(|given| given == option)
    }

    /// Fails if any other option than these was given beside what is the query by itself.
    pub(crate) fn refuse_beside(&self, query: &str, allowed: &[&str]) -> Result<(), ODataError> {
        let mut given = self.given.iter();
        match given.find(|option| !allowed.contains(&option.as_str())) {
            None => Ok(()),
            Some(option) => Err(ODataError::bad_request(
                "0x80060888",
                format!("The query option {option} cannot be used together with {query}."),
            )),
        }
    }

    fn set(&mut self, name: &str, value: &str, nested: bool) -> Result<(), ODataError> {
        match name {
            "$select" => {
                let names: Vec<String> = split(value, ',')
                    .into_iter()
                    .map(|name| name.trim().to_owned())
                    .collect();
                if names.iter().any(String::is_empty) {
                    return Err(ODataError::syntax(format!(
                        "Syntax error in $select: an empty name in '{value}'."
                    )));
                }
                self.select = if names == ["*"] { None } else { Some(names) };
                self.select_text = Some(value.to_owned());
            }
            "$filter" => self.filter = Some(parse_filter(value)?),
            // An alias may be used instead of the columns; it is known when all options have been
            // read.
            "$orderby" if !nested && value.starts_with('@') => {
                self.order_alias = Some(value.to_owned());
            }
            "$orderby" => self.order = parse_order(value)?,
            "$top" => {
                self.top = Some(value.parse().map_err(|_| {
                    ODataError::syntax(format!(
                        "Invalid value '{value}' for $top query option found. The $top query \
                         option requires a non-negative integer value."
                    ))
                })?);
            }
            "$expand" => self.expand = parse_expand(value)?,
            "$count" if !nested => {
                self.count = match value {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(ODataError::syntax(format!(
                            "Invalid value '{value}' for $count query option found. Valid values \
                             are 'true' and 'false'."
                        )));
                    }
                };
            }
            "$skiptoken" if !nested => self.skip_token = Some(value.to_owned()),
            "$deltatoken" if !nested => self.delta_token = Some(value.to_owned()),
            "$id" if !nested => self.id = Some(value.to_owned()),
            "$apply" if !nested => self.apply = Some(value.to_owned()),
            "$skip" => {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    "Skip Clause is not supported in CRM",
                ));
            }
            _ => {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    format!("The query parameter {name} is not supported"),
                ));
            }
        }
        Ok(())
    }

    /// `(name,primarycontactid(fullname))`, for the context address; empty if all is selected.
    pub(crate) fn selection(&self) -> String {
        let parts = self.selected_parts();
        if parts.is_empty() {
            parts
        } else {
            format!("({parts})")
        }
    }

    fn selected_parts(&self) -> String {
        let selected = self.select.as_ref().and(self.select_text.clone());
        let expanded = self
            .expand
            .iter()
            .map(|item| format!("{}({})", item.navigation, item.options.selected_parts()));
        selected
            .into_iter()
            .chain(expanded)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// The value of an alias; an unassigned alias is null.
    pub(crate) fn alias(&self, name: &str) -> Result<Operand, ODataError> {
        match self.aliases.get(name) {
            None => Ok(Operand::Literal(super::Literal::Null)),
            Some(text) => literal(text),
        }
    }
}

/// Parses the value of an alias.
pub(crate) fn literal(text: &str) -> Result<Operand, ODataError> {
    let arguments = filter::parse_arguments(&format!("Value={text}"))?;
    match arguments.into_iter().next() {
        Some((_, operand @ Operand::Literal(_))) => Ok(operand),
        _ => Err(ODataError::syntax(format!(
            "'{text}' is no value for a parameter alias."
        ))),
    }
}

/// Parses a condition on rows of no more parts than a query may have.
pub(crate) fn parse_filter(text: &str) -> Result<Condition, ODataError> {
    let condition = filter::parse(text)?;
    if condition.count() > MAX_CONDITIONS {
        return Err(ODataError::bad_request(
            "0x8004430C",
            "Number of conditions in query exceeded maximum limit.",
        ));
    }
    Ok(condition)
}

fn parse_order(text: &str) -> Result<Vec<Order>, ODataError> {
    split(text, ',')
        .into_iter()
        .map(|item| {
            let mut words = item.split_whitespace();
            let path = words.next().unwrap_or_default();
            let descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => return Err(order_error(text)),
            };
            let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '/';
            if path.is_empty() || !path.chars().all(plain) || words.next().is_some() {
                return Err(order_error(text));
            }
            Ok(Order {
                path: path.split('/').map(str::to_owned).collect(),
                descending,
            })
        })
        .collect()
}

fn order_error(text: &str) -> ODataError {
    ODataError::syntax(format!("Syntax error in $orderby: '{text}'."))
}

/// Splits at a separator outside parentheses, brackets and quotes.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut from) = (0_usize, false, 0);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ if character == separator && !quoted && depth == 0 => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

/// Percent-decodes a part of a query; a plus sign means a blank.
pub(crate) fn decode(text: &str) -> Result<String, ODataError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| ODataError::bad_request("0x8006088a", "Error in query syntax."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_nest() {
        let options = Options::parse(
            "$expand=primarycontactid($select=fullname;$expand=createdby($select=fullname)),\
             Account_Tasks($filter=contains(subject,'a;b');$top=3)&$select=name",
        )
        .unwrap();
        assert_eq!(options.expand.len(), 2);
        assert_eq!(options.expand[0].options.expand[0].navigation, "createdby");
        assert_eq!(options.expand[1].options.top, Some(3));
        assert_eq!(options.select, Some(vec!["name".to_owned()]));
    }

    #[test]
    fn unsupported_options_are_rejected() {
        for query in [
            "$skip=5",
            "$search=x",
            "$format=json",
            "$Select=name",
            "$compute=a",
            "$top=-1",
            "$top=1&$top=2",
            "$expand=a($count=true)",
            "$expand=a($levels=2)",
            "$count=yes",
            "$select=",
            "$orderby=name down",
        ] {
            let error = Options::parse(query).unwrap_err();
            assert_eq!(error.status, 400, "{query}");
        }
        assert_eq!(
            Options::parse("$skip=5").unwrap_err().message,
            "Skip Clause is not supported in CRM"
        );
    }

    #[test]
    fn at_most_fifteen_expands() {
        let query = |count| {
            let names: Vec<String> = (0..count).map(|number| format!("a{number}")).collect();
            format!("$expand={}", names.join(","))
        };
        assert!(Options::parse(&query(15)).is_ok());
        assert!(Options::parse(&query(16)).is_err());
        assert!(Options::parse("$expand=a,a").is_err());
    }

    #[test]
    fn aliases_stand_for_columns_of_orderby_but_not_inside_expand() {
        let order = Options::parse("$orderby=@o&@o=name%20desc").unwrap().order;
        assert!(order[0].descending && order[0].path == ["name"]);
        assert!(Options::parse("$orderby=@o").is_err());
        let error = Options::parse("$expand=a($filter=not%20(b%20eq%20@p))").unwrap_err();
        assert_eq!(error.code, "0x80060888");
    }

    #[test]
    fn aliases_are_values() {
        let options = Options::parse("$filter=name%20eq%20@p1&@p1='a%20b'&tag=x").unwrap();
        assert_eq!(
            options.alias("@p1").unwrap(),
            Operand::Literal(super::super::Literal::Text("a b".into()))
        );
        assert_eq!(
            options.alias("@p2").unwrap(),
            Operand::Literal(super::super::Literal::Null)
        );
        assert!(options.custom.contains_key("tag"));
    }
}
