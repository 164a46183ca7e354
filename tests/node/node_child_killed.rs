//! A shell whose child goes over the limit again and again.

use crate::each::{self, Place};
use crate::evidence::{FILTERS, agree, main_of, on, told};
use anyhow::Result;
use insta::assert_snapshot;
use podsight_testbed::description::{Cgroup, Kind};
use podsight_tests::testbed::text;
use serde_json::json;

/// Nothing in Kubernetes shows these kills: the pod runs on, with 0 restarts.
#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-child", |place| {
        let all = child_killed(place)?;
        insta::with_settings!({filters => FILTERS}, { assert_snapshot!(all, @r#"
        {
          "kernel log": [
            {
              "attribution": "kernel-line",
              "comm": "memory-eater",
              "constraint": "CONSTRAINT_MEMCG",
              "group_kill": false,
              "limit_cgroup": "/[root]/kubepods/burstable/pod[uid]",
              "runtime": null,
              "scope": "pod",
              "victim_cgroup": "/[root]/kubepods/burstable/pod[uid]/[container id]"
            },
            {
              "attribution": "kernel-line",
              "comm": "memory-eater",
              "constraint": "CONSTRAINT_MEMCG",
              "group_kill": false,
              "limit_cgroup": "/[root]/kubepods/burstable/pod[uid]",
              "runtime": null,
              "scope": "pod",
              "victim_cgroup": "/[root]/kubepods/burstable/pod[uid]/[container id]"
            },
            {
              "attribution": "kernel-line",
              "comm": "memory-eater",
              "constraint": "CONSTRAINT_MEMCG",
              "group_kill": false,
              "limit_cgroup": "/[root]/kubepods/burstable/pod[uid]",
              "runtime": null,
              "scope": "pod",
              "victim_cgroup": "/[root]/kubepods/burstable/pod[uid]/[container id]"
            }
          ],
          "told": {
            "annotations": {
              "podsight.dev/oom": {
                "containers": {
                  "main": {
                    "first": "[time]",
                    "incidents": 3,
                    "kills": 3,
                    "last": "[time]",
                    "limit": "32Mi",
                    "peak": "[29Mi to 32Mi]",
                    "recent": [
                      {
                        "anon": "[29Mi to 32Mi]",
                        "at": "[time]",
                        "attribution": "kernel-line",
                        "comm": "memory-eater",
                        "id": "[boot]:[usec]:[pid]",
                        "pid": "[pid]"
                      },
                      {
                        "anon": "[29Mi to 32Mi]",
                        "at": "[time]",
                        "attribution": "kernel-line",
                        "comm": "memory-eater",
                        "id": "[boot]:[usec]:[pid]",
                        "pid": "[pid]"
                      },
                      {
                        "anon": "[29Mi to 32Mi]",
                        "at": "[time]",
                        "attribution": "kernel-line",
                        "comm": "memory-eater",
                        "id": "[boot]:[usec]:[pid]",
                        "pid": "[pid]"
                      }
                    ],
                    "scope": "container",
                    "verdict": "oom-child-process",
                    "visible": false
                  }
                },
                "counted": {
                  "[container]": 3,
                  "[pod]": 3
                },
                "lost": 0,
                "through": "[boot]:[usec]:[pid]",
                "unattributed": 0,
                "v": 1
              },
              "podsight.dev/oom-killed": "The kernel killed for memory: a process in container main 3 times at its own limit of 32Mi, last at [time], while the container went on."
            },
            "events": [
              {
                "count": 1,
                "involvedObject": {
                  "apiVersion": "v1",
                  "fieldPath": "spec.containers{main}",
                  "kind": "Pod",
                  "name": "shell",
                  "namespace": "[namespace]",
                  "uid": "[uid]"
                },
                "message": "The kernel killed process memory-eater (pid [pid]) in container main: the container reached its memory limit of 32Mi [oom-child-process]",
                "name": "shell.[boot]-[usec]-[pid]",
                "reason": "OOMKillConfirmed",
                "source": {
                  "component": "podsight-agent",
                  "host": "machine"
                },
                "type": "Warning"
              }
            ],
            "labels": {
              "podsight.dev/oom-killed": "true"
            },
            "status": {
              "exit code": null,
              "phase": "Running",
              "restarts": 0,
              "terminated": null
            }
          }
        }
        "#); });
        Ok(())
    })
}

