//! Sentences for descriptions and notes.

use crate::seed::random::Random;

const SENTENCES: [&str; 20] = [
    "Asked for references from companies of a similar size.",
    "Budget is approved for the coming quarter.",
    "Decision expected after the board meets in spring.",
    "Der Vertrag läuft zum Jahresende aus; eine Verlängerung ist möglich.",
    "El equipo de compras pidió una segunda oferta.",
    "Follow up with the head of procurement.",
    "Has been a customer of a competitor for six years.",
    "La directrice financière préfère un paiement à 45 jours.",
    "Legal review of the data processing agreement is under way.",
    "Letter of intent signed – see the attached file.",
    "Met at the trade fair in München, hall 4.",
    "Needs the offer in “plain figures”, without bundles.",
    "No answer on two calls; try again in the morning.",
    "Offene Fragen zur Schnittstelle sind geklärt.",
    "Quality of master data is an issue: 12 % of addresses are out of date.",
    "Requires delivery to three sites\tand one central invoice.",
    "Uses \"Quotes\", back\\slashes & <tags> in every order text.",
    "Wants to start with a pilot in one region.",
    "Zahlungsziel 30 Tage, 2 % Skonto.",
    "東京の支社も参加を希望しています。😀",
];

/// This many sentences, with a line break after every fourth.
pub(super) fn sentences(count: u64, random: &mut Random) -> String {
    let mut text = String::new();
    for at in 0..count {
        if at > 0 {
            text.push_str(if at % 4 == 0 { "\r\n" } else { " " });
        }
        text.push_str(random.pick(&SENTENCES));
    }
    text
}
