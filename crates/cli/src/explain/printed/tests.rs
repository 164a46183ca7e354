use super::*;
use podsight_explain::status::{ServerVersion, columns};
use serde_json::json;

const POD: &str = "\
Name:             web-6c9f7d8b5c-abcde
Namespace:        shop
Priority:         0
Service Account:  default
Node:             worker-1/10.0.0.1
Start Time:       Sun, 22 Nov 2026 10:00:00 +0000
Labels:           app=web
                  pod-template-hash=6c9f7d8b5c
Annotations:      <none>
Status:           Running
IP:               10.1.0.9
Controlled By:    ReplicaSet/web-6c9f7d8b5c
Init Containers:
  setup:
    Container ID:   containerd://aa
    Image:          acme/setup:1
    Port:           <none>
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Sun, 22 Nov 2026 10:00:01 +0000
      Finished:     Sun, 22 Nov 2026 10:00:02 +0000
    Ready:          True
    Restart Count:  0
    Environment:    <none>
Containers:
  app:
    Container ID:  containerd://bb
    Image:         reg.example:5000/acme/app:1
    Port:          8080/TCP
    Command:
      sh
      -c
      exec app
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Message:      panic: no port

goroutine 1 [running]:
main.main()
      Exit Code:    2
      Started:      Sun, 22 Nov 2026 10:05:00 +0000
      Finished:     Sun, 22 Nov 2026 10:05:03 +0000
    Ready:          False
    Restart Count:  5
    Limits:
      memory:  512Mi
    Requests:
      memory:     256Mi
    Liveness:     http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3
    Environment:  <none>
    Mounts:
      /etc/app from settings (rw)
Conditions:
  Type              Status
  Initialized       True
  Ready             False
Volumes:
  settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      web
    Optional:  false
QoS Class:                   Burstable
Node-Selectors:              <none>
Events:
  Type     Reason     Age                 From               Message
  ----     ------     ----                ----               -------
  Normal   Scheduled  10m                 default-scheduler  Successfully assigned shop/web to worker-1
  Warning  BackOff    2m (x10 over 5m)    kubelet            Back-off restarting failed container app in pod web
";

