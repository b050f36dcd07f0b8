//! `$select`, `$filter` and `$expand` on definitions.

use serde_json::Value;

use super::definition::{Children, Item, Sight, type_of_collection};
use crate::{
    odata::{
        Literal, enumeration,
        filter::{Comparison, Condition, Matching, Operand},
        options::Options,
    },
    wire::{
        ODataError,
        json::{push_name, push_separator, push_text},
    },
};

/// Writes the definitions that the filter holds for, as a JSON array.
pub(super) fn write_all<'a>(
    out: &mut Vec<u8>,
    sight: &Sight<'a>,
    items: impl IntoIterator<Item = Item<'a>>,
    options: &Options,
    cast: Option<&str>,
) -> Result<(), ODataError> {
    out.push(b'[');
    for item in items {
        if let Some(filter) = &options.filter {
            let filtered = Filtered {
                sight,
                item: &item,
                options,
                exact: cast.is_some(),
            };
            if !filtered.holds(filter)? {
                continue;
            }
        }
        push_separator(out);
        write_one(out, sight, &item, options, cast)?;
    }
    out.push(b']');
    Ok(())
}

/// Writes a definition: its selected properties and the expanded ones.
pub(super) fn write_one<'a>(
    out: &mut Vec<u8>,
    sight: &Sight<'a>,
    item: &Item<'a>,
    options: &Options,
    cast: Option<&str>,
) -> Result<(), ODataError> {
    out.push(b'{');
    write_members(out, sight, item, options, cast)?;
    out.push(b'}');
    Ok(())
}

/// Writes the members of a definition without the braces around them.
pub(super) fn write_members<'a>(
    out: &mut Vec<u8>,
    sight: &Sight<'a>,
    item: &Item<'a>,
    options: &Options,
    cast: Option<&str>,
) -> Result<(), ODataError> {
    let exact = cast.is_some();
    let unknown = |name: &str| ODataError::unknown_property(name, item.type_name(exact));
    // The members of a mixed list say what they are; those of a cast list need not.
    if item.is_one_of_several_types() && !exact {
        push_name(out, "@odata.type");
        push_text(
            out,
            &format!("#Microsoft.Dynamics.CRM.{}", item.type_name(true)),
        );
    }
    let mut write = |name: &str, exact: bool| {
        let value = item
            .property(sight, name, exact)
            .ok_or_else(|| unknown(name))?;
        push_name(out, name);
        serde_json::to_writer(&mut *out, &value).map_err(|_| unknown(name))
    };
    match &options.select {
        None => {
            for name in item.names(true) {
                write(name, true)?;
            }
        }
        Some(names) => {
            let selected = names.iter().map(String::as_str).enumerate();
            let mut with_key = false;
            for (at, name) in selected {
                if names.iter().take(at).any(|before| before == name) {
                    continue;
                }
                with_key |= name == "MetadataId";
                write(name, exact)?;
            }
            if !with_key {
                write("MetadataId", exact)?;
            }
        }
    }
    for expand in &options.expand {
        let name = &expand.navigation;
        let children = item
            .children(sight, name, exact)
            .ok_or_else(|| unknown(name))?;
        push_name(out, name);
        match children {
            Children::Many(items) => {
                let own_type = type_of_collection(name);
                write_all(out, sight, items, &expand.options, own_type)?;
            }
            Children::One(None) => out.extend_from_slice(b"null"),
            // Choices behind a navigation property are of their own type.
            Children::One(Some(item)) => {
                let own_type = item.type_name(true);
                write_one(out, sight, &item, &expand.options, Some(own_type))?;
            }
        }
    }
    Ok(())
}

/// A definition to which a filter is applied.
struct Filtered<'f, 'a> {
    sight: &'f Sight<'a>,
    item: &'f Item<'a>,
    options: &'f Options,
    exact: bool,
}

impl Filtered<'_, '_> {
    fn unknown(&self, name: &str) -> ODataError {
        ODataError::unknown_property(name, self.item.type_name(self.exact))
    }

