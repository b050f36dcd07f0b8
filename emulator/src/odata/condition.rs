//! A parsed `$filter`, independent of any table (reference §4.4).

use super::Literal;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        operator: Comparison,
        left: Operand,
        right: Operand,
    },
    Match {
        kind: Matching,
        text: Operand,
        pattern: Operand,
    },
    /// A path of one boolean column, or a literal, standing alone.
    Holds(Operand),
    Lambda {
        path: Vec<String>,
        quantifier: Quantifier,
    },
    /// `Microsoft.Dynamics.CRM.{name}(…)`
    Function {
        name: String,
        arguments: Vec<(String, Operand)>,
    },
}

impl Condition {
    /// How many single conditions it is made of.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::count).sum(),
            Self::Not(condition) => condition.count(),
            Self::Lambda { quantifier, .. } => match quantifier {
                Quantifier::Exists => 1,
                Quantifier::Any { body, .. } | Quantifier::All { body, .. } => 1 + body.count(),
            },
            Self::Compare { .. } | Self::Match { .. } | Self::Holds(_) | Self::Function { .. } => 1,
        }
    }

    /// Whether a parameter alias stands anywhere in the condition.
    pub(crate) fn has_alias(&self) -> bool {
        let alias = |operand: &Operand| matches!(operand, Operand::Alias(_));
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_alias),
            Self::Not(condition) => condition.has_alias(),
            Self::Compare { left, right, .. } => alias(left) || alias(right),
            Self::Match { text, pattern, .. } => alias(text) || alias(pattern),
            Self::Holds(operand) => alias(operand),
            Self::Lambda { quantifier, .. } => match quantifier {
                Quantifier::Exists => false,
                Quantifier::Any { body, .. } | Quantifier::All { body, .. } => body.has_alias(),
            },
            Self::Function { arguments, .. } => arguments.iter().any(|(_, value)| alias(value)),
        }
    }
}

/// What a comparison compares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Path(Vec<String>),
    Literal(Literal),
    Alias(String),
}

/// `eq`, `ne` and the other comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
}

impl Comparison {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::GreaterThan,
            "ge" => Self::GreaterThanOrEqual,
            "lt" => Self::LessThan,
            "le" => Self::LessThanOrEqual,
            _ => return None,
        })
    }

    /// The operator with its sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::GreaterThan => Self::LessThan,
            Self::GreaterThanOrEqual => Self::LessThanOrEqual,
            Self::LessThan => Self::GreaterThan,
            Self::LessThanOrEqual => Self::GreaterThanOrEqual,
            same => same,
        }
    }

    /// The name OData's messages use.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Equal => "Equal",
            Self::NotEqual => "NotEqual",
            Self::GreaterThan => "GreaterThan",
            Self::GreaterThanOrEqual => "GreaterThanOrEqual",
            Self::LessThan => "LessThan",
            Self::LessThanOrEqual => "LessThanOrEqual",
        }
    }
}

/// The string functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matching {
    Contains,
    StartsWith,
    EndsWith,
}

impl Matching {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }
}

/// `any` and `all`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quantifier {
    /// `any()`
    Exists,
    Any {
        variable: String,
        body: Box<Condition>,
    },
    All {
        variable: String,
        body: Box<Condition>,
    },
}
