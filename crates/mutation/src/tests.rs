//! Plans as patches that are applied, on sound objects and on any.

use crate::{Knowledge, MUTATED_ANNOTATION, Plan, RULES, plan};
use podsight_history::{History, KilledPod, PastKills, WorkloadKey};
use podsight_spec::Workload;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What is known: kills of the container `main` of the Deployment `web`, at 256Mi; and a rule that is off.
struct Known {
    history: History,
    off: &'static str,
}

impl Known {
    fn new(off: &'static str) -> Self {
        let evidence = json!({"v": 1, "containers": {"main": {"kills": 3, "incidents": 3, "scope": "container", "limit": "256Mi",
            "peak": "255Mi", "first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:05:00Z"}}});
        let pod = json!({"kind": "Pod", "metadata": {"name": "web-1", "namespace": "default", "uid": "u",
            "annotations": {"podsight.dev/oom": evidence.to_string()}}, "spec": {"containers": [{"name": "main", "image": "app:1"}]}});
        let mut history = History::default();
        history.observe(&WorkloadKey::new("default", "apps/v1", "Deployment", "web").unwrap(), &KilledPod::of(&pod).unwrap());
        Self { history, off }
    }
}

impl Knowledge for Known {
    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        self.history.past_kills(&WorkloadKey::of(workload, "default")?, container)
    }

    fn is_off(&self, _: &Workload<'_>, rule: &str) -> bool {
        rule == self.off
    }
}

fn deployment(annotations: &Value, container: &Value) -> Value {
    let mut main = json!({"name": "main", "image": "app:1"});
    main.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default", "annotations": annotations},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [main]}}}})
}

fn applied(object: &Value, plan: &Plan) -> Value {
    let patch: json_patch::Patch = serde_json::from_value(plan.patch.clone()).unwrap();
    let mut object = object.clone();
    json_patch::patch(&mut object, &patch).unwrap();
    object
}

/// The object after a plan, which must be one that is not needed twice and says what it did.
fn mutated(object: &Value) -> Value {
    let known = Known::new("");
    let plan = plan(object, None, &known).unwrap();
    let after = applied(object, &plan);
    assert_eq!(crate::plan(&after, None, &known), None);
    let record: Vec<Value> = serde_json::from_str(after["metadata"]["annotations"][MUTATED_ANNOTATION].as_str().unwrap()).unwrap();
    for entry in &record {
        assert_eq!(after.pointer(entry["path"].as_str().unwrap()), Some(&entry["to"]), "{entry}");
    }
    for change in &plan.changes {
        assert!(RULES.contains(&change.rule) && !change.message_en.is_empty() && change.message_en != change.message_zh);
        assert!(record.contains(&json!({"path": change.path, "from": change.from, "to": change.to, "rule": change.rule})));
    }
    after
}

