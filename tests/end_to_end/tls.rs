//! The whole way over TLS, by a certificate authority of one's own.

use dataverse_emulator::TENANT_ID;
use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_host::{End, Network, Outcome, Trust};
use dataverse_tests::{
    Authority, Cli, Memory, Stand, TlsFront, all_complete, assert_same, requests, sync,
};
use serde_json::Value;

/// An environment and an authority behind TLS, and settings that lead there.
async fn behind_tls(authority: &Authority, protocols: &[&str]) -> (Stand, [TlsFront; 2], Value) {
    let mut environment = TlsFront::take().await;
    let mut sign_in = TlsFront::take().await;
    let origin = environment.origin().to_owned();
    let stand = Stand::with(|builder| {
        builder.also_known_as(&origin).seed(|store| {
            generate::run(store, 5, &Sizes::of_accounts(12))?;
            Ok(())
        })
    })
    .await;
    environment.forward(stand.emulator.base_url(), authority, protocols);
    sign_in.forward(stand.emulator.authority_url(), authority, protocols);
    let mut settings = stand.settings();
    settings["environment"] = origin.into();
    settings["authority"] = sign_in.origin().into();
    settings["tenant"] = TENANT_ID.to_string().into();
    (stand, [environment, sign_in], settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_over_tls_reads_the_same_rows() {
    for (protocols, expected) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let authority = Authority::new();
        let (stand, [environment, sign_in], settings) = behind_tls(&authority, protocols).await;
        let mut trust = Trust::default();
        trust.add_pem(authority.pem().as_bytes(), "test").unwrap();
        let network = Network {
            trust,
            ..Network::default()
        };
        let profile = stand
            .profile_with(&settings)
            .with_network(&network)
            .unwrap();
        let memory = Memory::new();
        let report = sync(
            &profile,
            &requests(&["account", "contact"], 5),
            memory.clone(),
        )
        .await;
        all_complete(&report);
        for stream in ["account", "contact"] {
            let rows = stand.api.rows(stream).await;
            assert_same(stream, &memory.held(stream).rows, &rows);
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
            // Requests share connections; three may begin before the first one is there.
            assert!(
                environment.connections() <= 3,
                "{}",
                environment.connections()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_ends_the_sync_before_anything_is_sent() {
    let (stand, _fronts, settings) = behind_tls(&Authority::new(), &["h2"]).await;
    let profile = stand.profile_with(&settings);
    let report = sync(&profile, &requests(&["account"], 5), Memory::new()).await;
    let told = format!("{:?} {:?}", report.end, report.streams);
    assert!(
        !matches!(report.end, End::Finished)
            || report
                .streams
                .iter()
                .all(|stream| stream.outcome != Outcome::Complete),
        "{told}"
    );
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_names_the_setting_for_an_untrusted_certificate() {
    let (_stand, _fronts, settings) = behind_tls(&Authority::new(), &["h2"]).await;
    let ended = Cli::new(&settings).run(&["check"]);
    assert!(
        ended.stderr.contains("ca-certificates of [network]"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}
