//! A map with every name looked up once, then applied to row after row.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use csv::StringRecord;
use uuid::Uuid;

use super::{
    ImportError,
    files::Files,
    key_id,
    map::{Join, Map, OneOrMany, Picked, Source, TableMap, WellKnown},
    template::{Part, Template},
    value::{Cell, Context, Pick, Piece, Reference, Slot, Text},
};
use crate::{
    ids,
    org::Role,
    schema::{Column, ColumnKind, Schema, Table},
    store::Value,
};

/// What one entry of the map does.
pub(super) struct Plan<'a> {
    /// The table that is filled.
    pub(super) table: &'a Table,
    /// The columns that each row has values for.
    pub(super) columns: Vec<&'a str>,
    file: &'a str,
    key: usize,
    part: Option<&'a str>,
    distinct: bool,
    keeps_key: bool,
    conditions: Vec<(usize, &'a OneOrMany)>,
    joins: Vec<Joined>,
    cells: Vec<(&'a Column, Cell<'a>)>,
}

/// A row ready to be loaded.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) values: Vec<Value>,
    /// The rows it refers to.
    pub(super) references: Vec<Reference>,
    /// Where it comes from.
    pub(super) line: u64,
}

/// The rows of a joined file by key.
struct Joined {
    by: Slot,
    optional: bool,
    file: String,
    rows: HashMap<String, StringRecord>,
}

/// Prepares every entry of the map.
pub(super) fn prepare<'a>(
    schema: &'a Schema,
    files: &Files,
    map: &'a Map,
    map_name: &str,
) -> Result<Vec<Plan<'a>>, ImportError> {
    let plan = |entry: &'a TableMap| {
        let unusable = |problem: String| ImportError::Map {
            map: map_name.to_owned(),
            entry: format!("{} from {}", entry.table, entry.file),
            problem,
        };
        let table = schema
            .table(&entry.table)
            .ok_or_else(|| unusable(format!("the organization has no table {}", entry.table)))?;
        let mut names = Names::new(&entry.file, headers(files, &entry.file)?);
        let mut joins = Vec::new();
        // A join by a column of another join comes after that one.
        let (first, second): (Vec<_>, Vec<_>) = entry
            .join
            .iter()
            .partition(|(_, join)| !join.by.contains('.'));
        for (name, join) in first.into_iter().chain(second) {
            let by = names.slot(&join.by).map_err(unusable)?;
            let (headers, rows) = read_join(files, join, unusable)?;
            names.joins.push((name, headers));
            joins.push(Joined {
                by,
                optional: join.optional,
                file: join.file.clone(),
                rows,
            });
        }
        Plan::new(table, entry, &names, joins).map_err(unusable)
    };
    map.table.iter().map(plan).collect()
}

/// The columns that an entry's templates may name.
struct Names<'a> {
    file: &'a str,
    headers: StringRecord,
    joins: Vec<(&'a str, StringRecord)>,
}

impl<'a> Names<'a> {
    fn new(file: &'a str, headers: StringRecord) -> Self {
        Self {
            file,
            headers,
            joins: Vec::new(),
        }
    }

