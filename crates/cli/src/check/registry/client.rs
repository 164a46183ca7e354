//! Talks to registries: a manifest, and a token where one is demanded.

use super::Asked;
use super::answer::{self, Challenge, Manifest, Place};
use super::credentials::{Credentials, Login};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podsight_rules::ImageAnswer;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// One request takes no longer, redirects included.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A manifest or a configuration is not larger (4 MiB is what registries take).
const LARGEST: u64 = 4 << 20;

/// A client with the user's credentials and the machine's certificates.
pub(super) struct Client {
    agent: Agent,
    credentials: Credentials,
    /// The header for a registry and repository that has demanded one.
    authorizations: Mutex<HashMap<(String, String), String>>,
}

impl Client {
    pub(super) fn new(credentials: Credentials) -> Self {
        let certificates = rustls_native_certs::load_native_certs().certs;
        let certificates: Vec<Certificate<'static>> = certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates)).unversioned_rustls_crypto_provider(provider).build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(5)
            .user_agent(concat!("podsight/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self { agent: Agent::new_with_config(config), credentials, authorizations: Mutex::default() }
    }

    /// Whether the image exists, and for which platforms.
    pub(super) fn ask(&self, image: &str) -> Asked {
        let Some(place) = answer::place(image) else { return Err("its name cannot be read".to_owned()) };
        let mut response = self.get(&place, &format!("manifests/{}", place.reference))?;
        let status = response.status().as_u16();
        let body = body(&mut response)?;
        match status {
            200 => {}
            404 if answer::says_absent(&body) => return Ok(ImageAnswer::Absent),
            404 => return Err(format!("{} answers 404, but not as a registry does", place.registry)),
            401 | 403 => return Err(format!("{} does not let us look (HTTP {status})", place.registry)),
            429 => return Err(format!("{} wants fewer questions (HTTP 429)", place.registry)),
            _ => return Err(format!("{} answers HTTP {status}", place.registry)),
        }
        let platforms = match answer::manifest(&body) {
            Manifest::Platforms(platforms) => platforms,
            // That the image is there is known, whatever becomes of its configuration.
            Manifest::Config(digest) => self.platform(&place, &digest).into_iter().collect(),
            Manifest::Unknown => Vec::new(),
        };
        Ok(ImageAnswer::Present { platforms })
    }

    fn platform(&self, place: &Place, digest: &str) -> Option<String> {
        let mut response = self.get(place, &format!("blobs/{digest}")).ok().filter(|response| response.status().as_u16() == 200)?;
        answer::platform(&serde_json::from_slice(&body(&mut response).ok()?).ok()?)
    }

    /// Gets something of a repository, with a token where the registry demands one.
    fn get(&self, place: &Place, what: &str) -> Result<Response<Body>, String> {
        let key = (place.registry.clone(), place.repository.clone());
        let known = self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let response = self.try_get(place, what, known.as_deref())?;
        if response.status().as_u16() != 401 || known.is_some() {
            return Ok(response);
        }
        let Some(authorization) = self.authorization(place, &response)? else { return Ok(response) };
        let response = self.try_get(place, what, Some(&authorization))?;
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).insert(key, authorization);
        Ok(response)
    }

    fn try_get(&self, place: &Place, what: &str, authorization: Option<&str>) -> Result<Response<Body>, String> {
        let url = format!("{}/v2/{}/{what}", place.base, place.repository);
        let mut request = self.agent.get(url).header("Accept", answer::ACCEPT);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        request.call().map_err(|error| format!("{} cannot be asked: {error}", place.registry))
    }

    /// The header that the registry demands: a token, or the password itself.
    fn authorization(&self, place: &Place, response: &Response<Body>) -> Result<Option<String>, String> {
        let login = self.credentials.of(&place.registry);
        let demands = response.headers().get_all("www-authenticate");
        let demands: Vec<&str> = demands.iter().filter_map(|demand| demand.to_str().ok()).collect();
        let Some(challenge) = demands.iter().copied().find_map(answer::challenge) else {
            let basic = demands.iter().any(|demand| demand.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")));
            return Ok(match login {
                Some(Login::Password { user, password }) if basic => Some(basic_header(&user, &password)),
                _ => None,
            });
        };
        self.token(place, &challenge, login.as_ref()).map(Some)
    }

    /// A token as docs/spec/auth of github.com/distribution/distribution describes it.
    fn token(&self, place: &Place, challenge: &Challenge, login: Option<&Login>) -> Result<String, String> {
        let plain = challenge
            .realm
            .strip_prefix("http://")
            .is_some_and(|rest| !answer::is_this_machine(rest.split('/').next().unwrap_or_default()));
        if plain || !challenge.realm.starts_with("http") {
            return Err(format!("{} wants a token from an address that is not safe", place.registry));
        }
        let scope = challenge.scope.clone().unwrap_or_else(|| format!("repository:{}:pull", place.repository));
        let service = challenge.service.clone().unwrap_or_default();
        let failed = |error: ureq::Error| format!("{} names a place for tokens that cannot be asked: {error}", place.registry);
        let mut response = if let Some(Login::Identity(token)) = login {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("service", &service),
                ("scope", &scope),
                ("client_id", "podsight"),
            ];
            self.agent.post(&challenge.realm).send_form(form).map_err(failed)?
        } else {
            let mut request = self.agent.get(&challenge.realm).query("service", &service).query("scope", &scope);
            if let Some(Login::Password { user, password }) = login {
                request = request.header("Authorization", basic_header(user, password));
            }
            request.call().map_err(failed)?
        };
        let status = response.status().as_u16();
        if status != 200 {
            return Err(format!("{} does not let us look (HTTP {status} for a token)", place.registry));
        }
        let answer: Value = serde_json::from_slice(&body(&mut response)?).map_err(|_| format!("{} gives no token", place.registry))?;
        let token = ["token", "access_token"].iter().find_map(|field| answer.get(field).and_then(Value::as_str));
        token.map(|token| format!("Bearer {token}")).ok_or_else(|| format!("{} gives no token", place.registry))
    }
}

fn body(response: &mut Response<Body>) -> Result<Vec<u8>, String> {
    response.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|error| format!("the answer cannot be read: {error}"))
}

fn basic_header(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
