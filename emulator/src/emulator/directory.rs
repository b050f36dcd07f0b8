//! The tenants, applications and people that every emulator knows.

use crate::{
    control::ControlError,
    entra::{Application, ClientSecret, Person, Platform, RedirectUri, Tenant},
    environment::Environment,
    ids::{
        CLIENT_ID, CLIENT_SECRET, OTHER_TENANT_DOMAIN, OTHER_TENANT_ID, PASSWORD, PUBLIC_CLIENT_ID,
        TENANT_DOMAIN, TENANT_ID,
    },
    org::Role,
    schema::metadata_id,
};

/// The tenant of the organization and another one.
pub(super) fn tenants(organization: &str) -> Vec<Tenant> {
    vec![
        Tenant {
            id: TENANT_ID,
            name: organization.to_owned(),
            domains: vec![TENANT_DOMAIN.to_owned()],
        },
        Tenant {
            id: OTHER_TENANT_ID,
            name: "Fabrikam".to_owned(),
            domains: vec![OTHER_TENANT_DOMAIN.to_owned()],
        },
    ]
}

/// Adds the applications and people of every directory.
pub(super) fn populate(environment: &Environment) -> Result<(), ControlError> {
    let redirect_uri = |uri: &str, platform| RedirectUri {
        uri: uri.to_owned(),
        platform,
    };
    let mut application = Application::new(CLIENT_ID, TENANT_ID, "Demonstration");
    application.secrets = vec![ClientSecret::new(CLIENT_SECRET)];
    application.redirect_uris = vec![
        redirect_uri("http://localhost", Platform::Web),
        redirect_uri("http://localhost/callback", Platform::Web),
    ];
    environment.register(application, Some(Role::SystemAdministrator))?;
    let mut public = Application::new(PUBLIC_CLIENT_ID, TENANT_ID, "Demonstration (public client)");
    public.public_client = true;
    public.multi_tenant = true;
    public.redirect_uris = vec![
        redirect_uri("http://localhost", Platform::Native),
        redirect_uri("http://localhost/callback", Platform::Native),
        redirect_uri("http://127.0.0.1", Platform::Native),
    ];
    environment.register(public, None)?;
    for person in environment.people_of_the_organization(PASSWORD)? {
        environment.entra.add_person(person);
    }
    let address = format!("visitor@{OTHER_TENANT_DOMAIN}");
    let id = metadata_id(&["person", &address]);
    let visitor = Person::new(id, OTHER_TENANT_ID, address, "Vera Visitor", PASSWORD);
    environment.entra.add_person(visitor);
    Ok(())
}
