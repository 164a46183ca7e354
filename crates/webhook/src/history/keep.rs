//! The history in an object of its own, for the time after a restart and after the pods' deletion.
//!
//! The object is there from the installation on and is only ever updated, so that no right to create one is needed.

use super::SharedHistory;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client, Error};
use podsight_history::{CONFIG_MAP as NAME, CONFIG_MAP_KEY as KEY, History, ReadError};
use podsight_runtime::clock::unix_seconds;
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// When somebody else wrote meanwhile, so often it is tried again.
const MAX_TRIES: usize = 4;
/// A request that takes longer is given up and tried again later.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Why the history could not be kept.
#[derive(Debug, Error)]
pub(super) enum KeepError {
    /// The API server refused.
    #[error("failed to {0} the ConfigMap {NAME}")]
    Api(&'static str, #[source] Error),
    /// No answer.
    #[error("the API server did not answer in time when asked to {0} the ConfigMap {NAME}")]
    Late(&'static str),
    /// Other replicas were always faster.
    #[error("others wrote the ConfigMap {NAME} {MAX_TRIES} times in a row")]
    Contended,
    /// It was written by a later release, which is not to be overwritten.
    #[error("left the ConfigMap {NAME} as it is")]
    Foreign(#[source] ReadError),
}

/// The object that holds the history.
pub(super) struct Keeper {
    api: Api<ConfigMap>,
}

impl Keeper {
    pub(super) fn new(client: Client) -> Self {
        Self { api: Api::default_namespaced(client) }
    }

    /// Learns what is kept.
    pub(super) async fn load(&self, history: &SharedHistory) -> Result<(), KeepError> {
        let (_, stored) = self.get().await?;
        history.merge(&stored);
        history.forget(unix_seconds());
        Ok(())
    }

    /// Keeps what is known and learns what others kept. Where that is the same, nothing is written.
    pub(super) async fn save(&self, history: &SharedHistory) -> Result<(), KeepError> {
        for _ in 0..MAX_TRIES {
            let (mut object, stored) = self.get().await?;
            history.merge(&stored);
            history.forget(unix_seconds());
            let text = podsight_history::write(&history.copy());
            let data = object.data.get_or_insert_with(BTreeMap::new);
            if data.get(KEY) == Some(&text) {
                return Ok(());
            }
            data.insert(KEY.to_owned(), text);
            // The resource version goes with it: who wrote meanwhile is not overwritten.
            let parameters = PostParams::default();
            let replace = self.api.replace(NAME, &parameters, &object);
            match timeout(TIMEOUT, replace).await.map_err(|_| KeepError::Late("update"))? {
                Ok(_) => return Ok(()),
                Err(Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(KeepError::Api("update", error)),
            }
        }
        Err(KeepError::Contended)
    }

    async fn get(&self) -> Result<(ConfigMap, History), KeepError> {
        let object = timeout(TIMEOUT, self.api.get(NAME)).await.map_err(|_| KeepError::Late("get"))?;
        let mut object = object.map_err(|error| KeepError::Api("get", error))?;
        // Larger than the text, and never needed.
        object.metadata.managed_fields = None;
        let text = object.data.as_ref().and_then(|data| data.get(KEY)).map(String::as_str).unwrap_or_default();
        let history = match podsight_history::read(text) {
            Ok(history) => history,
            Err(error @ ReadError::Version(_)) => return Err(KeepError::Foreign(error)),
            Err(error) => {
                if !text.is_empty() {
                    tracing::warn!(error = &error as &dyn std::error::Error, "Passed over a history that makes no sense.");
                }
                History::default()
            }
        };
        Ok((object, history))
    }
}
