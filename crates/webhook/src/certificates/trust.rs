//! The caBundle of the webhook configurations.

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig};
use kube::api::{ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, Resource};
use podsight_certificate::{Certificate, Stored, bundle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

/// By this annotation cert-manager is asked to fill in the caBundle: then it is not ours to change.
const INJECTED: &str = "cert-manager.io/inject-ca-from";

/// One webhook of a configuration that leads here.
struct Call {
    name: String,
    bundle: Vec<u8>,
}

/// A webhook configuration as it was at one moment.
pub(super) struct Configuration {
    version: String,
    calls: Vec<Call>,
    is_injected: bool,
}

/// Which webhooks of a configuration lead here.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) names: Vec<String>,
}

impl Address {
    fn is_led_to_by(&self, config: &WebhookClientConfig) -> bool {
        if let Some(service) = &config.service {
            return service.namespace == self.namespace && service.name == self.service;
        }
        let host = config.url.as_deref().and_then(|url| url.strip_prefix("https://")).and_then(|rest| rest.split(['/', ':']).next());
        host.is_some_and(|host| self.names.iter().any(|name| name == host))
    }
}

/// The configurations of one kind.
pub(super) struct Configurations<K> {
    api: Api<K>,
    name: String,
    address: Address,
}

/// A kind of webhook configuration.
pub(super) trait Kind: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize {
    fn calls(&self) -> Vec<(&str, &WebhookClientConfig)>;
}

impl Kind for ValidatingWebhookConfiguration {
    fn calls(&self) -> Vec<(&str, &WebhookClientConfig)> {
        self.webhooks.iter().flatten().map(|webhook| (webhook.name.as_str(), &webhook.client_config)).collect()
    }
}

impl Kind for MutatingWebhookConfiguration {
    fn calls(&self) -> Vec<(&str, &WebhookClientConfig)> {
        self.webhooks.iter().flatten().map(|webhook| (webhook.name.as_str(), &webhook.client_config)).collect()
    }
}

impl<K: Kind> Configurations<K> {
    pub(super) fn new(client: Client, name: &str, address: Address) -> Self {
        Self { api: Api::all(client), name: name.to_owned(), address }
    }

    /// Reads the configuration; `None` where there is none, or nothing in it leads here.
    pub(super) async fn get(&self) -> Result<Option<Configuration>, kube::Error> {
        let Some(object) = self.api.get_opt(&self.name).await? else { return Ok(None) };
        let calls: Vec<Call> = object
            .calls()
            .into_iter()
            .filter(|(_, config)| self.address.is_led_to_by(config))
            .map(|(name, config)| Call {
                name: name.to_owned(),
                bundle: config.ca_bundle.as_ref().map(|ByteString(bytes)| bytes.clone()).unwrap_or_default(),
            })
            .collect();
        let ObjectMeta { resource_version, annotations, .. } = object.meta();
        let is_injected = annotations.as_ref().is_some_and(|annotations| annotations.contains_key(INJECTED));
        let configuration = Configuration { version: resource_version.clone().unwrap_or_default(), calls, is_injected };
        Ok((!configuration.calls.is_empty()).then_some(configuration))
    }

    /// Puts what is stored into the caBundle, if the configuration is still as it was.
    pub(super) async fn trust(&self, was: &Configuration, stored: &Stored) -> Result<bool, kube::Error> {
        let right = stored.authorities_pem();
        if was.is_injected || stored.authorities.is_empty() || was.calls.iter().all(|call| call.bundle == right.as_bytes()) {
            return Ok(false);
        }
        let bundle = ByteString(right.into_bytes());
        let webhooks: Vec<_> = was.calls.iter().map(|call| json!({"name": call.name, "clientConfig": {"caBundle": bundle}})).collect();
        let patch = json!({"metadata": {"resourceVersion": was.version}, "webhooks": webhooks});
        let params = PatchParams { field_manager: Some("podsight-webhook".to_owned()), ..PatchParams::default() };
        match self.api.patch(&self.name, &params, &Patch::Strategic(patch)).await {
            Ok(_) => Ok(true),
            // Changed meanwhile: the next look sees how.
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Configuration {
    /// Whether somebody else fills in the caBundle.
    pub(super) fn is_injected(&self) -> bool {
        self.is_injected
    }

    /// What each call trusts.
    pub(super) fn bundles(&self) -> impl Iterator<Item = Vec<Certificate>> {
        self.calls.iter().map(|call| bundle(&call.bundle).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_here() {
        let address =
            Address { namespace: "a".to_owned(), service: "b".to_owned(), names: vec!["b.a.svc".to_owned(), "127.0.0.1".to_owned()] };
        let leads = |json: serde_json::Value| address.is_led_to_by(&serde_json::from_value(json).unwrap());
        assert!(leads(json!({"service": {"namespace": "a", "name": "b"}})));
        assert!(!leads(json!({"service": {"namespace": "a", "name": "c"}})));
        assert!(!leads(json!({"service": {"namespace": "c", "name": "b"}})));
        assert!(leads(json!({"url": "https://127.0.0.1:8443/validate"})));
        assert!(!leads(json!({"url": "https://127.0.0.2:8443/validate"})));
        assert!(!leads(json!({"url": "http://127.0.0.1"})));
        assert!(!leads(json!({})));
    }
}