    fn holds(&self, condition: &Condition) -> Result<bool, ODataError> {
        match condition {
            Condition::And(parts) => parts
                .iter()
                .map(|part| self.holds(part))
                .try_fold(true, |all, part| Ok(all & part?)),
            Condition::Or(parts) => parts
                .iter()
                .map(|part| self.holds(part))
                .try_fold(false, |any, part| Ok(any | part?)),
            Condition::Not(condition) => Ok(!self.holds(condition)?),
            Condition::Holds(operand) => Ok(self.value(operand)? == Value::Bool(true)),
            Condition::Compare {
                operator,
                left,
                right,
            } => self.compares(*operator, left, right),
            Condition::Match {
                kind,
                text,
                pattern,
            } => match (self.value(text)?, self.value(pattern)?) {
                (Value::String(text), Value::String(pattern)) => Ok(match kind {
                    Matching::Contains => text.contains(&pattern),
                    Matching::StartsWith => text.starts_with(&pattern),
                    Matching::EndsWith => text.ends_with(&pattern),
                }),
                _ => Ok(false),
            },
            Condition::Lambda { .. } | Condition::Function { .. } => Err(ODataError::bad_request(
                "0x80060888",
                "Metadata can be filtered by comparisons and string functions only.",
            )),
        }
    }

    fn compares(
        &self,
        operator: Comparison,
        left: &Operand,
        right: &Operand,
    ) -> Result<bool, ODataError> {
        let (left_kind, right_kind) = (enumeration_of(left), enumeration_of(right));
        let (left, right) = (self.value(left)?, self.value(right)?);
        if left_kind != right_kind
            && left != Value::Null
            && right != Value::Null
            && !names_member(left_kind, &right)
            && !names_member(right_kind, &left)
        {
            let name = |kind: Option<&str>| match kind {
                Some(kind) => format!("Microsoft.Dynamics.CRM.{kind}"),
                None => "Edm.String".to_owned(),
            };
            return Err(ODataError::syntax(format!(
                "A binary operator with incompatible types was detected. Found operand types \
                 '{}' and '{}' for operator kind '{}'.",
                name(left_kind),
                name(right_kind),
                operator.kind()
            )));
        }
        Ok(compare(operator, &left, &right))
    }

    fn value(&self, operand: &Operand) -> Result<Value, ODataError> {
        match operand {
            Operand::Alias(name) => self.value(&self.options.alias(name)?),
            Operand::Literal(literal) => Ok(match literal {
                Literal::Boolean(flag) => Value::Bool(*flag),
                Literal::Number(number) => number.parse().map_or(Value::Null, Value::Number),
                Literal::Text(text) | Literal::Member(_, text) => Value::String(text.clone()),
                Literal::Guid(id) => Value::String(id.to_string()),
                _ => Value::Null,
            }),
            Operand::Path(path) => self.value_at(path),
        }
    }

    /// The value of a path such as `IsAuditEnabled/Value`.
    fn value_at(&self, path: &[String]) -> Result<Value, ODataError> {
        let unknown = || self.unknown(&path.join("/"));
        let (first, inner) = path.split_first().ok_or_else(unknown)?;
        let property = self.item.property(self.sight, first, self.exact);
        let mut found = property.ok_or_else(unknown)?;
        let mut inner = inner.iter();
        loop {
            if found.get("LocalizedLabels").is_some() {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    format!(
                        "The label '{}' cannot be used in a $filter.",
                        path.join("/")
                    ),
                ));
            }
            found = match (found, inner.next()) {
                (Value::Object(mut members), Some(step)) => {
                    members.remove(step).ok_or_else(unknown)?
                }
                (found, None) if !found.is_object() && !found.is_array() => return Ok(found),
                _ => return Err(unknown()),
            };
        }
    }
}

/// Whether a value is the bare name of a member, which passes for the member.
fn names_member(kind: Option<&str>, value: &Value) -> bool {
    kind.zip(value.as_str())
        .is_some_and(|(kind, name)| enumeration::is_member(kind, name))
}

/// The enumeration an operand belongs to.
fn enumeration_of(operand: &Operand) -> Option<&str> {
    match operand {
        Operand::Literal(Literal::Member(kind, _)) => Some(kind),
        Operand::Path(path) => enumeration::of_property(path),
        Operand::Literal(_) | Operand::Alias(_) => None,
    }
}

fn compare(operator: Comparison, left: &Value, right: &Value) -> bool {
    let ordering = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left
            .as_i64()
            .zip(right.as_i64())
            .map(|(left, right)| left.cmp(&right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match operator {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::GreaterThan => ordering.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterThanOrEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
        Comparison::LessThan => ordering.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessThanOrEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
    }
}
