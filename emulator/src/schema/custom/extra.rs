//! Generated custom tables, as many as a large organization has.
//!
//! They are written in the format of the tables' files and read like these. What they are called
//! and made of depends on nothing but their number.

use std::fmt::Write as _;

use super::skeleton::{Skeleton, plural};
use crate::schema::{Schema, SchemaError, standard};

const THINGS: [&str; 40] = [
    "Asset",
    "Audit",
    "Benefit",
    "Booking",
    "Building",
    "Certificate",
    "Claim",
    "Contract",
    "Course",
    "Delivery",
    "Device",
    "Donation",
    "Event",
    "Expense",
    "Facility",
    "Grant",
    "Inspection",
    "Installation",
    "Invoice",
    "Licence",
    "Loan",
    "Machine",
    "Maintenance",
    "Membership",
    "Meter",
    "Parcel",
    "Permit",
    "Policy",
    "Project",
    "Property",
    "Rental",
    "Repair",
    "Reservation",
    "Route",
    "Sample",
    "Shipment",
    "Subscription",
    "Training",
    "Vehicle",
    "Warranty",
];

const ASPECTS: [&str; 40] = [
    "",
    "Approval",
    "Assignment",
    "Attachment",
    "Budget",
    "Calendar",
    "Category",
    "Check",
    "Comment",
    "Component",
    "Condition",
    "Cost",
    "Detail",
    "Document",
    "Forecast",
    "Group",
    "History",
    "Item",
    "Level",
    "Line",
    "Location",
    "Log",
    "Measure",
    "Note",
    "Option",
    "Participant",
    "Period",
    "Plan",
    "Price",
    "Profile",
    "Rate",
    "Request",
    "Result",
    "Review",
    "Rule",
    "Schedule",
    "Step",
    "Target",
    "Type",
    "Version",
];

const WORDS: [&str; 30] = [
    "Actual",
    "Additional",
    "Annual",
    "Approved",
    "Basic",
    "Billing",
    "Closing",
    "Current",
    "Default",
    "Effective",
    "Estimated",
    "Expected",
    "External",
    "Final",
    "First",
    "Initial",
    "Internal",
    "Last",
    "Legal",
    "Local",
    "Main",
    "Maximum",
    "Minimum",
    "Monthly",
    "Next",
    "Original",
    "Planned",
    "Previous",
    "Reported",
    "Total",
];

/// The columns that follow one another until a table has enough: type, and what is added to the
/// words of its name.
const KINDS: [(&str, &str); 20] = [
    ("text(100)", "Reference"),
    ("integer(0..1000000)", "Quantity"),
    ("choice", "Category"),
    ("datetime", "Time"),
    ("money(2)", "Amount"),
    ("yes-no", "Flag"),
    ("memo(2000)", "Description"),
    ("lookup", "Contact"),
    ("decimal(4)", "Ratio"),
    ("date", "Date"),
    ("text(100,email)", "Email"),
    ("choices", "Tags"),
    ("float(5)", "Measure"),
    ("lookup", "Account"),
    ("datetime(zoneless)", "Appointment"),
    ("text(4000)", "Remark"),
    ("customer", "Customer"),
    ("text(200,url)", "Website"),
    ("file", "File"),
    ("text(50,phone)", "Phone"),
];

impl Schema {
    /// The standard schema with this many more custom tables, each with this many columns (not
    /// counting those that only describe others, such as `owneridname`); a table has at least its
    /// key, its name and what the platform puts into every table.
    ///
    /// # Errors
    ///
    /// When the definitions in the program cannot be read, which tests rule out.
    pub fn with_extra_tables(tables: usize, columns: usize) -> Result<Self, SchemaError> {
        let extra: Vec<(String, String)> = (0..tables)
            .map(|number| extra_table(number, columns))
            .collect();
        let mut files = standard::TABLES.to_vec();
        files.extend(
            extra
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
        );
        Self::parse(&files)
    }
}

