//! One kind, listed once: for a program that looks and ends.

use super::follow::{METADATA_PAGE, MOST_BYTES, PAGE};
use super::seen::{Seen, SeenMetadata};
use kube::api::{ListParams, Resource};
use kube::{Api, Client, Error};
use podsight_cluster::{Cluster, Kind, Object, Table};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Lists a kind. Of one that may not be listed, or that has too many objects to be kept, nothing is known.
pub(crate) async fn list(client: &Client, cluster: &Cluster, kind: Kind) -> Result<(), Error> {
    let table = if kind.is_told_by_metadata() {
        pages::<SeenMetadata>(client, kind, METADATA_PAGE, |seen| &seen.0).await
    } else {
        pages::<Seen>(client, kind, PAGE, |seen| seen).await
    };
    match table {
        Ok(Some(table)) => cluster.put(kind, table),
        Ok(None) => tracing::warn!(kind = kind.plural(), "There are too many of these to keep, so nothing is said about them."),
        Err(Error::Api(status)) if matches!(status.code, 401 | 403 | 404) => {
            tracing::info!(kind = kind.plural(), "May not list these, so nothing is said about them.");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn pages<K>(client: &Client, kind: Kind, page: u32, seen: impl Fn(&K) -> &Seen) -> Result<Option<Table>, Error>
where
    K: Resource<DynamicType = Kind> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::all_with(client.clone(), &kind);
    let mut table = Table::complete();
    let mut parameters = ListParams::default().limit(page);
    loop {
        let list = api.list(&parameters).await?;
        for object in list.items.iter().filter_map(|object| Object::of(kind, &seen(object).value)) {
            table.insert(object);
        }
        if table.weight() > MOST_BYTES {
            return Ok(None);
        }
        match list.metadata.continue_ {
            Some(token) if !token.is_empty() => parameters = parameters.continue_token(&token),
            _ => return Ok(Some(table)),
        }
    }
}
