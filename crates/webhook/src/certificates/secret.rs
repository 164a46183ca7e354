//! The Secret with the authority and the certificate.

use super::issue::public_key;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use podsight_certificate::{AUTHORITIES, AUTHORITY_KEY, LEAF, LEAF_KEY, Stored};
use serde_json::json;

/// The type of the Secret, which nobody can change. One of another type is somebody else's, and never touched.
const TYPE: &str = "podsight.dev/certificates";
/// The name under which fields are written.
const MANAGER: &str = "podsight-webhook";

/// What the Secret holds, each part in PEM and empty where it is absent.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Material {
    pub(super) authorities: String,
    pub(super) authority_key: String,
    pub(super) leaf: String,
    pub(super) leaf_key: String,
}

impl Material {
    fn of(secret: &Secret) -> Self {
        let part = |key: &str| {
            let bytes = secret.data.as_ref().and_then(|data| data.get(key)).map(|ByteString(bytes)| bytes.as_slice());
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        };
        Self { authorities: part(AUTHORITIES), authority_key: part(AUTHORITY_KEY), leaf: part(LEAF), leaf_key: part(LEAF_KEY) }
    }

    pub(super) fn read(&self) -> Stored {
        let (authority_key, leaf_key) = (public_key(&self.authority_key), public_key(&self.leaf_key));
        Stored::read(self.authorities.as_bytes(), self.leaf.as_bytes(), authority_key.as_deref(), leaf_key.as_deref())
    }
}

/// The Secret as it was at one moment.
pub(super) struct Version {
    pub(super) material: Material,
    number: String,
}

/// What stands at the Secret's name.
pub(super) enum Found {
    Ours(Version),
    SomebodyElses,
}

/// The one Secret.
pub(super) struct SecretStore {
    api: Api<Secret>,
    name: String,
}

impl SecretStore {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned() }
    }

    /// Reads the Secret; makes an empty one where there is none.
    pub(super) async fn get(&self) -> Result<Found, kube::Error> {
        let secret = match self.api.get_opt(&self.name).await? {
            Some(secret) => secret,
            None => self.create().await?,
        };
        if secret.type_.as_deref() != Some(TYPE) {
            return Ok(Found::SomebodyElses);
        }
        let number = secret.metadata.resource_version.clone().unwrap_or_default();
        Ok(Found::Ours(Version { material: Material::of(&secret), number }))
    }

    /// Of several replicas each may do this: it changes nothing where another was faster. A Secret of another type that comes between is
    /// refused by the API server, for the type cannot be changed.
    async fn create(&self) -> Result<Secret, kube::Error> {
        let labels = json!({"app.kubernetes.io/name": "podsight", "app.kubernetes.io/component": "webhook", "app.kubernetes.io/part-of": "podsight"});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": TYPE, "metadata": {"name": self.name, "labels": labels}});
        self.api.patch(&self.name, &PatchParams::apply(MANAGER), &Patch::Apply(secret)).await
    }

    /// Writes it all, if the Secret is still as it was; false if it is not.
    pub(super) async fn write(&self, was: &Version, material: &Material) -> Result<bool, kube::Error> {
        let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
        let patch = json!({"metadata": {"resourceVersion": was.number}, "data": {
            AUTHORITIES: bytes(&material.authorities), AUTHORITY_KEY: bytes(&material.authority_key),
            LEAF: bytes(&material.leaf), LEAF_KEY: bytes(&material.leaf_key)}});
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        match self.api.patch(&self.name, &params, &Patch::Merge(patch)).await {
            Ok(_) => Ok(true),
            // Changed by another replica, or deleted.
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(false),
            Err(error) => Err(error),
        }
    }
}
