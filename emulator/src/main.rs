//! The emulator's command line.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use dataverse_emulator::{
    ApiVersion, CLIENT_ID, CLIENT_SECRET, Emulator, PASSWORD, PUBLIC_CLIENT_ID, ServiceLimits,
    TENANT_ID,
    seed::{
        command::{Content, FillError, Generate, Import},
        import::Report,
    },
};

/// A local Dataverse for demonstrations and tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves an organization until interrupted.
    Serve(Serve),
    /// Imports CSV files into an organization's file, to be served from it.
    Import(Import),
    /// Generates rows in an organization's file, to be served from it.
    Generate(Generate),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Address and port of the environment; the authority listens on the next port.
    #[arg(long, default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
    /// Keep the rows in this SQLite file; without it, they are deleted when the emulator stops.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Reject requests beyond the service protection limits with status 429.
    #[arg(long)]
    limits: bool,
    /// Set an affinity cookie, as a service behind a load balancer does.
    #[arg(long)]
    affinity_cookie: bool,
    /// Another origin of the environment, such as that of a proxy; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    also_known_as: Vec<String>,
    /// Have people sign in at AD FS, as with an on-premises server.
    #[arg(long)]
    adfs: bool,
    /// Serve the Web API at `/{NAME}/api/data/` too, as an on-premises server does.
    #[arg(long, value_name = "NAME")]
    organization_path: Option<String>,
    /// The newest version of the Web API to serve, such as 8.2 for an older server.
    #[arg(long = "version", value_name = "VERSION", default_value_t)]
    api_version: ApiVersion,
    /// How long a refresh token stays valid after its successor was issued; without this option,
    /// until it expires.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_grace: Option<u64>,
    /// Number of custom tables to generate besides the standard ones.
    #[arg(long, value_name = "N", default_value_t = 0)]
    extra_tables: usize,
    /// Number of columns in each generated table.
    #[arg(long, value_name = "N", default_value_t = 120)]
    extra_columns: usize,
    /// Number of rows in each generated table.
    #[arg(long, value_name = "N", default_value_t = 0)]
    extra_rows: usize,
    #[command(flatten)]
    content: Content,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(serve) => run(serve).await,
        Command::Import(import) => filled(import.run()),
        Command::Generate(generate) => filled(generate.run()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dataverse-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn filled(report: Result<Report, FillError>) -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", report?);
    Ok(())
}

async fn run(serve: Serve) -> Result<(), Box<dyn std::error::Error>> {
    let mut authority = serve.listen;
    if authority.port() != 0 {
        authority.set_port(authority.port().saturating_add(1));
    }
    let mut builder = Emulator::builder()
        .listen(serve.listen)
        .listen_authority(authority);
    if let Some(path) = serve.data {
        builder = builder.file(path);
    }
    if serve.limits {
        builder = builder.limits(ServiceLimits::default());
    }
    if serve.affinity_cookie {
        builder = builder.affinity_cookie();
    }
    if serve.adfs {
        builder = builder.adfs();
    }
    if let Some(name) = serve.organization_path {
        builder = builder.organization_path(name);
    }
    if let Some(seconds) = serve.refresh_token_grace {
        builder = builder.refresh_token_grace(Duration::from_secs(seconds));
    }
    builder = builder
        .version(serve.api_version)
        .extra_tables(serve.extra_tables, serve.extra_columns)
        .extra_rows(serve.extra_rows);
    for origin in serve.also_known_as {
        builder = builder.also_known_as(origin);
    }
    let content = serve.content;
    let emulator = builder
        .seed(move |store| {
            let report = content.fill(store)?;
            println!("filled with    {report}");
            Ok(())
        })
        .start()
        .await?;
    println!("environment    {}", emulator.base_url());
    let authority = if serve.adfs {
        "adfs".to_owned()
    } else {
        TENANT_ID.to_string()
    };
    println!("authority      {}/{authority}", emulator.authority_url());
    println!("tenant id      {TENANT_ID}");
    println!("client id      {CLIENT_ID}");
    println!("client secret  {CLIENT_SECRET}  (the same in every emulator)");
    println!("public client  {PUBLIC_CLIENT_ID}");
    println!("people         ada@example.com (administrator), jonas@example.com");
    println!("password       {PASSWORD}  (the same for everyone)");
    println!("control        {}/__emulator/", emulator.base_url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
