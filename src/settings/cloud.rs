//! The clouds of Microsoft and their authorities (reference 1.3).

use super::EnvironmentUrl;

/// The authorities of the clouds (reference 1.3).
pub(in crate::settings) const PUBLIC: &str = "https://login.microsoftonline.com";
pub(in crate::settings) const US_GOVERNMENT: &str = "https://login.microsoftonline.us";
pub(in crate::settings) const CHINA: &str = "https://login.partner.microsoftonline.cn";

/// Which cloud an environment's host name belongs to. GCC (`crm9`) signs in at the public one.
const CLOUDS: [(&str, &str); 4] = [
    (".microsoftdynamics.us", US_GOVERNMENT),
    (".appsplatform.us", US_GOVERNMENT),
    (".dynamics.cn", CHINA),
    (".dynamics.com", PUBLIC),
];

/// The authority of the environment's cloud, if its host name shows that one.
pub(crate) fn cloud_authority(environment: &EnvironmentUrl) -> Option<&'static str> {
    let host = environment.url().host_str()?;
    CLOUDS
        .into_iter()
        .find_map(|(suffix, authority)| host.ends_with(suffix).then_some(authority))
}
