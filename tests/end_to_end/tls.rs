//! Syncs over TLS, with a certificate authority of the tests.

use dataverse_emulator::TENANT_ID;
use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_host::{End, Network, Outcome, Trust};
use dataverse_tests::{
    Authority, Cli, Fixture, MemorySink, TlsProxy, assert_complete, assert_same, requests, sync,
};
use serde_json::Value;

/// An emulator behind TLS proxies, and settings that point to them.
async fn behind_tls(authority: &Authority, protocols: &[&str]) -> (Fixture, [TlsProxy; 2], Value) {
    let mut environment = TlsProxy::bind().await;
    let mut sign_in = TlsProxy::bind().await;
    let origin = environment.origin().to_owned();
    let fixture = Fixture::build(|builder| {
        builder.also_known_as(&origin).seed(|store| {
            generate::run(store, 5, &Sizes::of_accounts(12))?;
            Ok(())
        })
    })
    .await;
    environment.forward(fixture.emulator.base_url(), authority, protocols);
    sign_in.forward(fixture.emulator.authority_url(), authority, protocols);
    let mut settings = fixture.settings();
    settings["environment"] = origin.into();
    settings["authority"] = sign_in.origin().into();
    settings["tenant"] = TENANT_ID.to_string().into();
    (fixture, [environment, sign_in], settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_over_tls_reads_the_same_rows() {
    for (protocols, expected) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let authority = Authority::new();
        let (fixture, [environment, sign_in], settings) = behind_tls(&authority, protocols).await;
        let mut trust = Trust::default();
        trust.add_pem(authority.pem().as_bytes(), "test").unwrap();
        let network = Network {
            trust,
            ..Network::default()
        };
        let profile = fixture
            .profile_with(&settings)
            .with_network(&network)
            .unwrap();
        let memory = MemorySink::new();
        let report = sync(
            &profile,
            &requests(&["account", "contact"], 5),
            memory.clone(),
        )
        .await;
        assert_complete(&report);
        for stream in ["account", "contact"] {
            let rows = fixture.api.rows(stream).await;
            assert_same(stream, &memory.stream(stream).rows, &rows);
        }
        for front in [&environment, &sign_in] {
            let negotiated = front.negotiated();
            assert!(!negotiated.is_empty());
            assert!(
                negotiated.iter().all(|name| name == expected),
                "{negotiated:?}"
            );
        }
        if expected == "h2" {
            // Requests share connections; up to three are opened before the first one is ready.
            assert!(
                environment.connections() <= 3,
                "{}",
                environment.connections()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_ends_the_sync_before_any_request() {
    let (fixture, _fronts, settings) = behind_tls(&Authority::new(), &["h2"]).await;
    let profile = fixture.profile_with(&settings);
    let report = sync(&profile, &requests(&["account"], 5), MemorySink::new()).await;
    let outcome = format!("{:?} {:?}", report.end, report.streams);
    assert!(
        !matches!(report.end, End::Finished)
            || report
                .streams
                .iter()
                .all(|stream| stream.outcome != Outcome::Complete),
        "{outcome}"
    );
    assert!(outcome.contains("certificate"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_names_the_setting_for_an_untrusted_certificate() {
    let (_stand, _fronts, settings) = behind_tls(&Authority::new(), &["h2"]).await;
    let output = Cli::new(&settings).run(&["check"]);
    assert!(
        output.stderr.contains("ca-certificates of [network]"),
        "{}{}",
        output.stdout,
        output.stderr
    );
}
