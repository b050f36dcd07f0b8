//! The tokens themselves: issued, counted and verified.

use std::sync::atomic::Ordering;

use serde::Serialize;
use uuid::Uuid;

use super::jwt::Verified;
use crate::{
    entra::{
        Application, Claims, Entra, Person, PersonClaims, Subject, TokenFault,
        directory::normal_origin,
        issued::Grant,
        place::Place,
        scope::{GRAPH, USER_IMPERSONATION},
    },
    schema::metadata_id,
};

impl Entra {
    /// Makes every access token issued so far count as expired.
    pub(crate) fn expire_tokens(&self) {
        let next = self.next_serial.load(Ordering::SeqCst);
        self.first_valid_serial.store(next, Ordering::SeqCst);
    }

    /// How many access tokens have been issued.
    pub(crate) fn tokens_issued(&self) -> u64 {
        self.next_serial.load(Ordering::SeqCst) - 1
    }

    /// Checks a bearer token for this organization.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        let Verified { claims } = self.signer.verify(token).ok_or(TokenFault::Invalid)?;
        let now = self.clock.now();
        if claims.serial() < self.first_valid_serial.load(Ordering::SeqCst) || claims.exp <= now {
            return Err(TokenFault::Expired);
        }
        if claims.nbf > now + 300 {
            return Err(TokenFault::Invalid);
        }
        let audience = normal_origin(&claims.aud);
        if !self.read(|directory| directory.resources.contains(&audience)) {
            return Err(TokenFault::Audience);
        }
        let speaks = match (&claims.idtyp, &claims.person) {
            (Subject::App, None) => true,
            (Subject::User, Some(person)) => person
                .scp
                .split(' ')
                .any(|permission| permission == USER_IMPERSONATION),
            _ => false,
        };
        if speaks {
            Ok(claims)
        } else {
            Err(TokenFault::Invalid)
        }
    }

    pub(in crate::entra) fn issue_to_application(
        &self,
        place: &Place<'_>,
        tenant: Uuid,
        application: &Application,
        audience: &str,
    ) -> String {
        self.issue(self.claims(place, tenant, application, audience))
    }

    pub(in crate::entra) fn issue_to_person(
        &self,
        place: &Place<'_>,
        application: &Application,
        person: &Person,
        grant: &Grant,
    ) -> String {
        let audience = &grant.requested.audience;
        let scope = if audience == GRAPH {
            "openid profile email"
        } else {
            USER_IMPERSONATION
        };
        self.issue(Claims {
            oid: person.id,
            sub: subject(application, person),
            idtyp: Subject::User,
            person: Some(PersonClaims {
                scp: scope.to_owned(),
                upn: person.user_principal_name.clone(),
                unique_name: person.user_principal_name.clone(),
                name: person.name.clone(),
                amr: methods(grant),
            }),
            ..self.claims(place, person.tenant, application, audience)
        })
    }

    /// The id token: tells the application who has signed in.
    pub(in crate::entra) fn id_token(
        &self,
        place: &Place<'_>,
        application: &Application,
        person: &Person,
        grant: &Grant,
    ) -> String {
        let now = self.clock.now();
        self.signer.sign(&IdClaims {
            aud: application.client_id,
            iss: place.id_issuer(person.tenant),
            iat: now,
            nbf: now,
            exp: now + self.settings().token_lifetime,
            auth_time: grant.signed_in,
            sub: subject(application, person),
            oid: person.id,
            tid: person.tenant,
            name: &person.name,
            preferred_username: &person.user_principal_name,
            upn: &person.user_principal_name,
            nonce: grant.nonce.as_deref(),
            ver: "2.0",
        })
    }

    /// The claims of every access token, with the application as subject.
    fn claims(
        &self,
        place: &Place<'_>,
        tenant: Uuid,
        application: &Application,
        audience: &str,
    ) -> Claims {
        let now = self.clock.now();
        Claims {
            aud: audience.to_owned(),
            iss: place.issuer(tenant),
            iat: now,
            nbf: now,
            exp: now + self.settings().token_lifetime,
            appid: application.client_id,
            azp: application.client_id,
            oid: application.object_id,
            sub: application.object_id.to_string(),
            tid: tenant,
            idtyp: Subject::App,
            person: None,
            uti: String::new(),
            ver: "1.0".to_owned(),
        }
    }

    fn issue(&self, mut claims: Claims) -> String {
        let serial = self.next_serial.fetch_add(1, Ordering::SeqCst);
        claims.uti = format!("{serial:016x}");
        self.signer.sign(&claims)
    }
}

/// The claims of an id token.
#[derive(Serialize)]
struct IdClaims<'a> {
    aud: Uuid,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    sub: String,
    oid: Uuid,
    tid: Uuid,
    name: &'a str,
    preferred_username: &'a str,
    upn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    ver: &'static str,
}

/// The person's name towards one application: another application sees another.
fn subject(application: &Application, person: &Person) -> String {
    let (application, person) = (application.client_id.to_string(), person.id.to_string());
    metadata_id(&["pairwise subject", &application, &person])
        .simple()
        .to_string()
}

/// How the person has signed in.
fn methods(grant: &Grant) -> Vec<String> {
    let mut methods = vec!["pwd".to_owned()];
    if grant.second_factor {
        methods.push("mfa".to_owned());
    }
    methods
}
