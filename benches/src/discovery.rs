//! CPU time and memory of discovering a large organization.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dataverse_emulator::{CLIENT_SECRET, Emulator};

use crate::sync::{connection, watch};
use crate::{Arguments, Figure};

/// How many columns each table has.
const COLUMNS: usize = 120;

const CPU_BUDGET: Duration = Duration::from_millis(2_500);
const MEMORY_BUDGET: u64 = 64 << 20;

/// Clock ticks a second, in which Linux counts CPU time.
const TICKS_PER_SECOND: u32 = 100;

pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Box<dyn Error>> {
    if arguments.tables == 0 {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir()?;
    eprintln!("Creating {} tables …", arguments.tables);
    let builder = Emulator::builder().extra_tables(arguments.tables, COLUMNS);
    let emulator = builder.start().await?;
    let connection = connection(&emulator, folder.path(), "discovery", None)?;
    let (mut cpu, mut peak) = (Duration::MAX, 0);
    for _ in 0..arguments.runs.max(1) {
        let before = cpu_of_children()?;
        peak = peak.max(discover(arguments, &connection)?);
        cpu = cpu.min(cpu_of_children()?.saturating_sub(before));
    }
    Ok(vec![
        Figure {
            what: format!(
                "CPU time of `discover --format json` for {} tables × {COLUMNS} columns",
                arguments.tables
            ),
            measured: format!("{:.2} s", cpu.as_secs_f64()),
            budget: "≤ 2.5 s",
            kept: cpu <= CPU_BUDGET,
        },
        Figure {
            what: "peak memory of that process".into(),
            measured: format!("{} MiB", peak >> 20),
            budget: "≤ 64 MiB",
            kept: peak <= MEMORY_BUDGET,
        },
    ])
}

/// Discovers everything once, and returns the peak memory of the process in bytes.
fn discover(arguments: &Arguments, connection: &Path) -> Result<u64, Box<dyn Error>> {
    let mut child = Command::new(&arguments.host)
        .args(["--quiet", "--component"])
        .arg(&arguments.component)
        .arg("--connection")
        .arg(connection)
        .args(["discover", "--format", "json"])
        .env("CRM_CLIENT_SECRET", CLIENT_SECRET)
        .stdout(Stdio::null())
        .spawn()?;
    let peak = watch(&mut child)?;
    if child.wait()?.success() {
        Ok(peak)
    } else {
        Err("the discovery failed".into())
    }
}

/// The CPU time of all child processes that have ended, of the user and of the kernel.
fn cpu_of_children() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Only the program's name, in parentheses, may contain spaces. `cutime` and `cstime` come 13
    // fields after it.
    let (_, fields) = stat.rsplit_once(')').ok_or("no /proc/self/stat")?;
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: u32 = ticks.map(str::parse::<u32>).sum::<Result<_, _>>()?;
    Ok(Duration::from_secs(ticks.into()) / TICKS_PER_SECOND)
}
