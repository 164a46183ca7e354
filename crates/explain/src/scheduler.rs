//! The scheduler's message: `0/3 nodes are available: 1 Insufficient memory, 2 node(s) had untolerated taint {…}. preemption: …`
//! (`pkg/scheduler/framework/types.go: FitError.Error`).

use crate::case::Case;
use crate::quote::Quote;

/// What the scheduler said last of this pod, while it has no node.
pub(crate) fn scheduler_text<'c>(case: &'c Case<'_>) -> Option<&'c Quote> {
    case.unscheduled().then(|| case.pod_text(&["nodes are available", "no nodes available", "failed to fit in any node"])).flatten()
}

/// The reasons of a message with the number of nodes that each excludes; 0 where the message gives none.
pub(crate) fn reasons(message: &str) -> Vec<(u64, String)> {
    let start = ["predicates:", "fit failure summary on nodes :", "nodes are available:", "nodes are available"]
        .iter()
        .find_map(|start| message.find(start).map(|place| place + start.len()));
    let list = start.and_then(|start| message.get(start..)).unwrap_or(message).trim_start_matches([':', ' ']);
    let list = list.split_once(" preemption:").map_or(list, |(list, _)| list);
    let mut parts: Vec<String> = Vec::new();
    for piece in list.split(", ") {
        let piece = piece.trim().trim_end_matches('.');
        match parts.last_mut() {
            // A comma inside a reason: `had taint {a: b}, that the pod didn't tolerate`.
            Some(reason) if !piece.starts_with(|c: char| c.is_ascii_digit()) && counted(reason).is_none() => {
                reason.push_str(", ");
                reason.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(' ') {
            Some((count, text)) if count.parse::<u64>().is_ok() => (count.parse().unwrap_or_default(), text.to_owned()),
            _ => counted(&part).unwrap_or((0, part)),
        })
        .collect()
}

/// A reason with the number of its nodes behind it, as Kubernetes wrote it until 1.9: `Insufficient cpu (2)`.
fn counted(part: &str) -> Option<(u64, String)> {
    let (text, count) = part.strip_suffix(')')?.rsplit_once(" (")?;
    Some((count.parse().ok()?, text.to_owned()))
}

/// The reasons that hold one of these texts: with the message, a weight by the share of nodes, and the reasons themselves. Those that hold
/// one of `ordinary` weigh less.
pub(crate) fn scheduling<'c>(case: &'c Case<'_>, says: &[&str], ordinary: &[&str]) -> Option<(&'c Quote, u8, String)> {
    let quote = scheduler_text(case)?;
    // A needle may ask for the end of a reason by its stop, which the message has between its parts as a comma.
    let holds = |text: &str, needles: &[&str]| {
        let text = format!("{}.", text.to_lowercase());
        needles.iter().any(|needle| text.contains(needle))
    };
    let parts: Vec<(u64, String)> = reasons(&quote.text).into_iter().filter(|(_, text)| holds(text, says)).collect();
    let (quote, weight, text) = weigh(quote, &parts)?;
    let usual = !ordinary.is_empty() && parts.iter().all(|(_, text)| holds(text, ordinary));
    Some((quote, if usual { weight - 30 } else { weight }, text))
}

/// Whether the listed reasons exclude every node, as far as the message counts them.
pub(crate) fn all_nodes(quote: &Quote, listed: &str) -> bool {
    let count: u64 = reasons(listed).iter().map(|(count, _)| *count).sum();
    total(quote).is_none_or(|total| count == 0 || count >= total)
}

/// Whether another reason excludes as many nodes as the listed ones. The taint that keeps the control plane free is none.
pub(crate) fn rivalled(quote: &Quote, listed: &str) -> bool {
    let most = reasons(listed).iter().map(|(count, _)| *count).max().unwrap_or_default();
    reasons(&quote.text)
        .iter()
        .any(|(count, text)| *count > 0 && *count >= most && !listed.contains(text.as_str()) && !text.contains("node-role.kubernetes.io/"))
}

/// The nodes that the scheduler looked at.
fn total(quote: &Quote) -> Option<u64> {
    quote.text.split_once(" nodes are available").and_then(|(head, _)| head.rsplit('/').next()?.trim().parse::<u64>().ok())
}

/// A weight from 60 to 90 by the share of nodes that these reasons exclude.
pub(crate) fn weigh<'q>(quote: &'q Quote, parts: &[(u64, String)]) -> Option<(&'q Quote, u8, String)> {
    if parts.is_empty() {
        return None;
    }
    let total = total(quote).unwrap_or_else(|| reasons(&quote.text).iter().map(|(count, _)| *count).sum()).max(1);
    let count = parts.iter().map(|(count, _)| *count).max().unwrap_or_default().min(total);
    let share = u8::try_from(u128::from(count) * 30 / u128::from(total)).unwrap_or(30);
    let list: Vec<String> = parts.iter().map(|(count, text)| if *count == 0 { text.clone() } else { format!("{count} {text}") }).collect();
    Some((quote, 60 + share, crate::quote::bounded(&list.join(", "), 200)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_a_reason_do_not_end_it() {
        let message = "0/4 nodes are available: 1 node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't tolerate, 3 Insufficient cpu. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.";
        assert_eq!(
            reasons(message),
            [
                (1, "node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't tolerate".to_owned()),
                (3, "Insufficient cpu".to_owned())
            ]
        );
    }

    #[test]
    fn a_message_without_counts_is_one_reason() {
        assert_eq!(reasons("no nodes available to schedule pods"), [(0, "no nodes available to schedule pods".to_owned())]);
        assert_eq!(reasons(""), []);
    }

    #[test]
    fn old_messages_have_the_number_behind() {
        let message = "No nodes are available that match all of the predicates: Insufficient cpu (2), PodToleratesNodeTaints (1).";
        assert_eq!(reasons(message), [(2, "Insufficient cpu".to_owned()), (1, "PodToleratesNodeTaints".to_owned())]);
    }
}