#[test]
fn a_description_is_read_back() {
    let printed = read(POD).unwrap();
    let pod = &printed.pods[0];
    let at = |pointer: &str| pod.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(
        pod["metadata"],
        json!({"name": "web-6c9f7d8b5c-abcde", "namespace": "shop", "labels": {"pod-template-hash": "6c9f7d8b5c"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-6c9f7d8b5c", "controller": true}]})
    );
    assert_eq!(at("/spec/nodeName"), "worker-1");
    assert_eq!(at("/spec/containers/0/image"), "reg.example:5000/acme/app:1");
    assert_eq!(at("/spec/containers/0/command"), json!(["sh", "-c", "exec app"]));
    assert_eq!(at("/spec/containers/0/resources"), json!({"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}}));
    assert_eq!(
        at("/spec/containers/0/livenessProbe"),
        json!({"initialDelaySeconds": 10, "timeoutSeconds": 1, "periodSeconds": 5, "failureThreshold": 3})
    );
    assert_eq!(at("/spec/volumes"), json!([{"name": "settings", "configMap": {"name": "web"}}]));
    assert_eq!(at("/status/initContainerStatuses/0/state/terminated/exitCode"), 0);
    assert_eq!(at("/status/containerStatuses/0/state"), json!({"waiting": {"reason": "CrashLoopBackOff"}}));
    let last = at("/status/containerStatuses/0/lastState/terminated");
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(2), &json!("Error")));
    assert_eq!(last["message"], "panic: no port\n\ngoroutine 1 [running]:\nmain.main()");
    assert_eq!(at("/status/containerStatuses/0/restartCount"), 5);
    assert_eq!(at("/status/conditions"), json!([{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}]));
    assert_eq!(
        printed.events.iter().map(|event| (event.reason.as_str(), event.count)).collect::<Vec<_>>(),
        [("Scheduled", 1), ("BackOff", 10)]
    );
    assert_eq!(printed.events[1].message, "Back-off restarting failed container app in pod web");
    let columns = columns(pod, ServerVersion::NEWEST);
    assert_eq!((columns.status.as_str(), columns.ready.as_str(), columns.restarts), ("CrashLoopBackOff", "0/1", 5));
}

#[test]
fn several_descriptions_and_other_kinds_are_told_apart() {
    let deployment = "Name:                   web\nNamespace:              shop\nSelector:               app=web\nReplicas:               1 desired\nStrategyType:           RollingUpdate\nEvents:          <none>\n";
    let node = "Name:               w\nRoles:              worker\nTaints:             <none>\n";
    let printed = read(&format!("$ kubectl describe pods\n{POD}\n\n{POD}\n\n{deployment}\n{node}")).unwrap();
    assert_eq!((printed.pods.len(), printed.events.len()), (2, 4));
    assert_eq!(printed.others.iter().map(|other| other["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["Deployment", "Node"]);
}

#[test]
fn a_pod_that_is_being_deleted_or_was_evicted_keeps_that() {
    let evicted = "Name:         a\nNamespace:    n\nNode:         w/1.2.3.4\nStatus:       Failed\nReason:       Evicted\nMessage:      The node was low on resource: memory. \nQoS Class:    BestEffort\n";
    let pod = &read(evicted).unwrap().pods[0];
    assert_eq!((&pod["status"]["reason"], &pod["status"]["phase"]), (&json!("Evicted"), &json!("Failed")));
    let deleted = "Name:                      a\nNamespace:                 n\nStatus:                    Terminating (lasts 5m)\nTermination Grace Period:  30s\n";
    let pod = &read(deleted).unwrap().pods[0];
    assert_eq!(columns(pod, ServerVersion::NEWEST).status, "Terminating");
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 30);
}

#[test]
fn each_row_of_the_table_becomes_a_pod_that_is_printed_the_same() {
    for (status, ready) in [
        ("Running", "1/1"),
        ("Running", "1/2"),
        ("CrashLoopBackOff", "0/1"),
        ("CrashLoopBackOff", "1/2"),
        ("ImagePullBackOff", "0/1"),
        ("ContainerCreating", "0/3"),
        ("CreateContainerConfigError", "0/1"),
        ("Error", "0/1"),
        ("OOMKilled", "0/1"),
        ("ExitCode:3", "0/1"),
        ("Completed", "0/1"),
        ("Evicted", "0/1"),
        ("OutOfcpu", "0/1"),
        ("UnexpectedAdmissionError", "0/1"),
        ("Pending", "0/1"),
        ("SchedulingGated", "0/1"),
        ("Terminating", "0/1"),
        ("Unknown", "0/1"),
        ("Init:CrashLoopBackOff", "0/1"),
        ("Init:Error", "0/1"),
        ("Init:0/1", "0/1"),
        ("ContainerStatusUnknown", "0/1"),
    ] {
        let text = format!(
            "NAMESPACE  NAME  READY  STATUS                      RESTARTS      AGE\nshop       web   {ready}    {status:26}  3 (2m ago)    5m\n"
        );
        let printed = read(&text).unwrap();
        // Which code the init container ended with, the table does not say, and without one it counts as done: the table's own words stand.
        let got = match status {
            "Init:Error" => printed.columns.of("shop", "web").unwrap().clone(),
            _ => columns(&printed.pods[0], ServerVersion::NEWEST),
        };
        assert_eq!((got.status.as_str(), got.ready.as_str()), (status, ready));
        let restarted = got.restarts == 3
            || ["Evicted", "OutOfcpu", "UnexpectedAdmissionError", "Pending", "SchedulingGated", "Terminating", "Unknown"]
                .contains(&status);
        assert!(restarted, "{status} {}", got.restarts);
        assert_eq!(printed.columns.of("shop", "web").unwrap().restarts, 3, "{status}");
    }
}

#[test]
fn a_table_that_was_pasted_without_its_alignment_is_read_all_the_same() {
    let printed = read("NAMESPACE NAME READY STATUS RESTARTS AGE\nshop web-0 0/1 OOMKilled 2 (3m ago) 5m\nnonsense\n").unwrap();
    assert_eq!(printed.pods.len(), 1);
    assert_eq!(printed.pods[0]["metadata"], json!({"name": "web-0", "namespace": "shop"}));
    assert_eq!(columns(&printed.pods[0], ServerVersion::NEWEST).status, "OOMKilled");
}

#[test]
fn events_name_their_objects_and_the_state_that_they_left_them_in() {
    let text = "LAST SEEN   TYPE      REASON             OBJECT          MESSAGE\n\
                5m          Warning   FailedScheduling   pod/web         0/3 nodes are available: 3 Insufficient cpu.\n\
                4m          Warning   FailedCreate       replicaset/api  exceeded quota: small\n\
                3m          Normal    Pulled             pod/db          Container image already present\n\
                2m          Warning   FailedMount        pod/db          MountVolume.SetUp failed for volume \"x\" : failed\n\
                Output: mount.nfs: timed out\n";
    let printed = read(text).unwrap();
    assert_eq!(printed.events.len(), 4);
    assert!(printed.events[3].message.ends_with("\nOutput: mount.nfs: timed out"));
    let (pods, others) = objects(&printed.events);
    let states: Vec<(&Value, &Value)> = pods.iter().map(|pod| (&pod["metadata"]["name"], &pod["status"]["phase"])).collect();
    assert_eq!(states, [(&json!("web"), &json!("Pending")), (&json!("db"), &json!("Pending"))]);
    assert_eq!(others, [json!({"kind": "ReplicaSet", "metadata": {"name": "api", "namespace": ""}})]);
}

#[test]
fn tables_of_other_kinds_are_named() {
    for (head, of) in [
        ("NAME   READY   UP-TO-DATE   AVAILABLE   AGE", "Deployments"),
        ("NAME   STATUS   ROLES    AGE   VERSION", "Nodes"),
        ("NAME   COMPLETIONS   DURATION   AGE", "Jobs"),
        ("NAME   STATUS   VOLUME   CAPACITY   ACCESS MODES   AGE", "PersistentVolumeClaims"),
    ] {
        let printed = read(&format!("{head}\nx\n")).unwrap();
        assert!(printed.problems[0].contains(of), "{:?}", printed.problems);
    }
}

#[test]
fn what_kubectl_never_printed_is_left_to_others_and_hostile_text_does_no_harm() {
    for text in ["", "kind: Pod\nmetadata: {name: a}\n", "just words\n", "name:   x\n", "{}", "Name:\n"] {
        assert!(read(text).is_none(), "{text:?}");
    }
    let names = "Name:  a\n".repeat(3);
    let deep = format!("{}x:", " ".repeat(100_000));
    for text in [
        format!("{POD}{deep}\n"),
        POD.replace("Exit Code:    2", "Exit Code:    99999999999999999999"),
        POD.replace("web", "\u{1b}[31mİı\u{202e}"),
        POD.chars().filter(|c| *c != ':').collect::<String>().replacen("Name", "Name:", 1),
        POD.replace("    ", "\t"),
        names,
        "Name:  a\nContainers:\n  x:\n    State:  Terminated\n      Message:  y\n".to_owned(),
        "NAME READY STATUS RESTARTS AGE\na 99999999999999999999/1 X 1 1\nb 5000000/5000000 Running 0 1\n".to_owned(),
    ] {
        let printed = read(&text).unwrap_or_default();
        for pod in &printed.pods {
            assert!(!columns(pod, ServerVersion::NEWEST).ready.is_empty());
        }
    }
}
