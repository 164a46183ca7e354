//! The API server's own Table, with the objects that it is made from.

use anyhow::{Context as _, Result};
use axum::http::Request;
use podsight_explain::status::{ServerVersion, columns};
use podsight_tests::clients;
use podsight_tests::testbed::{Testbed, text};
use serde_json::Value;

/// Checks that the columns computed from each pod are those that the server shows beside it; gives the number of pods.
pub(crate) fn agrees(testbed: &Testbed, namespace: &str) -> Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    let table = runtime.block_on(table(testbed, namespace))?;
    let heads = table.get("columnDefinitions").and_then(Value::as_array).context("a Table has columns")?;
    let place = |name: &str| heads.iter().position(|head| text(head, "/name") == name).with_context(|| format!("the Table has {name}"));
    let (ready, status, restarts) = (place("Ready")?, place("Status")?, place("Restarts")?);
    let rows = table.get("rows").and_then(Value::as_array).context("a Table has rows")?;
    for row in rows {
        let pod = row.get("object").context("a row has its object")?;
        let cell = |place: usize| match row.pointer(&format!("/cells/{place}")) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        };
        let ours = columns(pod, ServerVersion::NEWEST);
        let theirs = (cell(status), cell(ready), cell(restarts).split(' ').next().unwrap_or_default().to_owned());
        assert_eq!((ours.status, ours.ready, ours.restarts.to_string()), theirs, "{pod:#}");
    }
    Ok(rows.len())
}

async fn table(testbed: &Testbed, namespace: &str) -> Result<Value> {
    let client = clients::administrator(testbed).await?;
    let request = Request::get(format!("/api/v1/namespaces/{namespace}/pods?includeObject=Object"))
        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .context("ask for a Table")?;
    client.request(request).await.context("get the Table")
}
