//! Business process flows for opportunities that have none yet.

use rusqlite::Connection;
use uuid::Uuid;

use super::import::Report;
use crate::{
    processes::{Process, STAGES},
    schema::metadata_id,
    store::{Store, StoreError, Value, layout::parse_guid},
    time::DAY,
};

/// How many opportunities are read at once.
const CHUNK: usize = 20_000;

/// Longest name of an instance.
const NAME_LENGTH: usize = 100;

const COLUMNS: [&str; 11] = [
    "businessprocessflowinstanceid",
    "name",
    "opportunityid",
    "processid",
    "activestageid",
    "activestagestartedon",
    "completedon",
    "traversedpath",
    "statecode",
    "statuscode",
    "createdon",
];

/// What a process has to know of its opportunity.
struct Opportunity {
    id: Uuid,
    name: Option<String>,
    lead: Option<Uuid>,
    state: i64,
    stage: Option<i64>,
    created: i64,
    closed: Option<i64>,
}

impl Opportunity {
    fn process(&self) -> Process {
        match self.lead {
            Some(_) => Process::LeadToOpportunity,
            None => Process::Opportunity,
        }
    }

    /// Position of the active stage: that of a closed opportunity is the last.
    fn active_stage(&self) -> usize {
        let last = STAGES.len() - 1;
        if self.state != 0 {
            return last;
        }
        let stage = self.stage.and_then(|stage| usize::try_from(stage).ok());
        stage.map_or(1, |stage| stage.min(last))
    }

    /// The instance's values, in the order of [`COLUMNS`], and the lead it began with.
    fn instance(&self) -> Vec<Value> {
        let process = self.process();
        let active = self.active_stage();
        let path: Vec<String> = (0..=active)
            .map(|at| process.stage(at).to_string())
            .collect();
        // Active, finished or aborted.
        let (state, status) = match self.state {
            0 => (0, 1),
            1 => (1, 2),
            _ => (1, 3),
        };
        let days = i64::try_from(active).unwrap_or(0);
        let started = match self.closed {
            Some(closed) => closed.min(self.created + days * DAY),
            None => self.created + days * DAY,
        };
        let name = self.name.clone().unwrap_or_default();
        let name: String = name.chars().take(NAME_LENGTH).collect();
        let mut values = vec![
            Value::Guid(metadata_id(&["process", &self.id.to_string()])),
            Value::Text(name),
            Value::lookup("opportunity", self.id),
            Value::lookup("workflow", process.id()),
            Value::lookup("processstage", process.stage(active)),
            Value::DateTime(started),
            self.closed.map_or(Value::Null, Value::DateTime),
            Value::Text(path.join(",")),
            Value::Int(state),
            Value::Int(status),
            Value::DateTime(self.created),
        ];
        values.extend(self.lead.map(|lead| Value::lookup("lead", lead)));
        values
    }
}

/// Gives every opportunity its process, unless the schema has no processes.
///
/// # Errors
///
/// When the database fails.
pub fn run(store: &Store) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let needed = Process::ALL.map(Process::table);
    if needed
        .iter()
        .chain(&["opportunity"])
        .any(|table| store.layout(table).is_err())
    {
        return Ok(report);
    }
    let mut last = String::new();
    loop {
        let found = store.read(|connection| without_process(connection, &last))?;
        let Some(end) = found.last() else {
            return Ok(report);
        };
        last = end.id.to_string();
        for process in Process::ALL {
            let table = store.table(process.table())?;
            let mut columns = COLUMNS.to_vec();
            if process == Process::LeadToOpportunity {
                columns.push("leadid");
            }
            let mine = found
                .iter()
                .filter(|opportunity| opportunity.process() == process);
            let count = store.load(table, &columns, mine.map(Opportunity::instance))?;
            if count > 0 {
                report.add(process.table(), count);
            }
        }
    }
}

/// The next opportunities without a process, by key.
fn without_process(connection: &Connection, last: &str) -> Result<Vec<Opportunity>, StoreError> {
    let sql = format!(
        "SELECT opportunityid, name, originatingleadid, statecode, salesstage, createdon, \
         actualclosedate FROM opportunity o WHERE opportunityid > ?1 \
         AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.opportunityid = o.opportunityid) \
         AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.opportunityid = o.opportunityid) \
         ORDER BY opportunityid LIMIT {CHUNK}",
        Process::Opportunity.table(),
        Process::LeadToOpportunity.table(),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map([last], |row| {
        let state: Option<i64> = row.get(3)?;
        let lead: Option<String> = row.get(2)?;
        Ok(Opportunity {
            id: parse_guid(row.get_ref(0)?.as_str()?),
            name: row.get(1)?,
            lead: lead.as_deref().map(parse_guid),
            state: state.unwrap_or(0),
            stage: row.get(4)?,
            created: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
            closed: match state {
                None | Some(0) => None,
                Some(_) => row.get(6)?,
            },
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opportunity(state: i64, phase: Option<i64>, lead: bool) -> Opportunity {
        Opportunity {
            id: Uuid::from_u128(1),
            name: Some("ü".repeat(200)),
            lead: lead.then(|| Uuid::from_u128(2)),
            state,
            stage: phase,
            created: 1_000,
            closed: (state != 0).then_some(500),
        }
    }

    #[test]
    fn a_process_is_in_the_stage_of_its_opportunity() {
        let open = opportunity(0, Some(2), false);
        assert_eq!(
            (open.process(), open.active_stage()),
            (Process::Opportunity, 2)
        );
        let values = open.instance();
        assert_eq!(values.len(), COLUMNS.len());
        let Value::Text(path) = &values[7] else {
            panic!("no path")
        };
        assert_eq!(path.split(',').count(), 3);
        assert!(path.ends_with(&Process::Opportunity.stage(2).to_string()));
        let lost = opportunity(2, None, true);
        assert_eq!(
            (lost.process(), lost.active_stage()),
            (Process::LeadToOpportunity, 3)
        );
        let values = lost.instance();
        assert_eq!(values[9], Value::Int(3));
        assert_eq!(
            values.last(),
            Some(&Value::lookup("lead", Uuid::from_u128(2)))
        );
        assert_eq!(opportunity(0, Some(99), false).active_stage(), 3);
    }
}
