//! What reading in ranges gains with a slow network, and what it costs with a fast one.

use std::error::Error;
use std::time::Duration;

use crate::sync::{COLUMNS, FEW_COLUMNS, MEMORY_BUDGET, connection, emulator, sync};
use crate::{Arguments, Figure};

/// The latency of a service in another country.
const LATENCY: Duration = Duration::from_millis(80);
/// The concurrency that the environment recommends, and the limit in the settings.
const PARALLELISM: u32 = 16;

pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Box<dyn Error>> {
    let rows = arguments.latency_rows;
    if rows == 0 {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir()?;
    eprintln!("Creating {rows} accounts …");
    let emulator = emulator(rows).await?;
    emulator.set_recommended_parallelism(PARALLELISM);
    let one = connection(&emulator, folder.path(), "one", Some(1))?;
    let many = connection(&emulator, folder.path(), "many", Some(PARALLELISM))?;

    let mut figures = Vec::new();
    let mut peak = 0;
    for (latency, columns, least) in [
        (LATENCY, &FEW_COLUMNS[..], 4.0),
        (Duration::ZERO, &COLUMNS[..], 1.0),
    ] {
        emulator.set_latency(latency);
        let (mut serial, mut ranged) = (Duration::MAX, Duration::MAX);
        for _ in 0..arguments.runs.max(1) {
            serial = serial.min(sync(arguments, &one, folder.path(), rows, columns)?.took);
            let run = sync(arguments, &many, folder.path(), rows, columns)?;
            ranged = ranged.min(run.took);
            peak = peak.max(run.peak);
        }
        let ratio = serial.as_secs_f64() / ranged.as_secs_f64();
        figures.push(Figure {
            what: format!(
                "full sync of {rows} accounts × {} columns in ranges, up to {PARALLELISM} concurrent \
                 requests ({:.2} s), against page after page ({:.2} s), each response delayed by {} ms",
                columns.len(),
                ranged.as_secs_f64(),
                serial.as_secs_f64(),
                latency.as_millis()
            ),
            measured: format!("{ratio:.1} × as fast"),
            budget: if latency.is_zero() {
                "≥ 1 ×"
            } else {
                "≥ 4 ×"
            },
            // Two equal times differ by a few hundredths between runs.
            kept: ratio >= least - 0.05,
        });
    }
    figures.push(Figure {
        what: "peak memory of the host's process in those syncs".into(),
        measured: format!("{} MiB", peak >> 20),
        budget: "≤ 150 MiB",
        kept: peak <= MEMORY_BUDGET,
    });
    Ok(figures)
}
