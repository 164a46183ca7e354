//! A container whose only process goes over the limit.

use crate::each::{self, Place};
use crate::evidence::{FILTERS, agree, main_of, on, told};
use anyhow::Result;
use insta::assert_snapshot;
use podsight_testbed::description::{Cgroup, Kind};
use podsight_tests::testbed::text;
use serde_json::json;

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-killed", |place| {
        let all = killed(place)?;
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
            }
          ],
          "told": {
            "annotations": {
              "podsight.dev/oom": {
                "containers": {
                  "main": {
                    "first": "[time]",
                    "incidents": 1,
                    "kills": 1,
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
                      }
                    ],
                    "scope": "container",
                    "verdict": "oom-container-limit",
                    "visible": true
                  }
                },
                "counted": {
                  "[container]": 1,
                  "[pod]": 1
                },
                "lost": 0,
                "through": "[boot]:[usec]:[pid]",
                "unattributed": 0,
                "v": 1
              },
              "podsight.dev/oom-killed": "The kernel killed for memory: container main once at its own limit of 32Mi, last at [time]."
            },
            "events": [
              {
                "count": 1,
                "involvedObject": {
                  "apiVersion": "v1",
                  "fieldPath": "spec.containers{main}",
                  "kind": "Pod",
                  "name": "killed",
                  "namespace": "[namespace]",
                  "uid": "[uid]"
                },
                "message": "The kernel killed process memory-eater (pid [pid]) in container main: the container reached its memory limit of 32Mi [oom-container-limit]",
                "name": "killed.[boot]-[usec]-[pid]",
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

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-killed", |place| {
        let all = killed(place)?;
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
            }
          ],
          "told": {
            "annotations": {
              "podsight.dev/oom": {
                "containers": {
                  "main": {
                    "first": "[time]",
                    "incidents": 1,
                    "kills": 1,
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
                      }
                    ],
                    "scope": "container",
                    "verdict": "oom-container-limit",
                    "visible": true
                  }
                },
                "counted": {
                  "[container]": 2,
                  "[pod]": 2
                },
                "lost": 0,
                "through": "[boot]:[usec]:[pid]",
                "unattributed": 0,
                "v": 1
              },
              "podsight.dev/oom-killed": "The kernel killed for memory: container main once at its own limit of 32Mi, last at [time]."
            },
            "events": [
              {
                "count": 1,
                "involvedObject": {
                  "apiVersion": "v1",
                  "fieldPath": "spec.containers{main}",
                  "kind": "Pod",
                  "name": "killed",
                  "namespace": "[namespace]",
                  "uid": "[uid]"
                },
                "message": "The kernel killed process memory-eater (pid [pid]) in container main: the container reached its memory limit of 32Mi [oom-container-limit]",
                "name": "killed.[boot]-[usec]-[pid]",
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

fn killed(place: &Place<'_>) -> Result<String> {
    let _agent = place.agent_needed()?;
    place.create("killed", &["/memory-eater", "64"])?;
    // The last thing to be known: the kubelet shows the end a second or two after it.
    place.namespace.until_pod("killed", "has evidence of an end that the API shows", |pod| {
        on(pod).is_some_and(|evidence| main_of(&evidence, "visible") == Some(&json!(true))) && text(pod, "/status/phase") == "Failed"
    })?;
    Ok(format!("{:#}", json!({"told": told(place, "killed")?, "kernel log": agree(place, "killed")?})))
}
