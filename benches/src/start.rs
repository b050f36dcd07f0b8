//! How large the component is, and how fast it is there.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dataverse_host::secrets::InMemory;
use dataverse_host::{ConnectorHost, Profile};

use crate::Figure;

/// An environment that is never reached: opening a session asks nothing of it.
const SETTINGS: &str = r#"{
    "environment": "https://contoso.crm4.dynamics.com",
    "auth": {
        "type": "client-secret",
        "clientId": "00001111-aaaa-2222-bbbb-3333cccc4444",
        "secret": "client-secret"
    }
}"#;

/// The largest component, in bytes.
const COMPONENT_BUDGET: u64 = 3 << 19;

/// How often something short is timed; the median counts.
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
                "the precompiled component is not kept: is the cache folder writable?".into(),
            );
        }
        loads.push(loading.took);
    }
    for _ in 0..TIMES {
        let begun = Instant::now();
        host.describe().await?;
        instances.push(begun.elapsed());
        let begun = Instant::now();
        let session = host.open(&profile).await?;
        sessions.push(begun.elapsed());
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
                "new instance, which describes itself and is dropped; with a session opened in it \
                 {:.3} ms",
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
