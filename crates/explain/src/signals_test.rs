//! Every code from 129 to 192 in a pod: what it was, whose it is, and that no guess is made of who sent it.

use crate::exit_code::Signal;
use crate::{Confidence, Explained, Input, explain};
use podsight_cause::{Cause, Lang};
use serde_json::{Value, json};

fn ended(code: i64, spec: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "acme/main:1", "resources": {}});
    if let Some(fields) = spec.as_object() {
        fields.iter().for_each(|(key, value)| container[key] = value.clone());
    }
    json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"nodeName": "worker", "containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": code, "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T14:00:00Z"}}}]}})
}

fn best(pod: &Value, lang: Lang) -> Explained {
    explain(&Input { lang, ..Input::new(pod) }).causes.remove(0)
}

#[test]
fn every_signal_has_a_cause_that_fits_it() {
    for number in 1..=64_u8 {
        let code = 128 + i64::from(number);
        let wanted = match number {
            1..=3 | 9 | 15 => Cause::KillerUnknown,
            4..=8 | 11 => Cause::AppNativeCrash,
            31 => Cause::PermissionDenied,
            _ => Cause::AppDefinedCode,
        };
        for lang in [Lang::En, Lang::Zh] {
            let found = best(&ended(code, &json!({})), lang);
            assert_eq!((found.cause, found.exit_code, found.container.as_deref()), (wanted, Some(code), Some("main")), "{code}");
            let signal = Signal::from_number(number).unwrap();
            assert!(found.summary.contains(signal.name) || number == 31, "{code}: {}", found.summary);
            let certain = matches!(wanted, Cause::AppNativeCrash | Cause::PermissionDenied);
            assert_eq!(found.confidence == Confidence::High, certain, "{code}");
        }
    }
}

#[test]
fn what_nobody_in_kubernetes_sends_is_said_to_be_so() {
    for (code, words) in [
        (138, "killed by SIGUSR1 (138). Kubernetes does not send it"),
        (140, "killed by SIGUSR2 (140). Kubernetes does not send it"),
        (165, "killed by SIGRTMIN+3 (165). Kubernetes does not send it"),
        (192, "killed by SIGRTMAX (192). Kubernetes does not send it"),
        (142, "ended by SIGALRM (142): a timer that it had set itself"),
        (152, "ulimit -t"),
        (145, "By its number that is SIGCHLD, which ends no process"),
        (129, "Kubernetes sends it only where the image or the pod names it as the stop signal"),
    ] {
        let found = best(&ended(code, &json!({})), Lang::En);
        assert!(found.summary.contains(words), "{code}: {}", found.summary);
        assert_ne!(found.killer, Some(Cause::OomContainerLimit));
    }
}

#[test]
fn the_stop_signal_of_the_pod_is_a_stop_of_the_kubelets() {
    let own = json!({"lifecycle": {"stopSignal": "SIGUSR1"}, "livenessProbe": {"tcpSocket": {"port": 80}}});
    assert_eq!(best(&ended(138, &own), Lang::En).cause, Cause::ProbeKill);
    assert_eq!(best(&ended(140, &own), Lang::En).cause, Cause::AppDefinedCode);
    let mut of_image = ended(165, &json!({}));
    of_image["status"]["containerStatuses"][0]["stopSignal"] = json!("SIGRTMIN+3");
    assert_eq!(best(&of_image, Lang::En).cause, Cause::KillerUnknown);
}

#[test]
fn codes_of_windows_are_named_and_minus_one_is_no_code() {
    for (code, cause, words) in [
        (-1_073_741_801, Cause::LanguageHeapExhausted, "STATUS_NO_MEMORY"),
        (3_221_225_773, Cause::LanguageHeapExhausted, "STATUS_COMMITMENT_LIMIT"),
        (-1_073_741_790, Cause::PermissionDenied, "refused"),
        (-2_147_024_894, Cause::CommandNotFound, "did not find a command"),
        (-1_073_741_502, Cause::AppDefinedCode, "STATUS_DLL_INIT_FAILED"),
        (-1_073_740_771, Cause::AppDefinedCode, "0xC000041D"),
        (-1, Cause::Unknown, "CRI-O"),
    ] {
        let found = best(&ended(code, &json!({})), Lang::En);
        assert_eq!(found.cause, cause, "{code}: {}", found.summary);
        assert!(found.summary.contains(words), "{code}: {}", found.summary);
        assert_ne!(found.confidence, Confidence::High, "{code}");
    }
}