/// One table, the same for the same number.
fn extra_table(number: usize, columns: usize) -> (String, String) {
    let label = table_label(number);
    let name = format!("new_{}", label.replace(' ', ""));
    let logical = name.to_lowercase();
    let owned = number % 4 != 3;
    let tracking = match number % 10 {
        0..=5 => "enabled",
        6..=8 => "available",
        _ => "unavailable",
    };
    let flags = ["", "notes", "notes activities", "audited"];
    let mut text = Skeleton {
        name: &name,
        label: &label,
        plural_label: &plural(&label),
        code: i32::try_from(11_000 + number).unwrap_or(i32::MAX),
        owned,
        tracking,
        flags: flags.get(number % flags.len()).unwrap_or(&""),
        primary_name: ("new_Name", "text(200) \"Name\" required custom"),
        amounts: true,
        elastic: false,
    }
    .text();
    // Key, name, and what the platform adds.
    let count = if owned { 21 } else { 17 };
    let mut table = ExtraTable {
        text: &mut text,
        name: &name,
        count,
    };
    let mut next = number;
    let mut made = 0;
    while table.count < columns {
        table.push_custom(made, next);
        made += 1;
        next += 1;
    }
    (format!("{logical}.table"), text)
}

/// A table while its text is written.
struct ExtraTable<'t> {
    text: &'t mut String,
    name: &'t str,
    count: usize,
}

impl ExtraTable<'_> {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    /// Adds the custom column of this number; `words` chooses its name.
    fn push_custom(&mut self, number: usize, words: usize) {
        let (kind, suffix) = KINDS.get(number % KINDS.len()).copied().unwrap_or_default();
        let round = number / KINDS.len();
        let word = WORDS.get((words + round) % WORDS.len()).unwrap_or(&"");
        // Within one round the suffix tells the columns apart, across rounds the number does.
        let mark = if round == 0 {
            String::new()
        } else {
            format!("{}", round + 1)
        };
        let column = format!("new_{word}{suffix}{mark}");
        let label = format!("{word} {suffix} {mark}");
        let required = ["", " required", "", " recommended", ""];
        let required = required.get(number % required.len()).unwrap_or(&"");
        self.count += 1;
        let label = label.trim_end();
        self.line(format_args!("{column} {kind} \"{label}\"{required} custom"));
        let name = self.name;
        match kind {
            "choice" | "choices" => {
                for (value, option) in ["Low", "Normal", "High", "Urgent", "None"]
                    .iter()
                    .enumerate()
                {
                    self.line(format_args!("    {}  {option}", 100_000_000 + value));
                }
            }
            "money(2)" => {
                self.count += 1;
                self.line(format_args!(
                    "{column}_Base money(4) \"{label} (Base)\" read-only custom"
                ));
            }
            "lookup" => {
                let target = suffix.to_lowercase();
                self.line(format_args!("    -> {target}  {column}  {name}_{column}"));
            }
            "customer" => {
                for target in ["account", "contact"] {
                    self.line(format_args!(
                        "    -> {target}  {column}_{target}  {name}_{column}_{target}"
                    ));
                }
            }
            _ => {}
        }
    }
}

fn table_label(number: usize) -> String {
    let thing = THINGS.get(number % THINGS.len()).unwrap_or(&"");
    let aspect = ASPECTS
        .get(number / THINGS.len() % ASPECTS.len())
        .unwrap_or(&"");
    let round = number / (THINGS.len() * ASPECTS.len());
    let round = if round == 0 {
        String::new()
    } else {
        format!(" {}", round + 1)
    };
    let label = if aspect.is_empty() {
        format!("{thing}{round}")
    } else {
        format!("{thing} {aspect}{round}")
    };
    label.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::schema::ColumnKind;

    #[test]
    fn a_large_organization_has_realistic_tables() {
        let schema = Schema::with_extra_tables(1_650, 60).unwrap();
        let extra: Vec<_> = schema.tables().filter(|table| table.on_demand).collect();
        assert_eq!(extra.len(), 1_650);
        let mut codes = HashSet::new();
        for table in schema.tables() {
            assert!(
                codes.insert(table.object_type_code),
                "{}",
                table.logical_name
            );
        }
        for table in extra {
            let stored = table
                .columns
                .iter()
                .filter(|column| column.attribute_of.is_none());
            let count = stored.count();
            assert!(
                (60..=61).contains(&count),
                "{}: {count}",
                table.logical_name
            );
            assert_eq!(table.privileges.len() >= 6, table.is_custom);
        }
        let kinds: HashSet<_> = schema
            .table("new_vehicleinspection")
            .or_else(|| schema.table("new_vehicle"))
            .unwrap()
            .columns
            .iter()
            .map(|column| std::mem::discriminant(&column.kind))
            .collect();
        assert!(kinds.len() >= 16, "{}", kinds.len());
        let file = std::mem::discriminant(&ColumnKind::File { max_kib: 0 });
        assert!(kinds.contains(&file));
    }
}
