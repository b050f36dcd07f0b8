//! Names of people, companies and places that look real and are fictitious.
//!
//! Web and mail addresses end in `.example`, which no one can own (RFC 2606).

use super::random::Random;

#[rustfmt::skip]
const FIRST: [&str; 64] = [
    "Aaliyah", "Agnieszka", "Åsa", "Bao", "Beatriz", "Benjamin", "Björn", "Carlos", "Chiara",
    "Chloé", "Daniel", "Dmitri", "Ebba", "Elif", "Emma", "Ewa", "Fatima", "François", "Freya",
    "Gabriel", "Grace", "Hannah", "Haruto", "Hugo", "Ingrid", "Isla", "Jakub", "James", "João",
    "Jürgen", "Katarzyna", "Kofi", "Lars", "Leila", "Liam", "Lucía", "Łukasz", "Maëlle", "Marta",
    "Mateo", "Mei", "Mohammed", "Nadia", "Niamh", "Noor", "Olga", "Oliver", "Ömer", "Paula",
    "Priya", "Rahul", "Renée", "Sakura", "Samuel", "Sofía", "Søren", "Thandiwe", "Tomás", "Ülle",
    "Valentina", "William", "Yuki", "Zoë", "Željka",
];

#[rustfmt::skip]
const LAST: [&str; 64] = [
    "Abe", "Adeyemi", "Almeida", "Andersson", "Bauer", "Bennett", "Bergström", "Brown", "Chen",
    "Clarke", "Costa", "Çelik", "Díaz", "Dubois", "Eriksen", "Evans", "Fernández", "Fischer",
    "Garcia", "González", "Gupta", "Hall", "Hansen", "Hughes", "Ito", "Ivanova", "Jansen",
    "Johnson", "Jørgensen", "Kaya", "Kelly", "Khan", "Kowalska", "Kumar", "Lefèvre", "López",
    "Martin", "Mbeki", "Moreau", "Müller", "Nakamura", "Nguyen", "Nowak", "Núñez", "O'Brien",
    "Okafor", "Olsen", "Papadopoulou", "Patel", "Petrov", "Rossi", "Sato", "Schäfer", "Silva",
    "Smith", "Szabó", "Taylor", "Tremblay", "van Dijk", "Weber", "Williams", "Wójcik", "Yılmaz",
    "Žukauskas",
];

#[rustfmt::skip]
const COMPANY_FIRST: [&str; 48] = [
    "Alder", "Amber", "Anchor", "Arctic", "Atlas", "Beacon", "Birch", "Blue Harbour", "Boreal",
    "Bright", "Cardinal", "Cedar", "Clearwater", "Cobalt", "Copper", "Crescent", "Delta", "Ember",
    "Évian Sud", "Falcon", "Fjord", "Garnet", "Granite", "Grün", "Halcyon", "Heron", "Highland",
    "Indigo", "Juniper", "Keystone", "Lark", "Lumen", "Maple", "Meridian", "Nordlys", "Northwind",
    "Oakfield", "Orchid", "Peregrine", "Quarry", "Redwood", "Río Claro", "Saffron", "Sequoia",
    "Silver Birch", "Summit", "Tidal", "Vértice",
];

#[rustfmt::skip]
const COMPANY_SECOND: [&str; 32] = [
    "Analytics", "Biologics", "Bridge", "Capital", "Cargo", "Components", "Consulting", "Dynamics",
    "Energy", "Engineering", "Foods", "Freight", "Health", "Holdings", "Industries", "Instruments",
    "Interiors", "Laboratories", "Logistics", "Manufacturing", "Materials", "Media", "Networks",
    "Partners", "Precision", "Robotics", "Services", "Solutions", "Steel", "Systems", "Textiles",
    "Works",
];

const COMPANY_FORM: [&str; 8] = ["Ltd", "Inc.", "GmbH", "S.A.", "AB", "LLC", "plc", "Group"];

#[rustfmt::skip]
const STREETS: [&str; 24] = [
    "Acacia Avenue", "Bahnhofstraße", "Calle Mayor", "Canal Street", "Church Lane", "Dock Road",
    "Elm Street", "Færgevej", "Gardner Street", "Harbour Road", "High Street", "Industrial Way",
    "King's Parade", "Long Acre", "Main Street", "Mill Lane", "Orchard Close", "Park Avenue",
    "Queen Street", "Rue de l'Église", "Station Road", "The Crescent", "Victoria Road",
    "Wharf Lane",
];

/// A town, with what addresses in it have in common.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Town {
    /// Name of the town.
    pub(crate) city: &'static str,
    /// State or province, empty where none is usual.
    pub(crate) region: &'static str,
    /// Name of the country.
    pub(crate) country: &'static str,
    /// International dialling code.
    pub(crate) dial: &'static str,
    /// Degrees north and east.
    pub(crate) position: (f64, f64),
}

const fn town(
    city: &'static str,
    region: &'static str,
    country: &'static str,
    dial: &'static str,
    position: (f64, f64),
) -> Town {
    Town {
        city,
        region,
        country,
        dial,
        position,
    }
}