    fn own(&self, name: &str) -> Result<usize, String> {
        self.headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| format!("{} has no column {name}", self.file))
    }

    fn slot(&self, name: &str) -> Result<Slot, String> {
        let Some((join, column)) = name.split_once('.') else {
            return self.own(name).map(Slot::Own);
        };
        self.joins
            .iter()
            .enumerate()
            .find(|(_, (known, _))| *known == join)
            .and_then(|(at, (_, headers))| {
                let column = headers.iter().position(|header| header == column)?;
                Some(Slot::Joined(at, column))
            })
            .ok_or_else(|| format!("no join provides a column {name}"))
    }

    fn text(&self, template: &'a Template) -> Result<Text<'a>, String> {
        let piece = |part: &'a Part| {
            Ok(match part {
                Part::Text(text) => Piece::Text(text),
                Part::Column(name) => Piece::Column(self.slot(name)?),
                Part::Made(generator, name) => Piece::Made(*generator, self.slot(name)?),
            })
        };
        template.0.iter().map(piece).collect()
    }

    fn pick(&self, picked: &'a Picked) -> Result<Pick<'a>, String> {
        Ok(match picked {
            Picked::Text(template) => Pick::Text(self.text(template)?),
            Picked::Between(low, high) => Pick::Between(*low, *high),
        })
    }

    fn cell(&self, column: &Column, source: &'a Source) -> Result<Cell<'a>, String> {
        let can_refer_to = |table: &str| {
            // Some tables keep a reference as a bare key, of which no table is known.
            let bare = column.kind == ColumnKind::Uniqueidentifier;
            if bare || column.targets().contains(&table) {
                Ok(())
            } else {
                Err(format!(
                    "column {} cannot refer to {table}",
                    column.logical_name
                ))
            }
        };
        Ok(match source {
            Source::Text(template) => Cell::Text(self.text(template)?),
            Source::Choice {
                of,
                values,
                otherwise,
            } => Cell::Choice {
                of: self.text(of)?,
                values: values
                    .iter()
                    .map(|(value, picked)| Ok((value.as_str(), self.pick(picked)?)))
                    .collect::<Result<_, String>>()?,
                otherwise: otherwise
                    .as_ref()
                    .map(|picked| self.pick(picked))
                    .transpose()?,
            },
            Source::Lookup { table, key } => {
                can_refer_to(table)?;
                Cell::Lookup {
                    table,
                    key: self.text(key)?,
                }
            }
            Source::WellKnown(row) => {
                let (table, id) = match row {
                    WellKnown::RootBusinessUnit => ("businessunit", ids::ROOT_BUSINESS_UNIT),
                    WellKnown::Administrator => ("systemuser", ids::ADMINISTRATOR),
                    WellKnown::BaseCurrency => ("transactioncurrency", ids::BASE_CURRENCY),
                    WellKnown::SalespersonRole => {
                        ("role", Role::Salesperson.id(ids::ROOT_BUSINESS_UNIT))
                    }
                };
                can_refer_to(table)?;
                Cell::Fixed(Value::lookup(table, id))
            }
            Source::Later { date, days } => Cell::Later {
                date: self.text(date)?,
                days: *days,
            },
        })
    }
}

impl<'a> Plan<'a> {
    fn new(
        table: &'a Table,
        map: &'a TableMap,
        names: &Names<'a>,
        joins: Vec<Joined>,
    ) -> Result<Self, String> {
        let column = |name: &str| {
            table
                .column(name)
                .ok_or_else(|| format!("{} has no column {name}", table.logical_name))
        };
        let mut columns = vec![table.primary_id.as_str()];
        if let Some(key_column) = &map.key_column {
            column(key_column)?;
            columns.push(key_column);
        }
        let mut cells = Vec::new();
        for (name, source) in &map.columns {
            let column = column(name)?;
            cells.push((column, names.cell(column, source)?));
            columns.push(name);
        }
        Ok(Self {
            table,
            columns,
            file: &map.file,
            key: names.own(&map.key)?,
            part: map.part.as_deref(),
            distinct: map.distinct,
            keeps_key: map.key_column.is_some(),
            conditions: map
                .only
                .iter()
                .map(|(name, values)| Ok((names.own(name)?, values)))
                .collect::<Result<_, String>>()?,
            joins,
            cells,
        })
    }

    /// The rows of the table, read from the file one after another.
    pub(super) fn rows(
        &'a self,
        files: &Files,
    ) -> Result<impl Iterator<Item = Result<Row, ImportError>> + use<'a>, ImportError> {
        let mut seen = HashSet::new();
        let records = read(files, self.file)?.into_records();
        Ok(records.filter_map(move |record| match record {
            Err(source) => Some(Err(unreadable(self.file, source))),
            Ok(record) => {
                let wanted = self.conditions.iter().all(|(at, values)| {
                    record.get(*at).is_some_and(|value| values.contains(value))
                });
                let key = record.get(self.key).unwrap_or_default();
                let new = !self.distinct || (!key.is_empty() && seen.insert(key.to_owned()));
                (wanted && new).then(|| self.row(&record))
            }
        }))
    }

    fn row(&self, record: &StringRecord) -> Result<Row, ImportError> {
        let line = record.position().map_or(0, csv::Position::line);
        let located = |column: &str| {
            let column = column.to_owned();
            move |problem| ImportError::Cell {
                file: self.file.to_owned(),
                line,
                column,
                problem,
            }
        };
        let key = record.get(self.key).unwrap_or_default();
        if key.is_empty() {
            return Err(located(&self.table.primary_id)(
                "the row's key is empty".to_owned(),
            ));
        }
        let mut context = Context {
            record,
            joined: Vec::with_capacity(self.joins.len()),
            key,
        };
        for join in &self.joins {
            let by = context.get(join.by);
            let row = join.rows.get(by);
            if row.is_none() && !join.optional {
                let problem = format!("`{by}` has no row in {}", join.file);
                return Err(located(&self.table.primary_id)(problem));
            }
            context.joined.push(row);
        }
        let table = &self.table.logical_name;
        let id = match self.part {
            None => key_id(table, key),
            Some(part) => key_id(table, &format!("{key}/{part}")),
        };
        let mut values = Vec::with_capacity(self.columns.len());
        values.push(Value::Guid(id));
        if self.keeps_key {
            values.push(Value::Text(key.to_owned()));
        }
        let mut references = Vec::new();
        for (column, cell) in &self.cells {
            let value = context
                .value(column, cell, &mut references)
                .map_err(located(&column.logical_name))?;
            values.push(value);
        }
        Ok(Row {
            id,
            values,
            references,
            line,
        })
    }

    /// The fault of a row that refers to a row that does not exist.
    pub(super) fn dangling(&self, line: u64, reference: &Reference) -> ImportError {
        ImportError::Cell {
            file: self.file.to_owned(),
            line,
            column: reference.column.clone(),
            problem: format!(
                "there is no {} with the key `{}`; import it in the same run or correct the key",
                reference.table, reference.key
            ),
        }
    }

    /// The fault of a row whose key another row has.
    pub(super) fn repeated(&self, line: u64) -> ImportError {
        ImportError::Cell {
            file: self.file.to_owned(),
            line,
            column: self.table.primary_id.clone(),
            problem: "an earlier row has the same key; remove one, or set `distinct = true`".into(),
        }
    }
}

