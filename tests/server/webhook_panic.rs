//! A rule that panics: the request is allowed, the panic is counted, and the server goes on.

use crate::webhook::{Local, allowed};
use anyhow::Result;
use podsight_rules::{Facts, Finding};
use podsight_runtime::serve::Limits;
use podsight_spec::Workload;
use podsight_tests::review::{create, pod};

/// A rule with a bug that shows with some pods only.
fn check(workload: &Workload<'_>, _: &dyn Facts) -> Vec<Finding> {
    assert_ne!(workload.name, Some("bad"), "a bug in a rule");
    Vec::new()
}

#[tokio::test]
async fn a_panic_is_allowed_and_counted() -> Result<()> {
    let server = Local::start(Limits::webhook(), check).await?;
    let mut client = server.connect().await?;
    for (uid, name) in [("u-1", "good"), ("u-2", "bad"), ("u-3", "good"), ("u-4", "bad")] {
        let response = client.post("/validate", create(uid, &pod(name, "256Mi"))).await?;
        assert_eq!((response.status, response.close, response.body), (200, false, allowed(uid)));
    }
    assert_eq!(server.metrics("panics")?, ["panics_total 2"]);
    assert_eq!(server.metrics("not_understood")?, [r#"not_understood_total{reason="panic"} 2"#]);
    assert_eq!(
        server.metrics("reviews")?,
        [
            r#"reviews_total{kind="Pod",operation="CREATE",answer="allowed"} 2"#,
            r#"reviews_total{kind="Pod",operation="CREATE",answer="not-understood"} 2"#,
        ]
    );
    Ok(())
}
