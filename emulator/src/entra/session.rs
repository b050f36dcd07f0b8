//! Browsers at the sign-in pages: who is signed in there, and what they are in the middle of.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Person,
    admin_consent::AdminConsent,
    authorize::Authorization,
    issued::opaque,
    place::{Dialect, Place},
};

/// How long a page waits for its form, in seconds.
const PATIENCE: i64 = 3_600;

/// A person signed in at a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) person: Uuid,
    /// The person's generation then.
    pub(super) generation: u64,
    /// When, in seconds since 1970.
    pub(super) at: i64,
    pub(super) second_factor: bool,
}

impl SignedIn {
    /// Whether it still counts for the person: nothing was revoked, nothing more is asked for.
    pub(super) fn holds_for(&self, person: &Person) -> bool {
        self.person == person.id
            && self.generation == person.generation
            && (self.second_factor || person.verification_code.is_none())
    }
}

/// What a browser came for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// A code for an application.
    Authorize(Authorization),
    /// An administrator's consent for everybody.
    AdminConsent(AdminConsent),
    /// To sign another device in; the code it shows, once typed in.
    Device(Option<String>),
}

/// How far the sign-in has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Whoever is signed in at the browser may be the one.
    Begun,
    /// The browser is to ask which of several accounts.
    Choosing,
    /// A name is to be typed in.
    Naming,
    /// The person's password is to be typed in.
    Password(Uuid),
    /// The password was right; a verification code is to follow.
    SecondFactor(Uuid),
    SignedIn(SignedIn),
}

/// One way through the pages, from the address that a browser opened to where it is sent back.
#[derive(Debug, Clone)]
pub(super) struct Interaction {
    /// The browser's cookie: another browser cannot go on with it.
    pub(super) session: String,
    /// Has to come back with every form.
    pub(super) canary: String,
    pub(super) dialect: Dialect,
    /// The first segment of the path, and the tenant it names.
    pub(super) name: String,
    pub(super) tenant: Option<Uuid>,
    pub(super) purpose: Purpose,
    pub(super) stage: Stage,
    /// Whether the person has agreed on the page.
    pub(super) agreed: bool,
    /// Whether the person has confirmed that the application on the device is meant.
    pub(super) confirmed: bool,
    began: i64,
}

impl Interaction {
    pub(super) fn new(session: &str, place: &Place<'_>, purpose: Purpose, now: i64) -> Self {
        Self {
            session: session.to_owned(),
            canary: opaque(),
            dialect: place.dialect,
            name: place.name.to_owned(),
            tenant: place.tenant,
            purpose,
            stage: Stage::Begun,
            agreed: false,
            confirmed: false,
            began: now,
        }
    }

    pub(super) fn place<'a>(&'a self, base: &'a str) -> Place<'a> {
        Place {
            base,
            dialect: self.dialect,
            name: &self.name,
            tenant: self.tenant,
        }
    }
}

/// Every browser and every interaction.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    browsers: HashMap<String, Vec<SignedIn>>,
    interactions: HashMap<String, Interaction>,
}

impl Sessions {
    /// Who is signed in at a browser.
    pub(super) fn signed_in(&self, session: &str) -> Vec<SignedIn> {
        self.browsers.get(session).cloned().unwrap_or_default()
    }

    pub(super) fn sign_in(&mut self, session: &str, who: SignedIn) {
        let browser = self.browsers.entry(session.to_owned()).or_default();
        browser.retain(|known| known.person != who.person);
        browser.push(who);
    }

    /// Keeps an interaction until its next form; returns the name it is found by.
    pub(super) fn keep(&mut self, interaction: Interaction, now: i64) -> String {
        self.interactions
            .retain(|_, known| known.began + PATIENCE > now);
        let name = opaque();
        self.interactions.insert(name.clone(), interaction);
        name
    }

    /// Takes an interaction out, for the browser and the form it belongs to.
    pub(super) fn take(
        &mut self,
        name: &str,
        session: Option<&str>,
        canary: Option<&str>,
    ) -> Option<Interaction> {
        let known = self.interactions.get(name)?;
        let belongs =
            session == Some(known.session.as_str()) && canary == Some(known.canary.as_str());
        if belongs {
            self.interactions.remove(name)
        } else {
            None
        }
    }
}
