//! The size of the component, and the time to load and start it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dataverse_host::secrets::InMemory;
use dataverse_host::{ConnectorHost, Profile};

use crate::Figure;

/// An environment that is never contacted: opening a session sends nothing.
const SETTINGS: &str = r#"{
    "environment": "https://contoso.crm4.dynamics.com",
    "auth": {
        "type": "client-secret",
        "clientId": "00001111-aaaa-2222-bbbb-3333cccc4444",
        "secret": "client-secret"
    }
}"#;

/// The maximum size of the component, in bytes.
const COMPONENT_BUDGET: u64 = 3 << 19;

/// How often short measurements are repeated; the median counts.
const TIMES: usize = 200;

pub(crate) async fn measure(component: &Path) -> Result<Vec<Figure>, Box<dyn Error>> {
    let size = fs::metadata(component)?.len();
    let load = || ConnectorHost::builder().component_file(component).build();
    let host = load()?;
    let profile = Profile::new(SETTINGS, InMemory::new())?;

    let mut loads = Vec::with_capacity(TIMES);
    let mut instances = Vec::with_capacity(TIMES);
    let mut sessions = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let loading = load()?.loading();
        if !loading.cached {
            return Err(
                "the compiled component was not cached; check that the cache directory is writable"
                    .into(),
            );
        }
        loads.push(loading.took);
    }
    for _ in 0..TIMES {
        let start = Instant::now();
        host.describe().await?;
        instances.push(start.elapsed());
        let start = Instant::now();
        let session = host.open(&profile).await?;
        sessions.push(start.elapsed());
        drop(session);
    }
    let (load, instance, session) = (median(loads), median(instances), median(sessions));
    Ok(vec![
        Figure {
            what: "size of the component".into(),
            measured: format!("{} KiB", size.div_ceil(1024)),
            budget: "≤ 1.5 MiB",
            kept: size <= COMPONENT_BUDGET,
        },
        Figure {
            what: "load the precompiled component".into(),
            measured: format!("{:.2} ms", milliseconds(load)),
            budget: "≤ 1 ms",
            kept: load <= Duration::from_millis(1),
        },
        Figure {
            what: format!(
                "create an instance, call `describe`, drop the instance; the same with opening a \
                 session {:.3} ms",
                milliseconds(session)
            ),
            measured: format!("{:.3} ms", milliseconds(instance)),
            budget: "≤ 0.1 ms",
            kept: instance <= Duration::from_micros(100),
        },
    ])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
