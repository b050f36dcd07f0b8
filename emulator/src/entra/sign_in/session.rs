//! Browsers at the sign-in pages: who is signed in, and the interactions in progress.

use std::collections::HashMap;

use uuid::Uuid;

use super::{admin_consent::AdminConsent, authorize::Authorization, signed_in::SignedIn};
use crate::entra::{
    issued::opaque,
    place::{Dialect, Place},
};

/// How long a page waits for its form, in seconds.
const INTERACTION_LIFETIME: i64 = 3_600;

/// The purpose of an interaction.
#[derive(Debug, Clone)]
pub(in crate::entra) enum Purpose {
    /// A code for an application.
    Authorize(Authorization),
    /// An administrator's consent for the tenant.
    AdminConsent(AdminConsent),
    /// To sign another device in; the code it shows, once typed in.
    Device(Option<String>),
}

/// How far the sign-in has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::entra) enum Stage {
    /// Nothing is known yet; a person who is signed in may continue.
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
pub(in crate::entra) struct Interaction {
    /// The browser's cookie: another browser cannot continue it.
    pub(in crate::entra) session: String,
    /// Must be submitted with every form.
    pub(in crate::entra) canary: String,
    pub(in crate::entra) dialect: Dialect,
    /// The first segment of the path, and the tenant it names.
    pub(in crate::entra) name: String,
    pub(in crate::entra) tenant: Option<Uuid>,
    pub(in crate::entra) purpose: Purpose,
    pub(in crate::entra) stage: Stage,
    /// Whether the person has agreed on the page.
    pub(in crate::entra) agreed: bool,
    /// Whether the person has confirmed that the application on the device is meant.
    pub(in crate::entra) confirmed: bool,
    began: i64,
}

impl Interaction {
    pub(in crate::entra) fn new(
        session: &str,
        place: &Place<'_>,
        purpose: Purpose,
        now: i64,
    ) -> Self {
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

    pub(in crate::entra) fn place<'a>(&'a self, base: &'a str) -> Place<'a> {
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
pub(in crate::entra) struct Sessions {
    browsers: HashMap<String, Vec<SignedIn>>,
    interactions: HashMap<String, Interaction>,
}

impl Sessions {
    /// Who is signed in at a browser.
    pub(in crate::entra) fn signed_in(&self, session: &str) -> Vec<SignedIn> {
        self.browsers.get(session).cloned().unwrap_or_default()
    }

    pub(in crate::entra) fn sign_in(&mut self, session: &str, who: SignedIn) {
        let browser = self.browsers.entry(session.to_owned()).or_default();
        browser.retain(|known| known.person != who.person);
        browser.push(who);
    }

    /// Keeps an interaction until its next form; returns the name it is found by.
    pub(in crate::entra) fn keep(&mut self, interaction: Interaction, now: i64) -> String {
        self.interactions
            .retain(|_, known| known.began + INTERACTION_LIFETIME > now);
        let name = opaque();
        self.interactions.insert(name.clone(), interaction);
        name
    }

    /// Removes and returns an interaction, for its browser and its form.
    pub(in crate::entra) fn take(
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
