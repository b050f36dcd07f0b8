//! The refresh token is never lost, whenever the program is killed.

use std::time::{Duration, Instant};

use dataverse_emulator::{PASSWORD, PUBLIC_CLIENT_ID};
use dataverse_tests::{Cli, Fixture, Person, Random, RunOutput};
use serde_json::json;

const ROUNDS: u32 = 100;

/// How long a replaced token remains valid, and the time between two runs: a program that does not
/// store the new token soon cannot sign in any more.
const GRACE: Duration = Duration::from_secs(100);
const BETWEEN_RUNS: i64 = 10;

/// After this many runs in a row without a new token, runs are not killed until one stores it: the old
/// token would expire otherwise.
const MAX_RUNS_WITHOUT_RENEWAL: u32 = 7;

/// Each run renews the token and is killed at a random moment: before the request, before the
/// response, while the new token is written, or afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_survive_kills_during_renewal() {
    let fixture = Fixture::build(|builder| builder.refresh_token_grace(GRACE)).await;
    let mut settings = fixture.settings();
    settings["auth"] = json!({
        "type": "delegated",
        "clientId": PUBLIC_CLIENT_ID.to_string(),
        "refreshToken": "refresh-token",
    });
    let cli = Cli::with_stored_secrets(&settings, &[]);
    let mut login =
        cli.start_interactive(&["login", "--no-browser", "--callback", "http://localhost:0"]);
    let mut person = Person::open(&login.page()).await;
    person.sign_in("jonas@example.com", PASSWORD).await;
    person.submit("accept", &[]).await;
    login.wait().assert_available();

    // The duration of a whole run, to choose moments within it.
    let begun = Instant::now();
    cli.run(&["check"]).assert_available();
    let mut whole = begun.elapsed();

    let mut random = Random::new(7);
    let (mut killed, mut renewed, mut without_renewal) = (0, 0, 0);
    let mut last = cli.stored_secret("refresh-token").unwrap();
    for round in 0..3 * ROUNDS {
        if round >= ROUNDS && killed >= ROUNDS / 4 && renewed >= ROUNDS / 10 {
            break;
        }
        let mut child = cli.start(&["check"]);
        if without_renewal < MAX_RUNS_WITHOUT_RENEWAL {
            let share = u32::try_from(random.below(110)).unwrap();
            tokio::time::sleep(whole * share / 100).await;
            let early = child.try_wait().unwrap().is_none();
            if !early && share < 100 {
                // This run was faster than assumed.
                whole = whole * 19 / 20;
            }
            let _over = child.kill();
            RunOutput::of(child);
            killed += u32::from(early);
        } else {
            RunOutput::of(child).assert_available();
        }
        let stored = cli.stored_secret("refresh-token");
        let stored = stored.unwrap_or_else(|| panic!("round {round}: the token is missing"));
        if stored == last {
            without_renewal += 1;
        } else {
            renewed += 1;
            without_renewal = 0;
        }
        last = stored;
        fixture.emulator.clock().advance(BETWEEN_RUNS);
    }
    assert!(
        killed >= ROUNDS / 4,
        "only {killed} runs were killed before their end"
    );
    assert!(
        renewed >= ROUNDS / 10,
        "the token changed only {renewed} times"
    );
    cli.run(&["check"]).assert_available();
}
