//! How fast a full sync is, and how much memory the host's process takes for it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator};

use crate::curl::Pages;
use crate::{Arguments, Figure};

/// What a CRM integration reads of an account.
pub(crate) const COLUMNS: [&str; 27] = [
    "accountnumber",
    "address1_city",
    "address1_country",
    "address1_line1",
    "address1_postalcode",
    "address1_stateorprovince",
    "createdon",
    "creditlimit",
    "creditonhold",
    "customertypecode",
    "description",
    "donotemail",
    "emailaddress1",
    "fax",
    "industrycode",
    "modifiedon",
    "name",
    "numberofemployees",
    "ownerid",
    "parentaccountid",
    "primarycontactid",
    "revenue",
    "statecode",
    "statuscode",
    "telephone1",
    "versionnumber",
    "websiteurl",
];

/// What an application that only follows accounts reads of them. Where waiting is measured, and
/// not this machine, few columns are read: it is service and client at once.
pub(crate) const FEW_COLUMNS: [&str; 10] = [
    "accountnumber",
    "address1_city",
    "createdon",
    "industrycode",
    "modifiedon",
    "name",
    "ownerid",
    "primarycontactid",
    "revenue",
    "statecode",
];

/// The lookups among them, which have another name on the wire.
const LOOKUPS: [&str; 3] = ["ownerid", "parentaccountid", "primarycontactid"];

pub(crate) const MEMORY_BUDGET: u64 = 150 << 20;
/// How much more a long sync may take than a short one before it counts as growth.
const MEMORY_NOISE: f64 = 1.25;

pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    eprintln!("Making {} accounts …", arguments.rows);
    let emulator = emulator(arguments.rows).await?;
    let pages = Pages::of(&emulator, &query(), folder.path())?;
    let connection = connection(&emulator, folder.path(), "connection", None)?;

    let (mut curl, mut ours, mut peak) = (Duration::MAX, Duration::MAX, 0);
    for _ in 0..arguments.runs.max(1) {
        curl = curl.min(pages.fetch()?);
        let run = sync(
            arguments,
            &connection,
            folder.path(),
            arguments.rows,
            &COLUMNS,
        )?;
        ours = ours.min(run.took);
        peak = peak.max(run.peak);
    }
    let ratio = ours.as_secs_f64() / curl.as_secs_f64();
    let mut figures = vec![
        Figure {
            what: format!(
                "full sync of {} accounts × {} columns to JSON Lines ({:.2} s), against curl \
                 fetching the same {} pages ({:.2} s)",
                arguments.rows,
                COLUMNS.len(),
                ours.as_secs_f64(),
                pages.count,
                curl.as_secs_f64()
            ),
            measured: format!("{ratio:.2} ×"),
            budget: "≤ 2 ×",
            kept: ratio <= 2.0,
        },
        Figure {
            what: "peak memory of the host's process in that sync".into(),
            measured: format!("{} MiB", peak >> 20),
            budget: "≤ 150 MiB",
            kept: peak <= MEMORY_BUDGET,
        },
    ];
    drop(emulator);

    if arguments.many_rows > 0 {
        eprintln!("Making {} accounts …", arguments.many_rows);
        let emulator = self::emulator(arguments.many_rows).await?;
        let connection = self::connection(&emulator, folder.path(), "many", None)?;
        let run = sync(
            arguments,
            &connection,
            folder.path(),
            arguments.many_rows,
            &COLUMNS,
        )?;
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let growth = run.peak as f64 / peak as f64;
        figures.push(Figure {
            what: format!(
                "the same with {} accounts ({:.1} s, {} MiB), against {}",
                arguments.many_rows,
                run.took.as_secs_f64(),
                run.peak >> 20,
                arguments.rows
            ),
            measured: format!("{growth:.2} × the memory"),
            budget: "no growth",
            kept: growth <= MEMORY_NOISE,
        });
    }
    Ok(figures)
}

pub(crate) async fn emulator(accounts: u64) -> Result<Emulator, Box<dyn Error>> {
    let sizes = Sizes {
        accounts,
        ..Sizes::default()
    };
    let builder =
        Emulator::builder().seed(move |store| Ok(generate::run(store, 1, &sizes).map(drop)?));
    Ok(builder.start().await?)
}

fn query() -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|column| {
            if LOOKUPS.contains(column) {
                format!("_{column}_value")
            } else {
                (*column).to_owned()
            }
        })
        .collect();
    format!("accounts?$select={}", columns.join(","))
}

/// A connection to the emulator; `concurrency` is how many requests there may be at once, if
/// not as many as by default.
pub(crate) fn connection(
    emulator: &Emulator,
    folder: &Path,
    name: &str,
    concurrency: Option<u32>,
) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join(format!("{name}.toml"));
    let limits = concurrency.map_or_else(String::new, |requests| {
        format!("limits = {{ maxConcurrency = {requests} }}\n")
    });
    let text = format!(
        "[settings]\nenvironment = \"{}\"\n\
         auth = {{ type = \"client-secret\", clientId = \"{CLIENT_ID}\", secret = \"client-secret\" }}\n\
         {limits}[secrets]\nfrom = \"environment\"\nprefix = \"CRM_\"\n",
        emulator.base_url()
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// What one run of the command-line tool took.
pub(crate) struct Run {
    pub(crate) took: Duration,
    /// Most resident memory, in bytes.
    pub(crate) peak: u64,
}

pub(crate) fn sync(
    arguments: &Arguments,
    connection: &Path,
    folder: &Path,
    rows: u64,
    columns: &[&str],
) -> Result<Run, Box<dyn Error>> {
    let target = folder.join("rows");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let begun = Instant::now();
    let mut child = Command::new(&arguments.host)
        .args(["--quiet", "--component"])
        .arg(&arguments.component)
        .arg("--connection")
        .arg(connection)
        .args(["sync", "--stream", "account", "--page-size", "5000"])
        .args(["--columns", &columns.join(",")])
        .arg("--to")
        .arg(format!("jsonl:{}", target.display()))
        .env("CRM_CLIENT_SECRET", CLIENT_SECRET)
        .stdout(Stdio::null())
        .spawn()?;
    let peak = watch(&mut child)?;
    let took = begun.elapsed();
    if !child.wait()?.success() {
        return Err("the sync failed".into());
    }
    let lines = BufReader::new(File::open(target.join("account.jsonl"))?)
        .split(b'\n')
        .count();
    if lines as u64 != rows {
        return Err(format!("the sync brought {lines} rows of {rows}").into());
    }
    Ok(Run { took, peak })
}

/// Waits for the process to end and returns the most memory it was seen to hold. The kernel
/// keeps the peak itself, so nothing between two looks is missed but the very last moment.
pub(crate) fn watch(child: &mut Child) -> Result<u64, Box<dyn Error>> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let seen = fs::read_to_string(&status).unwrap_or_default();
        let kib = seen
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(peak)
}
