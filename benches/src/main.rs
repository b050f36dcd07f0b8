//! Measures the connector against its budgets: ratios and peaks of one run on one machine.

mod curl;
mod discovery;
mod latency;
mod start;
mod sync;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Measures the connector. Run it with `cargo xtask bench`, which builds what it needs.
#[derive(Parser)]
struct Arguments {
    /// The connector component.
    #[arg(long)]
    component: PathBuf,
    /// The host's command-line tool.
    #[arg(long)]
    host: PathBuf,
    /// How many accounts are synced.
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// How many accounts are synced to measure whether memory grows with rows; 0 skips this.
    #[arg(long, default_value_t = 1_000_000)]
    many_rows: u64,
    /// How many accounts are synced to measure reading in ranges; 0 skips this.
    #[arg(long, default_value_t = 200_000)]
    latency_rows: u64,
    /// How many tables the discovered organization has; 0 skips this.
    #[arg(long, default_value_t = 1_500)]
    tables: usize,
    /// How often each measurement is repeated; the best counts.
    #[arg(long, default_value_t = 3)]
    runs: u32,
}

/// One row of the result.
struct Figure {
    what: String,
    measured: String,
    budget: &'static str,
    /// Whether the result is within the budget.
    kept: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Arguments::parse()).await {
        Ok(figures) => {
            print(&figures);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut figures = start::measure(&arguments.component).await?;
    figures.extend(sync::measure(arguments).await?);
    figures.extend(latency::measure(arguments).await?);
    figures.extend(discovery::measure(arguments).await?);
    Ok(figures)
}

fn print(figures: &[Figure]) {
    println!("| what | measured | budget | kept |");
    println!("|---|---|---|---|");
    for Figure {
        what,
        measured,
        budget,
        kept,
    } in figures
    {
        println!(
            "| {what} | {measured} | {budget} | {} |",
            if *kept { "yes" } else { "**no**" }
        );
    }
}