/// The first kill takes the shell as well.
#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-child", |place| {
        let all = child_killed(place)?;
        if place.node.cgroup == Cgroup::V1 {
            // As on the machine; the log and the evidence agree.
            return Ok(());
        }
        insta::with_settings!({filters => FILTERS}, { assert_snapshot!(all, @r#"
        {
          "kernel log": [
            {
              "attribution": "kernel-line",
              "comm": "memory-eater",
              "constraint": "CONSTRAINT_MEMCG",
              "group_kill": false,
              "limit_cgroup": "/kubepods/burstable/pod[uid]",
              "runtime": null,
              "scope": "pod",
              "victim_cgroup": "/kubepods/burstable/pod[uid]/[container id]"
            },
            {
              "attribution": "kernel-group",
              "comm": "sh",
              "constraint": "CONSTRAINT_MEMCG",
              "group_kill": true,
              "limit_cgroup": "/kubepods/burstable/pod[uid]",
              "runtime": null,
              "scope": "pod",
              "victim_cgroup": "/kubepods/burstable/pod[uid]/[container id]"
            }
          ],
          "told": {
            "annotations": {
              "podsight.dev/oom": {
                "containers": {
                  "main": {
                    "first": "[time]",
                    "incidents": 1,
                    "kills": 2,
                    "last": "[time]",
                    "limit": "32Mi",
                    "peak": "[29Mi to 32Mi]",
                    "recent": [
                      {
                        "anon": "[29Mi to 32Mi]",
                        "at": "[time]",
                        "attribution": "kernel-line",
                        "comm": "memory-eater",
                        "id": "[boot]:[usec]:[pid]",
                        "pid": "[pid]"
                      },
                      {
                        "anon": "0",
                        "at": "[time]",
                        "attribution": "kernel-group",
                        "comm": "sh",
                        "id": "[boot]:[usec]:[pid]",
                        "pid": "[pid]"
                      }
                    ],
                    "scope": "container",
                    "verdict": "oom-container-limit",
                    "visible": true
                  }
                },
                "counted": {
                  "[container]": 3,
                  "[pod]": 3
                },
                "lost": 0,
                "through": "[boot]:[usec]:[pid]",
                "unattributed": 0,
                "v": 1
              },
              "podsight.dev/oom-killed": "The kernel killed for memory: container main twice in 1 incident at its own limit of 32Mi, last at [time]."
            },
            "events": [
              {
                "count": 1,
                "involvedObject": {
                  "apiVersion": "v1",
                  "fieldPath": "spec.containers{main}",
                  "kind": "Pod",
                  "name": "shell",
                  "namespace": "[namespace]",
                  "uid": "[uid]"
                },
                "message": "The kernel killed process memory-eater (pid [pid]) in container main: the container reached its memory limit of 32Mi [oom-container-limit]",
                "name": "shell.[boot]-[usec]-[pid]",
                "reason": "OOMKillConfirmed",
                "source": {
                  "component": "podsight-agent",
                  "host": "guest"
                },
                "type": "Warning"
              }
            ],
            "labels": {
              "podsight.dev/oom-killed": "true"
            },
            "status": {
              "exit code": 137,
              "phase": "Failed",
              "restarts": 0,
              "terminated": "OOMKilled"
            }
          }
        }
        "#); });
        Ok(())
    })
}

fn child_killed(place: &Place<'_>) -> Result<String> {
    let _agent = place.agent_needed()?;
    place.create("shell", &["sh", "-c", "for round in 1 2 3; do /memory-eater 64; done; sleep 3600"])?;
    let (kills, field, value, phase) = match place.node.cgroup {
        Cgroup::V1 => (3, "verdict", json!("oom-child-process"), "Running"),
        Cgroup::V2 => (2, "visible", json!(true), "Failed"),
    };
    place.namespace.until_pod("shell", "has evidence that is complete", |pod| {
        let evidence = on(pod).unwrap_or_default();
        let is_complete = main_of(&evidence, "kills") == Some(&json!(kills)) && main_of(&evidence, field) == Some(&value);
        is_complete && text(pod, "/status/phase") == phase
    })?;
    Ok(format!("{:#}", json!({"told": told(place, "shell")?, "kernel log": agree(place, "shell")?})))
}
