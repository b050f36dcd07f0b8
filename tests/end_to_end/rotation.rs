//! A refresh token is never lost, whenever the program is killed.

use std::time::{Duration, Instant};

use dataverse_emulator::{PASSWORD, PUBLIC_CLIENT_ID};
use dataverse_tests::{Cli, Ended, Person, Random, Stand};
use serde_json::json;

const ROUNDS: u32 = 100;

/// How long a token that has a successor is still good, and how much time passes between two runs:
/// a token that is not replaced soon after its renewal is refused.
const GRACE: Duration = Duration::from_secs(100);
const BETWEEN_RUNS: i64 = 10;

/// After so many runs in a row that left the token as it was, runs are let end until one replaces it:
/// a program that is always killed in the middle could not keep a token beyond its grace.
const MOST_FRUITLESS_RUNS: u32 = 7;

/// Every run renews the token and is killed at some moment: before it asks, while it is answered,
/// while the new token is written, or afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_renewals_under_kills_lose_nothing() {
    let stand = Stand::with(|builder| builder.refresh_token_grace(GRACE)).await;
    let mut settings = stand.settings();
    settings["auth"] = json!({
        "type": "delegated",
        "clientId": PUBLIC_CLIENT_ID.to_string(),
        "refreshToken": "refresh-token",
    });
    let cli = Cli::with_kept_secrets(&settings, &[]);
    let mut login = cli.listen(&["login", "--no-browser", "--callback", "http://localhost:0"]);
    let mut person = Person::opening(&login.page()).await;
    person.sign_in("jonas@example.com", PASSWORD).await;
    person.press("accept", &[]).await;
    login.ended().found_available();

    // How long an undisturbed run takes says when to kill one.
    let begun = Instant::now();
    cli.run(&["check"]).found_available();
    let mut whole = begun.elapsed();

    let mut random = Random::new(7);
    let (mut killed, mut renewed, mut fruitless) = (0, 0, 0);
    let mut last = cli.kept("refresh-token").unwrap();
    for round in 0..3 * ROUNDS {
        if round >= ROUNDS && killed >= ROUNDS / 4 && renewed >= ROUNDS / 10 {
            break;
        }
        let mut child = cli.start(&["check"]);
        if fruitless < MOST_FRUITLESS_RUNS {
            let share = u32::try_from(random.below(110)).unwrap();
            tokio::time::sleep(whole * share / 100).await;
            let early = child.try_wait().unwrap().is_none();
            if !early && share < 100 {
                // The first run was slower than this one.
                whole = whole * 19 / 20;
            }
            let _over = child.kill();
            Ended::of(child);
            killed += u32::from(early);
        } else {
            Ended::of(child).found_available();
        }
        let kept = cli.kept("refresh-token");
        let kept = kept.unwrap_or_else(|| panic!("round {round}: the token is gone"));
        if kept == last {
            fruitless += 1;
        } else {
            renewed += 1;
            fruitless = 0;
        }
        last = kept;
        stand.emulator.clock().advance(BETWEEN_RUNS);
    }
    assert!(
        killed >= ROUNDS / 4,
        "only {killed} runs were killed in the middle"
    );
    assert!(
        renewed >= ROUNDS / 10,
        "the token changed only {renewed} times"
    );
    cli.run(&["check"]).found_available();
}
