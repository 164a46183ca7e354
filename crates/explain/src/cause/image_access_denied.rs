//! `image-access-denied`

use super::prelude::*;

const SAYS: [&str; 12] = [
    "401 unauthorized",
    "unauthorized:",
    "authentication required",
    "no basic auth credentials",
    "403 forbidden",
    "denied:",
    "access denied",
    "insufficient_scope",
    "authorization failed",
    "authorization token has expired",
    "access to the requested resource is not authorized",
    "incorrect username or password",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let image = image_of(case, container);
        let unread = unread_secret(case);
        // A proxy that asks for a password is none of the registry's.
        let quote = case.text(container, &SAYS).filter(|quote| !quote.has(&["proxy authentication required"]));
        let Some(quote) = quote else {
            let silent =
                matches!(container.waiting, "ErrImagePull" | "ImagePullBackOff") && case.text(container, &["failed to pull"]).is_none();
            found.extend(unread.filter(|_| silent).map(|secret| unseen(case, rank, container, secret)));
            continue;
        };
        // A registry that was given no password at all says so on top.
        let hidden = quote.has(&["repository does not exist or may require"]) && !quote.has(&["no basic auth credentials"]);
        // Registries that do not tell whether a repository exists answer so for both.
        let either = hidden
            || quote.has(&[
                "requested access to the resource is denied",
                "access to the requested resource is not authorized",
                "insufficient_scope",
                "denied: denied",
                "may not exist",
            ]);
        let secrets: Vec<&str> =
            case.pod.spec.list("imagePullSecrets").iter().map(|secret| secret.text("name")).filter(|name| !name.is_empty()).collect();
        let mut candidate = case
            .candidate(Cause::ImageAccessDenied, Level::Container(rank), if hidden { 82 } else { 90 }, if either { Medium } else { High })
            .of(container)
            .quote(quote);
        if let Some(secret) = unread {
            candidate = candidate.quote(secret);
        }
        if either {
            candidate = candidate.against(say!(
                case,
                "A repository that does not exist gives the same answer.",
                "不存在的仓库也会返回同样的结果。"
            ));
        }
        if let Some(secret) = secrets.first() {
            let list = shown(&secrets.join(", "));
            candidate = candidate
                .fact(Case::fact("/spec/imagePullSecrets", list.clone()))
                .say(say!(case, "The registry refuses `{image}`: the pull secret ({list}) is missing in this namespace, wrong, expired or not allowed to read it.", "镜像仓库拒绝“{image}”：拉取凭据（{list}）在本命名空间中缺失、错误、已过期或无权读取。"))
                .step(case.read(&["get", "secret", secret, "-o", "jsonpath={.type}"], say!(case, "Shows whether the secret exists here and is of type kubernetes.io/dockerconfigjson.", "查看该 Secret 是否存在于此，类型是否为 kubernetes.io/dockerconfigjson。")));
        } else {
            let account = service_account(case);
            candidate = candidate
                .say(say!(case, "The registry refuses `{image}`, and the pod names no pull secret: it needs one, or the node's own identity needs the right to read.", "镜像仓库拒绝“{image}”，而 Pod 没有指定拉取凭据：需要提供凭据，或给节点身份授予读取权限。"))
                .step(case.read(&["get", "serviceaccount", account, "-o", "jsonpath={.imagePullSecrets}"], say!(case, "Shows the pull secrets that the service account would add.", "查看服务账号会附加的拉取凭据。")));
        }
        found.push(candidate);
    }
}

/// The kubelet says that it could not read a pull secret (`kubelet_pods.go: getPullSecretsForPod`).
fn unread_secret<'c>(case: &'c Case<'_>) -> Option<&'c Quote> {
    case.pod_text(&["unable to retrieve some image pull secrets"])
}

/// The pull fails, the registry's words are not there, and a pull secret could not be read.
fn unseen(case: &Case<'_>, rank: usize, container: &Container<'_>, secret: &Quote) -> Candidate {
    let image = image_of(case, container);
    let names = secret.between("image pull secrets (", ")").map(shown).unwrap_or_default();
    let place = place(case);
    case.candidate(Cause::ImageAccessDenied, Level::Container(rank), 72, Medium)
        .of(container)
        .quote(secret)
        .against(say!(case, "The registry's own words are not in this input.", "输入中没有镜像仓库的原话。"))
        .say(say!(
            case,
            "`{image}` cannot be pulled, and the kubelet cannot read its pull secret ({names}): it does not exist{place}.",
            "“{image}”拉取失败，而 kubelet 读不到拉取凭据（{names}）：它不存在{place}。"
        ))
        .step(case.read(
            &["get", "secrets", "--field-selector", "type=kubernetes.io/dockerconfigjson"],
            say!(case, "Lists the pull secrets that do exist here.", "列出这里已有的拉取凭据。"),
        ))
}