fn main_of(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn the_message_of_a_failed_container_is_the_end_of_its_log() {
    for before in [json!({}), json!({"terminationMessagePolicy": "File", "terminationMessagePath": "/dev/termination-log"})] {
        let after = mutated(&deployment(&Value::Null, &before));
        assert_eq!(main_of(&after)["terminationMessagePolicy"], "FallbackToLogsOnError");
    }
    for before in [json!({"terminationMessagePolicy": "FallbackToLogsOnError"}), json!({"terminationMessagePath": "/tmp/message"})] {
        assert_eq!(plan(&deployment(&json!({}), &before), None, &Known::new("")), None);
    }
    let object = deployment(&json!({}), &json!({}));
    assert_eq!(plan(&object, None, &Known::new("termination-message-policy")), None);
}

#[test]
fn a_request_is_what_the_api_server_would_make_of_the_limit() {
    let limits = json!({"limits": {"memory": "256Mi"}});
    let after = mutated(&deployment(&json!({}), &json!({"resources": limits})));
    assert_eq!(main_of(&after)["resources"]["requests"], json!({"memory": "256Mi"}));
    let after = mutated(&deployment(&json!({}), &json!({"resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "1"}}})));
    assert_eq!(main_of(&after)["resources"]["requests"], json!({"cpu": "1", "memory": "256Mi"}));
    for resources in [json!({"limits": {"memory": "256Mi"}, "requests": {"memory": "1Mi"}}), json!({"requests": {"cpu": "1"}}), json!(null)]
    {
        let after = mutated(&deployment(&json!({}), &json!({"resources": resources})));
        assert_eq!(main_of(&after)["resources"], resources);
    }
    // The limit is lowered: with the request of before it would be refused.
    let mut lowered = mutated(&deployment(&json!({}), &json!({"resources": limits})));
    lowered["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("128Mi");
    assert_eq!(main_of(&mutated(&lowered))["resources"]["requests"], json!({"memory": "128Mi"}));
    // With resources of the pod's own the defaults are others.
    let mut object = deployment(&json!({}), &json!({"resources": limits}));
    object["spec"]["template"]["spec"]["resources"] = json!({"limits": {"memory": "1Gi"}});
    assert_eq!(main_of(&mutated(&object))["resources"], limits);
}

#[test]
fn go_collects_before_the_limit() {
    let declared = json!({"podsight.dev/runtime": "main=go"});
    let resources = json!({"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi"}});
    let after = mutated(&deployment(&declared, &json!({"resources": resources})));
    assert_eq!(main_of(&after)["env"], json!([{"name": "GOMEMLIMIT", "value": "230MiB"}]));
    // The limit is raised: the value that is ours follows, and the record tells of it.
    let mut raised = after;
    raised["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("512Mi");
    assert_eq!(main_of(&mutated(&raised))["env"], json!([{"name": "GOMEMLIMIT", "value": "460MiB"}]));
    for (annotations, container) in [
        (json!({}), json!({"resources": resources})),
        (json!({"podsight.dev/runtime": "other=go"}), json!({"resources": resources})),
        (json!({"podsight.dev/runtime": "main=rust"}), json!({"resources": resources})),
        (declared.clone(), json!({})),
        (declared.clone(), json!({"resources": {"limits": {"memory": "8Mi"}, "requests": {"memory": "8Mi"}}})),
        (declared.clone(), json!({"resources": resources, "env": [{"name": "GOMEMLIMIT", "value": "1MiB"}]})),
        (
            declared.clone(),
            json!({"resources": resources, "env": [{"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}]}),
        ),
        (declared, json!({"resources": resources, "envFrom": [{"configMapRef": {"name": "a"}}]})),
    ] {
        let before = deployment(&annotations, &container);
        assert_eq!(main_of(&mutated(&before)).get("env"), main_of(&before).get("env"), "{before}");
    }
}

#[test]
fn a_jvm_takes_its_share_of_the_limit() {
    let declared = json!({"podsight.dev/runtime": "java"});
    let resources = json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}});
    let with = |env: Value, args: Value| deployment(&declared, &json!({"resources": resources, "env": env, "args": args}));
    let after = mutated(&with(json!([{"name": "A", "value": "b"}]), json!([])));
    assert_eq!(main_of(&after)["env"][1], json!({"name": "JAVA_TOOL_OPTIONS", "value": "-XX:MaxRAMPercentage=75"}));
    let after = mutated(&with(json!([{"name": "JAVA_TOOL_OPTIONS", "value": "-Dx=y"}]), json!([])));
    assert_eq!(main_of(&after)["env"][0]["value"], "-Dx=y -XX:MaxRAMPercentage=75");
    for (env, args) in [
        (json!([{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx512m"}]), json!([])),
        (json!([{"name": "CATALINA_OPTS", "value": "-XX:MaxRAMPercentage=60"}]), json!([])),
        (json!([{"name": "JAVA_OPTS", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]), json!([])),
        (json!([]), json!(["java", "-Xmx512m", "-jar", "a.jar"])),
        (json!("odd"), json!([])),
    ] {
        let before = with(env, args);
        assert_eq!(main_of(&mutated(&before))["env"], main_of(&before)["env"], "{before}");
    }
}

#[test]
fn a_limit_follows_from_history_only_where_that_is_asked_for() {
    let resources = json!({"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi"}});
    let asked = json!({"podsight.dev/limit-from-history": "main", "podsight.dev/runtime": "go"});
    let after = mutated(&deployment(&asked, &json!({"resources": resources})));
    assert_eq!(main_of(&after)["resources"]["limits"]["memory"], "384Mi");
    assert_eq!(main_of(&after)["env"][0]["value"], "345MiB", "of the new limit");
    // Killed at 256Mi: from a twentieth of it no four-fold raise is enough.
    let small = json!({"limits": {"memory": "12Mi"}, "requests": {"memory": "12Mi"}});
    for (annotations, resources, image) in [
        (json!({}), &resources, "app:1"),
        (json!({"podsight.dev/limit-from-history": "other"}), &resources, "app:1"),
        (asked.clone(), &resources, "app:2"),
        (asked, &small, "app:1"),
    ] {
        let before = deployment(&annotations, &json!({"resources": resources, "image": image}));
        assert_eq!(main_of(&mutated(&before))["resources"], main_of(&before)["resources"], "{before}");
    }
}

#[test]
fn what_a_controller_made_and_what_stays_as_it_is_are_left_alone() {
    let object = deployment(&json!({}), &json!({}));
    let known = Known::new("");
    let owned = |mut object: Value, version: &str| {
        object["metadata"]["ownerReferences"] = json!([{"apiVersion": version, "kind": "X", "name": "x", "uid": "u", "controller": true}]);
        plan(&object, None, &known).is_some()
    };
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "main", "image": "b"}]}});
    assert!(plan(&pod, None, &known).is_some());
    assert!(!owned(pod.clone(), "apps/v1") && !owned(pod.clone(), "batch/v1") && !owned(pod.clone(), "v1"));
    assert!(owned(pod.clone(), "tekton.dev/v1"));
    assert!(!owned(object.clone(), "argoproj.io/v1alpha1") && !owned(object.clone(), "apps/v1"));
    let mut mirror = pod.clone();
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    assert_eq!(plan(&mirror, None, &known), None);
    let mut going = object.clone();
    going["metadata"]["deletionTimestamp"] = json!("2026-11-22T10:00:00Z");
    assert_eq!(plan(&going, None, &known), None);
    // An update of something else, and one of the pods.
    let mut scaled = object.clone();
    scaled["spec"]["replicas"] = json!(3);
    assert_eq!(plan(&scaled, Some(&object), &known), None);
    let changed = deployment(&json!({}), &json!({"image": "app:2"}));
    assert!(plan(&changed, Some(&object), &known).is_some());
    assert_eq!(plan(&pod, Some(&json!({})), &known), None);
}

#[test]
fn the_record_keeps_what_still_stands() {
    let object = deployment(&json!({}), &json!({"resources": {"limits": {"memory": "256Mi"}}}));
    let mut after = mutated(&object);
    let annotation = |object: &Value| -> Vec<Value> {
        serde_json::from_str(object["metadata"]["annotations"][MUTATED_ANNOTATION].as_str().unwrap()).unwrap()
    };
    assert_eq!(annotation(&after).len(), 2);
    // Somebody writes a request of their own, and takes the policy out.
    let main = &mut after["spec"]["template"]["spec"]["containers"][0];
    main["resources"]["requests"]["memory"] = json!("128Mi");
    main.as_object_mut().unwrap().remove("terminationMessagePolicy");
    let again = mutated(&after);
    let paths: Vec<Value> = annotation(&again).iter().map(|entry| entry["path"].clone()).collect();
    assert_eq!(paths, ["/spec/template/spec/containers/0/terminationMessagePolicy"]);
    for odd in ["", "{}", "[1]", "yes", "[{\"path\":1}]"] {
        let mut object = object.clone();
        object["metadata"]["annotations"] = json!({MUTATED_ANNOTATION: odd});
        assert_eq!(annotation(&mutated(&object)).len(), 2, "{odd}");
    }
    let mut object = object;
    object["metadata"]["annotations"] = json!("odd");
    assert_eq!(plan(&object, None, &Known::new("")), None);
}

#[test]
fn an_object_without_bounds_is_left_alone() {
    let containers: Vec<Value> = (0..5_000).map(|number| json!({"name": format!("c{number}"), "image": "a"})).collect();
    let object = json!({"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}});
    assert_eq!(plan(&object, None, &Known::new("")), None);
}

/// Values where others are expected, and now and then the right ones.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        any::<i32>().prop_map(|number| json!(number)),
        "[a-z=,]{0,6}".prop_map(|text| json!(text)),
        Just(json!("256Mi")),
        Just(json!("File")),
        Just(json!("go")),
        Just(json!("java")),
        Just(json!("all")),
        Just(json!({"memory": "600Mi"})),
        Just(json!({"limits": {"memory": "600Mi"}})),
        Just(json!([{"name": "GOMEMLIMIT", "value": "1MiB"}])),
        Just(json!([{"name": "JAVA_TOOL_OPTIONS", "value": "-ea"}])),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![Just("name"), Just("image"), Just("env"), Just("limits"), Just("requests"), Just("memory"), Just("a~/b")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

prop_compose! {
    fn any_container()(
        name in prop_oneof![Just(json!("main")), any_value()], image in prop_oneof![Just(json!("app:1")), any_value()],
        resources in any_value(), env in any_value(), policy in any_value(), env_from in any_value()
    ) -> Value {
        json!({"name": name, "image": image, "resources": resources, "env": env, "terminationMessagePolicy": policy, "envFrom": env_from})
    }
}

prop_compose! {
    fn any_object()(
        kind in prop_oneof![Just("Pod"), Just("Deployment"), Just("CronJob"), Just("JobSet")], runtime in any_value(), raise in any_value(),
        record in any_value(), annotations in proptest::option::of(any_value()),
        containers in proptest::collection::vec(prop_oneof![8 => any_container(), 1 => any_value()], 0..4), init in any_value()
    ) -> Value {
        let pod = json!({"containers": containers, "initContainers": init});
        let spec = match kind {
            "Pod" => pod,
            "Deployment" => json!({"template": {"spec": pod}}),
            "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": pod}}}}),
            _ => json!({"a/b~c": {"template": {"spec": pod}}}),
        };
        let annotations = annotations.unwrap_or_else(|| json!({"podsight.dev/runtime": runtime, "podsight.dev/limit-from-history": raise, MUTATED_ANNOTATION: record}));
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": "default", "annotations": annotations}, "spec": spec})
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_plan_can_be_applied_and_is_needed_once(object in any_object()) {
        let known = Known::new("");
        if let Some(first) = plan(&object, None, &known) {
            let after = applied(&object, &first);
            prop_assert_eq!(plan(&after, None, &known), None);
            for change in &first.changes {
                prop_assert_eq!(after.pointer(&change.path), Some(&change.to));
                prop_assert_eq!(object.pointer(&change.path).unwrap_or(&Value::Null), &change.from);
            }
        }
    }

    #[test]
    fn no_value_is_a_panic(object in any_value(), old in proptest::option::of(any_value())) {
        drop(plan(&object, old.as_ref(), &Known::new("")));
    }
}
