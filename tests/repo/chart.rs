//! The chart gives what kustomize gives, object by object, and each of its values does something.

use crate::objects;
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::command;
use podsight_tests::checkers;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Labels that only Helm's objects have.
const HELMS_OWN: [&str; 2] = ["app.kubernetes.io/managed-by", "helm.sh/chart"];

/// Values that ci/everything-values.yaml cannot hold beside others, and what they are set to instead.
const APART: [(&str, &str); 9] = [
    ("/webhook/mutation/enabled", "false"),
    ("/webhook/disruptionBudget/enabled", "false"),
    ("/webhook/enabled", "false"),
    ("/webhook/image/tag", "\"1\""),
    ("/webhook/certificate/caBundle", "\"AAAA\""),
    ("/agent/enabled", "false"),
    ("/agent/image/digest", "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\""),
    ("/openshift", "true"),
    ("/observability/dashboard/labels", "{\"grafana_dashboard\": \"yes\"}"),
];

/// Objects by kind and name.
type Objects = BTreeMap<String, Value>;

/// The chart and the programs that it is held against.
struct Chart {
    helm: PathBuf,
    kubectl: PathBuf,
    folder: TempDir,
}

impl Chart {
    fn find() -> Result<Option<Self>> {
        let (Some(helm), Some(kubectl)) = (checkers::find("helm")?, checkers::find("kubectl")?) else { return Ok(None) };
        Ok(Some(Self { helm, kubectl, folder: tempfile::tempdir().context("make a folder")? }))
    }

    /// What Helm makes of these values.
    fn rendered(&self, values: &Path) -> Result<String> {
        let mut helm = checkers::helm(&self.helm, self.folder.path());
        helm.args(["template", "podsight", "--namespace", "podsight-system", "--kube-version", "1.37.0", "--values"]).arg(values);
        command::run(helm.arg(checkers::chart()?))
    }

    fn ci(&self, name: &str) -> Result<Objects> {
        by_name(&self.rendered(&checkers::chart()?.join(format!("ci/{name}-values.yaml")))?)
    }

    fn with_values(&self, values: &Value) -> Result<String> {
        let file = self.folder.path().join("values.json");
        fs::write(&file, values.to_string()).context("write values")?;
        self.rendered(&file)
    }

    /// What kustomize makes of folders and components of deploy/, given from there.
    fn kustomized(&self, resources: &[&str], components: &[&str]) -> Result<Objects> {
        let deploy = podsight_testbed::folders::repository()?.join("deploy");
        // kustomize takes no absolute paths to other kustomizations.
        let up = "../".repeat(self.folder.path().components().count() - 1);
        let path = |folder: &&str| format!("{up}{}", deploy.join(folder).display().to_string().trim_start_matches('/'));
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": resources.iter().map(path).collect::<Vec<_>>(),
            "components": components.iter().map(path).collect::<Vec<_>>(),
        });
        fs::write(self.folder.path().join("kustomization.yaml"), kustomization.to_string()).context("write a kustomization")?;
        by_name(&command::run(Command::new(&self.kubectl).arg("kustomize").arg(self.folder.path()))?)
    }
}

/// The objects of a rendering, without what need not be equal.
fn by_name(text: &str) -> Result<Objects> {
    let mut all = Objects::new();
    for mut object in objects::parse(text)? {
        if object.is_null() {
            continue;
        }
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{}/{}", text("/kind"), text("/metadata/name"));
        if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.retain(|label, _| !HELMS_OWN.contains(&label.as_str()));
        }
        fold_expressions(&mut object);
        ensure!(all.insert(name.clone(), object).is_none(), "{name} is there twice");
    }
    ensure!(all.len() > 5, "too few objects");
    Ok(all)
}

/// Writing YAML anew breaks the lines of long texts elsewhere; to CEL they are the same.
fn fold_expressions(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "expression" => *text = text.split_whitespace().collect::<Vec<_>>().join(" "),
                    value => fold_expressions(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fold_expressions),
        _ => {}
    }
}

#[test]
fn helm_gives_what_kustomize_gives() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    for (values, resources, components) in [
        ("default", &["base"][..], &[][..]),
        ("cert-manager", &["overlays/cert-manager"], &[]),
        ("kmsg", &["overlays/kmsg"], &[]),
        ("openshift", &["overlays/openshift"], &[]),
        ("observability", &["base", "observability"], &[]),
        ("secret", &["base"], &["components/mounted-certificate"]),
        ("visible", &["base"], &["components/events", "components/reports"]),
        ("narrow", &["base"], &["components/without-counters", "components/watch-secrets", "policy/webhook-network"]),
    ] {
        let helm = chart.ci(values)?;
        let mut kustomize = chart.kustomized(resources, components)?;
        // Helm keeps its records in the namespace, so that it has to be there first: `--create-namespace`.
        ensure!(kustomize.remove("Namespace/podsight-system").is_some(), "{values}: no namespace");
        assert_eq!(helm.keys().collect::<Vec<_>>(), kustomize.keys().collect::<Vec<_>>(), "{values}");
        for (name, object) in &kustomize {
            assert_eq!(helm.get(name), Some(object), "{values}: {name}");
        }
    }
    Ok(())
}

