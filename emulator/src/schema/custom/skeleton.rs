//! Custom tables with nothing but what the platform puts into every one.

use std::fmt::Write as _;

/// Columns that every custom table has, whatever the owner of its rows.
const COMMON: [&str; 13] = [
    "CreatedBy lookup \"Created By\" read-only",
    "CreatedOn datetime \"Created On\" read-only",
    "CreatedOnBehalfBy lookup \"Created By (Delegate)\" read-only",
    "ImportSequenceNumber integer \"Import Sequence Number\" create-only",
    "ModifiedBy lookup \"Modified By\" read-only",
    "ModifiedOn datetime \"Modified On\" read-only",
    "ModifiedOnBehalfBy lookup \"Modified By (Delegate)\" read-only",
    "OverriddenCreatedOn datetime(shown-as-date) \"Record Created On\" create-only",
    "StateCode state \"Status\"",
    "StatusCode status \"Status Reason\"",
    "TimeZoneRuleVersionNumber integer \"Time Zone Rule Version Number\"",
    "UTCConversionTimeZoneCode integer \"UTC Conversion Time Zone Code\"",
    "VersionNumber bigint \"Version Number\" read-only",
];

/// Columns that rows with an owner have besides.
const OWNED: [&str; 4] = [
    "OwnerId owner \"Owner\"",
    "OwningBusinessUnit lookup \"Owning Business Unit\" read-only",
    "OwningTeam lookup \"Owning Team\" read-only",
    "OwningUser lookup \"Owning User\" read-only",
];

/// Columns that rows with amounts have besides.
const AMOUNTS: [&str; 2] = [
    "TransactionCurrencyId lookup \"Currency\"",
    "ExchangeRate decimal(12) \"Exchange Rate\" read-only",
];

/// Columns that rows of an elastic table have besides.
const ELASTIC: [&str; 2] = [
    "PartitionId text(100) \"Partition Id\" create-only",
    "TTLInSeconds integer \"Time to live\"",
];

/// A custom table before its own columns are written.
pub(crate) struct Skeleton<'a> {
    /// The name as its author cased it.
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) plural_label: &'a str,
    pub(crate) code: i32,
    /// Whether a user or a team owns a row, or else the organization.
    pub(crate) owned: bool,
    /// `enabled`, `available` or `unavailable`.
    pub(crate) tracking: &'a str,
    /// Flags besides `custom` and `on-demand`.
    pub(crate) flags: &'a str,
    /// The name of the naming column as its author cased it, and the rest of its line.
    pub(crate) primary_name: (&'a str, &'a str),
    /// Whether rows have a currency.
    pub(crate) amounts: bool,
    /// Whether rows are kept in a partitioned document store.
    pub(crate) elastic: bool,
}

impl Skeleton<'_> {
    /// The table in the format of the tables' files.
    pub(crate) fn text(&self) -> String {
        let name = self.name;
        let logical = name.to_lowercase();
        let label = quotable(self.label);
        let (flags, key) = if self.elastic {
            let key = format!(
                "key KeyForNoSqlEntityWithPKPartitionId \"Entity key for NoSQL Entity that contains \
                 PrimaryKey and PartitionId\" {logical}id partitionid\n"
            );
            ("elastic no-concurrency ", key)
        } else {
            ("", String::new())
        };
        let mut text = format!(
            "table {name}\nrows {}\nlabels \"{label}\" \"{}\"\ncode {}\nowned-by {}\n\
             id {logical}id\nname {}\nchange-tracking {}\nflags custom on-demand \
             {flags}{}\n{key}\ncolumns\n\
             {name}Id id \"{label}\" system create-only\n{} {}\n",
            plural(&logical),
            quotable(self.plural_label),
            self.code,
            if self.owned { "user" } else { "organization" },
            self.primary_name.0.to_lowercase(),
            self.tracking,
            self.flags,
            self.primary_name.0,
            self.primary_name.1,
        );
        let owned: &[&str] = if self.owned { &OWNED } else { &[] };
        let amounts: &[&str] = if self.amounts { &AMOUNTS } else { &[] };
        let elastic: &[&str] = if self.elastic { &ELASTIC } else { &[] };
        for line in COMMON.iter().chain(owned).chain(amounts).chain(elastic) {
            let column = line.split(' ').next().unwrap_or_default().to_lowercase();
            let _ = writeln!(text, "{line}\n{}", details(name, &column));
        }
        text
    }
}

/// The indented lines below a column.
fn details(name: &str, column: &str) -> String {
    match column {
        "createdby" | "modifiedby" | "createdonbehalfby" | "modifiedonbehalfby" => {
            format!("    -> systemuser  {column}  lk_{name}_{column}")
        }
        "ownerid" => format!("    -> owner  ownerid  owner_{name}"),
        "owningbusinessunit" => {
            format!("    -> businessunit  owningbusinessunit  business_unit_{name}")
        }
        "owningteam" => format!("    -> team  owningteam  team_{name}"),
        "owninguser" => format!("    -> systemuser  owninguser  user_{name}"),
        "transactioncurrencyid" => {
            format!("    -> transactioncurrency  transactioncurrencyid  TransactionCurrency_{name}")
        }
        "statecode" => "    0  Active\n    1  Inactive".to_owned(),
        "statuscode" => "    1 in 0  Active\n    2 in 1  Inactive".to_owned(),
        _ => String::new(),
    }
}

/// A text that can stand between quotes on one line.
pub(crate) fn quotable(text: &str) -> String {
    text.replace('"', "'").replace(['\n', '\r'], " ")
}

/// The plural as the platform makes it.
pub(super) fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x', 'h', 'S']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}
