//! The options of `create-column`.

use clap::{Args, ValueEnum};

use super::Output;
use super::values::NewChoiceArgument;

#[derive(Debug, Args)]
pub(crate) struct ColumnOptions {
    /// The stream that gets the column.
    #[arg(value_name = "STREAM")]
    pub(crate) stream: String,

    /// The column's name, with the publisher's prefix or without; then the prefix is added.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The title that people see.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,

    /// The type of its values.
    #[arg(long = "type", value_enum)]
    pub(crate) column_type: ColumnType,

    /// For text: the maximum length [default: 100].
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_length: Option<u32>,

    /// For text: allows several lines.
    #[arg(long)]
    pub(crate) multiline: bool,

    /// For decimal and money: digits after the decimal point [default: 2].
    #[arg(long, value_name = "DIGITS")]
    pub(crate) scale: Option<u8>,

    /// For choice and choice-list: a label, or VALUE=LABEL; may be repeated.
    #[arg(long = "choice", value_name = "LABEL")]
    pub(crate) choices: Vec<NewChoiceArgument>,

    /// For reference: the stream that it refers to.
    #[arg(long, value_name = "STREAM")]
    pub(crate) to: Option<String>,

    /// A description for people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// Whether people must fill it in.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) requirement: ColumnRequirement,

    /// The unique name of the solution that it belongs to [default: the default solution].
    #[arg(long, value_name = "NAME")]
    pub(crate) solution: Option<String>,

    /// The output format.
    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColumnType {
    Text,
    Integer,
    Decimal,
    Money,
    Boolean,
    /// One value of a list.
    Choice,
    /// Several values of a list.
    ChoiceList,
    Date,
    Timestamp,
    /// A row of another stream.
    Reference,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColumnRequirement {
    #[default]
    Optional,
    Recommended,
    /// Forms require it; the service accepts rows without it.
    Required,
}