#[test]
fn every_object_is_the_releases_own() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    let values = checkers::chart()?.join("ci/everything-values.yaml");
    let mut helm = checkers::helm(&chart.helm, chart.folder.path());
    helm.args(["template", "mine", "--namespace", "elsewhere", "--kube-version", "1.37.0", "--values"]).arg(values);
    let text = command::run(helm.arg(checkers::chart()?))?;
    assert!(!text.contains("podsight-system"), "the release's namespace is `elsewhere`");
    for object in objects::parse(&text)?.iter().filter(|object| !object.is_null()) {
        let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
        let label = |key: &str| object["metadata"]["labels"][key].as_str();
        assert_eq!(label("app.kubernetes.io/name"), Some("podsight"), "{name}");
        assert_eq!(label("app.kubernetes.io/instance"), Some("mine"), "{name}");
        assert_eq!(label("app.kubernetes.io/managed-by"), Some("Helm"), "{name}");
        assert_eq!(label("team"), Some("platform"), "{name}");
        let selector = object.pointer("/spec/selector/matchLabels").or_else(|| object.pointer("/spec/selector"));
        if let Some(selector) = selector.and_then(Value::as_object) {
            assert_eq!(selector.get("app.kubernetes.io/instance"), Some(&json!("mine")), "{name}");
            assert!(
                !selector.contains_key("team") && !selector.contains_key("app.kubernetes.io/version"),
                "{name}: selectors are immutable"
            );
        }
    }
    Ok(())
}

/// The pointers of the values that the schema names; what is below one that is empty by default goes together.
fn leaves(schema: &Value, defaults: &Value, pointer: &str, into: &mut BTreeSet<String>) {
    let is_empty = defaults.pointer(pointer) == Some(&json!({}));
    match schema.get("properties").and_then(Value::as_object).filter(|_| !is_empty) {
        Some(properties) => properties.iter().for_each(|(key, schema)| leaves(schema, defaults, &format!("{pointer}/{key}"), into)),
        None => drop(into.insert(pointer.to_owned())),
    }
}

/// Puts a value where it may not be yet.
fn put(values: &mut Value, pointer: &str, value: Value) -> Result<()> {
    let mut at = values;
    for key in pointer.split('/').skip(1) {
        let object = at.as_object_mut().with_context(|| format!("{pointer}: not in a mapping"))?;
        at = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    *at = value;
    Ok(())
}

#[test]
fn every_value_does_something() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    let one = |file: &str| -> Result<Value> { Ok(objects::documents(&format!("deploy/helm/podsight/{file}"))?.swap_remove(0)) };
    let (schema, defaults, everything) = (one("values.schema.json")?, one("values.yaml")?, one("ci/everything-values.yaml")?);
    let mut pointers = BTreeSet::new();
    leaves(&schema, &defaults, "", &mut pointers);
    // Helm adds it to every chart's values.
    ensure!(pointers.remove("/global"), "the schema refuses Helm's own values");
    // `requests_cannot_be_made_to_fail_by_one_slip` shows what it does.
    ensure!(pointers.remove("/webhook/failClosed"), "the lock is gone");
    let full = chart.with_values(&everything)?;
    let mut idle = Vec::new();
    for pointer in &pointers {
        let default = defaults.pointer(pointer).with_context(|| format!("values.yaml does not show {pointer}"))?;
        let (rendered, without) = if let Some((_, value)) = APART.iter().find(|(apart, _)| apart == pointer) {
            let mut values = json!({});
            match pointer.as_str() {
                "/webhook/certificate/caBundle" => put(&mut values, "/webhook/certificate/mode", json!("secret"))?,
                "/observability/dashboard/labels" => put(&mut values, "/observability/dashboard/enabled", json!(true))?,
                _ => {}
            }
            let without = chart.with_values(&values)?;
            put(&mut values, pointer, serde_json::from_str(value)?)?;
            (chart.with_values(&values)?, without)
        } else {
            ensure!(everything.pointer(pointer).is_some_and(|value| value != default), "ci/everything-values.yaml does not set {pointer}");
            let mut values = everything.clone();
            put(&mut values, pointer, default.clone())?;
            (chart.with_values(&values)?, full.clone())
        };
        if rendered == without {
            idle.push(pointer);
        }
    }
    assert!(idle.is_empty(), "values that change nothing: {idle:#?}");
    Ok(())
}

#[test]
fn requests_cannot_be_made_to_fail_by_one_slip() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    let refused = |values: Value| -> Result<String> {
        let error = chart.with_values(&values).err().with_context(|| format!("{values} is taken"))?;
        Ok(format!("{error:#}"))
    };
    assert!(refused(json!({"webhook": {"failurePolicy": "Fail"}}))?.contains("at '/webhook/failurePolicy': value must be 'Ignore'"));
    assert!(refused(json!({"webhook": {"timeout": 3}}))?.contains("additional properties 'timeout' not allowed"));
    let taken = chart.with_values(&json!({"webhook": {"failurePolicy": "Fail", "failClosed": true}}))?;
    assert!(taken.contains("failurePolicy: Fail"));
    Ok(())
}

#[test]
fn the_chart_passes_helms_own_look() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    let folder = checkers::chart()?;
    for entry in fs::read_dir(folder.join("ci")).context("read ci/")? {
        let mut helm = checkers::helm(&chart.helm, chart.folder.path());
        command::run(helm.args(["lint", "--strict", "--kube-version", "1.37.0", "--values"]).arg(entry?.path()).arg(&folder))?;
    }
    Ok(())
}

#[test]
fn podsight_finds_nothing_in_what_the_chart_gives() -> Result<()> {
    let Some(chart) = Chart::find()? else { return Ok(()) };
    let rendered = chart.folder.path().join("rendered.yaml");
    fs::write(&rendered, chart.rendered(&checkers::chart()?.join("ci/default-values.yaml"))?).context("write the rendering")?;
    let podsight = podsight_tests::program::program("podsight-cli", "podsight")?;
    let said = command::run(Command::new(podsight).args(["check", "--profile", "hygiene", "--lang", "en"]).arg(&rendered))?;
    assert_eq!(said, "nothing found in 2 workloads of 1 file\n");
    Ok(())
}
