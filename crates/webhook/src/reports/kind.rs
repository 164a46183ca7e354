//! The kinds of reports, and which of them a cluster knows.

use kube::{Client, Error};
use serde_json::Value;

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportKind {
    /// `apis/openreports.io/v1alpha1/report_types.go` in openreports/reports-api.
    OpenReports,
    /// `policy-report/apis/wgpolicyk8s.io/v1alpha2/policyreport_types.go` in kubernetes-sigs/wg-policy-prototypes.
    PolicyReport,
}

impl ReportKind {
    /// The one to be preferred first.
    const ALL: [Self; 2] = [Self::OpenReports, Self::PolicyReport];

    /// The group and the version.
    pub(super) const fn api_version(self) -> &'static str {
        match self {
            Self::OpenReports => "openreports.io/v1alpha1",
            Self::PolicyReport => "wgpolicyk8s.io/v1alpha2",
        }
    }

    /// The kind of one.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::OpenReports => "Report",
            Self::PolicyReport => "PolicyReport",
        }
    }

    /// The name of the resource.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::OpenReports => "reports",
            Self::PolicyReport => "policyreports",
        }
    }
}

/// The kinds that the API server has, the preferred one first.
pub(super) async fn served(client: &Client) -> Result<Vec<ReportKind>, Error> {
    let mut served = Vec::new();
    for kind in ReportKind::ALL {
        match get(client, &format!("/apis/{}", kind.api_version())).await {
            Ok(list) if has(&list, kind.plural()) => served.push(kind),
            Ok(_) => {}
            Err(Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(served)
}

fn has(list: &Value, plural: &str) -> bool {
    let resources = list.get("resources").and_then(Value::as_array);
    resources.into_iter().flatten().any(|resource| resource.get("name").and_then(Value::as_str) == Some(plural))
}

/// What is at a path.
pub(super) async fn get(client: &Client, path: &str) -> Result<Value, Error> {
    let request = axum::http::Request::get(path).body(Vec::new()).map_err(Error::HttpError)?;
    client.request(request).await
}
