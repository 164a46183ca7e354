//! Foresight at `kubectl apply`.

use crate::webhook;
use anyhow::Result;
use insta::assert_snapshot;
use podsight_tests::testbed::Testbed;
use podsight_tests::turns::Part;

#[test]
fn a_pod() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-pod")?);
    assert_snapshot!(namespace.apply(webhook::TINY)?, "bytes", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/tiny created
    "#);
    // The API server says something as well, but not what comes of it.
    let slip = webhook::TINY.replace("memory: 128", "memory: 128m").replace("name: tiny", "name: slip");
    assert_snapshot!(namespace.apply(&slip)?, "a slip of the unit", @r#"
    exit status: 0
    --- standard error
    Warning: spec.containers[0].resources.limits[memory]: fractional byte value "128m" is invalid, must be an integer
    Warning: spec.containers[0].resources.requests[memory]: fractional byte value "128m" is invalid, must be an integer
    Warning: Pod/slip[main]: memory limit 128m = 1 byte (m = milli) is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/slip created
    "#);
    Ok(())
}

#[test]
fn a_deployment() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-deployment")?);
    let said = namespace.apply(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: ledger}
spec:
  replicas: 0
  selector: {matchLabels: {app: ledger}}
  template:
    metadata: {labels: {app: ledger}}
    spec:
      securityContext: {runAsNonRoot: true}
      containers:
      - name: writer
        image: podsight.test/busybox:1
        env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx512m}]
        resources: {limits: {memory: 512Mi}}
      - name: proxy
        image: podsight.test/busybox:1
        securityContext: {runAsUser: 0}
",
    )?;
    assert_snapshot!(said, @r#"
    exit status: 0
    --- standard error
    Warning: Deployment/ledger[proxy]: runAsNonRoot forbids runAsUser 0: CreateContainerConfigError [root-contradiction]
    Warning: Deployment/ledger[writer]: -Xmx512m equals memory limit 512Mi: will be OOMKilled (exit 137) [heap-over-limit]
    --- standard output
    deployment.apps/ledger created
    "#);
    Ok(())
}

#[test]
fn a_cron_job() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-cron-job")?);
    let said = namespace.apply(
        "
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: '0 3 * * *'
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: report
            image: podsight.test/Report:1
",
    )?;
    assert_snapshot!(said, @r#"
    exit status: 0
    --- standard error
    Warning: CronJob/report[report]: InvalidImageName: "podsight.test/Report:1" has upper case in Report [image-invalid]
    --- standard output
    cronjob.batch/report created
    "#);
    Ok(())
}

#[test]
fn sound_workloads_are_applied_in_silence() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-sound")?);
    let said = namespace.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: sound}
spec:
  schedulingGates: [{name: podsight.test/held}]
  containers:
  - name: main
    image: podsight.test/busybox:1
    command: [sleep, infinity]
    resources: {limits: {memory: 128Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sound}
spec:
  replicas: 0
  selector: {matchLabels: {app: sound}}
  template:
    metadata: {labels: {app: sound}}
    spec:
      containers:
      - name: main
        image: podsight.test/busybox:1
        command: [sleep, infinity]
        env: [{name: JAVA_TOOL_OPTIONS, value: -XX:MaxRAMPercentage=75}]
        resources: {limits: {memory: 512Mi}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: sound}
spec:
  schedule: '0 3 * * *'
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: podsight.test/busybox:1
            command: ['true']
",
    )?;
    assert_snapshot!(said, @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/sound created
    deployment.apps/sound created
    cronjob.batch/sound created
    "#);
    Ok(())
}
