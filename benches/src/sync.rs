//! Time and memory of a full sync.

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

/// The columns that a CRM integration reads of an account.
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

/// The columns that a simpler application reads. Latency is measured with few columns, because
/// service and client share this machine.
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

/// The lookups among them, which have other names in requests.
const LOOKUPS: [&str; 3] = ["ownerid", "parentaccountid", "primarycontactid"];

pub(crate) const MEMORY_BUDGET: u64 = 150 << 20;
/// The ratio above which the memory of a long sync counts as growth.
const MEMORY_NOISE: f64 = 1.25;

pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    eprintln!("Creating {} accounts …", arguments.rows);
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
        eprintln!("Creating {} accounts …", arguments.many_rows);
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

/// A connection to the emulator; `concurrency` is the limit of concurrent requests, if not the
/// default.
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

/// Time and memory of one run of the command line.
pub(crate) struct Run {
    pub(crate) took: Duration,
    /// Peak resident memory, in bytes.
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
    let start = Instant::now();
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
    let took = start.elapsed();
    if !child.wait()?.success() {
        return Err("the sync failed".into());
    }
    let lines = BufReader::new(File::open(target.join("account.jsonl"))?)
        .split(b'\n')
        .count();
    if lines as u64 != rows {
        return Err(format!("the sync stored {lines} rows instead of {rows}").into());
    }
    Ok(Run { took, peak })
}

/// Waits for the process to end and returns its peak memory. The kernel records the peak, so only
/// growth after the last poll is missed.
pub(crate) fn watch(child: &mut Child) -> Result<u64, Box<dyn Error>> {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(peak)
}