fn read(files: &Files, name: &str) -> Result<csv::Reader<Box<dyn Read>>, ImportError> {
    files.open(name).map_err(|source| ImportError::Open {
        file: name.to_owned(),
        source,
    })
}

fn headers(files: &Files, name: &str) -> Result<StringRecord, ImportError> {
    let mut reader = read(files, name)?;
    Ok(reader
        .headers()
        .map_err(|source| unreadable(name, source))?
        .clone())
}

fn unreadable(file: &str, source: csv::Error) -> ImportError {
    ImportError::Csv {
        file: file.to_owned(),
        source,
    }
}

/// The columns of a joined file, and its first row for each key.
fn read_join(
    files: &Files,
    join: &Join,
    unusable: impl Fn(String) -> ImportError,
) -> Result<(StringRecord, HashMap<String, StringRecord>), ImportError> {
    let headers = headers(files, &join.file)?;
    let key = headers
        .iter()
        .position(|header| header == join.key)
        .ok_or_else(|| unusable(format!("{} has no column {}", join.file, join.key)))?;
    let mut rows = HashMap::new();
    for record in read(files, &join.file)?.into_records() {
        let record = record.map_err(|source| unreadable(&join.file, source))?;
        rows.entry(record.get(key).unwrap_or_default().to_owned())
            .or_insert(record);
    }
    Ok((headers, rows))
}