#[rustfmt::skip]
const TOWNS: [Town; 24] = [
    town("Aarhus", "", "Denmark", "45", (56.163, 10.203)),
    town("Antwerpen", "", "Belgium", "32", (51.219, 4.402)),
    town("Austin", "TX", "United States", "1", (30.267, -97.743)),
    town("Bristol", "", "United Kingdom", "44", (51.454, -2.588)),
    town("Cork", "", "Ireland", "353", (51.898, -8.476)),
    town("Denver", "CO", "United States", "1", (39.739, -104.99)),
    town("Düsseldorf", "Nordrhein-Westfalen", "Germany", "49", (51.228, 6.773)),
    town("Göteborg", "", "Sweden", "46", (57.709, 11.975)),
    town("Kraków", "", "Poland", "48", (50.065, 19.945)),
    town("Leeds", "", "United Kingdom", "44", (53.801, -1.549)),
    town("Lyon", "", "France", "33", (45.764, 4.836)),
    town("Málaga", "Andalucía", "Spain", "34", (36.721, -4.421)),
    town("Malmö", "", "Sweden", "46", (55.605, 13.004)),
    town("Montréal", "Québec", "Canada", "1", (45.502, -73.567)),
    town("München", "Bayern", "Germany", "49", (48.135, 11.582)),
    town("Nantes", "", "France", "33", (47.218, -1.554)),
    town("Portland", "OR", "United States", "1", (45.515, -122.678)),
    town("Porto", "", "Portugal", "351", (41.158, -8.629)),
    town("Raleigh", "NC", "United States", "1", (35.78, -78.639)),
    town("São Paulo", "SP", "Brazil", "55", (-23.551, -46.633)),
    town("Tampere", "", "Finland", "358", (61.498, 23.761)),
    town("Torino", "", "Italy", "39", (45.07, 7.687)),
    town("Utrecht", "", "Netherlands", "31", (52.091, 5.122)),
    town("Zürich", "ZH", "Switzerland", "41", (47.377, 8.542)),
];

/// A given name.
pub(crate) fn first_name(random: &mut Random) -> &'static str {
    random.pick(&FIRST)
}

/// A family name.
pub(crate) fn last_name(random: &mut Random) -> &'static str {
    random.pick(&LAST)
}

/// A company's name.
pub(crate) fn company(random: &mut Random) -> String {
    let (first, second) = (random.pick(&COMPANY_FIRST), random.pick(&COMPANY_SECOND));
    format!("{first} {second} {}", random.pick(&COMPANY_FORM))
}

/// A street with a house number.
pub(crate) fn street(random: &mut Random) -> String {
    let street = random.pick(&STREETS);
    format!("{} {street}", random.between(1, 240))
}

/// A town anywhere.
pub(crate) fn any_town(random: &mut Random) -> Town {
    random.pick(&TOWNS)
}

/// A town of this country, or anywhere if the country is not known.
pub(crate) fn town_of(country: &str, random: &mut Random) -> Town {
    let count = TOWNS.iter().filter(|town| town.country == country).count();
    if count == 0 {
        return any_town(random);
    }
    let position = usize::try_from(random.below(count as u64)).unwrap_or(0);
    TOWNS
        .iter()
        .filter(|town| town.country == country)
        .nth(position)
        .copied()
        .unwrap_or_default()
}

/// A telephone number with this dialling code, from the ranges kept for drama where there are any.
pub(crate) fn phone(dial: &str, random: &mut Random) -> String {
    match dial {
        "44" => format!("+44 20 7946 {:04}", random.below(1_000)),
        "1" => format!(
            "+1 {} 555 01{:02}",
            random.between(201, 989),
            random.below(100)
        ),
        _ => format!(
            "+{dial} 555 {:03} {:03}",
            random.below(1_000),
            random.below(1_000)
        ),
    }
}

/// A text as a part of a web or mail address: lower case, no accents, no spaces.
pub(crate) fn address_part(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => part.push(c),
            'á' | 'à' | 'ã' | 'å' | 'ä' => part.push('a'),
            'æ' => part.push_str("ae"),
            'ç' => part.push('c'),
            'é' | 'è' | 'ê' | 'ë' => part.push('e'),
            'í' | 'ı' => part.push('i'),
            'ł' => part.push('l'),
            'ñ' => part.push('n'),
            'ó' | 'ò' | 'ö' | 'ø' | 'õ' => part.push('o'),
            'ú' | 'ü' => part.push('u'),
            'ž' => part.push('z'),
            'ß' => part.push_str("ss"),
            _ => {}
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_valid_address() {
        for name in FIRST.iter().chain(&LAST).chain(&COMPANY_FIRST) {
            let part = address_part(name);
            let letters = name.chars().filter(|c| c.is_alphabetic()).count();
            assert!(
                part.is_ascii() && part.len() >= letters,
                "{name} became {part}"
            );
        }
    }

    #[test]
    fn towns_follow_the_country() {
        let mut random = Random::for_text("x");
        for _ in 0..20 {
            assert_eq!(
                town_of("United Kingdom", &mut random).country,
                "United Kingdom"
            );
        }
        assert!(!town_of("Atlantis", &mut random).city.is_empty());
    }
}
