//! What can be wrong, in both languages.

use podsight_cause::Lang;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Something does not work.
    Wrong,
    /// It works, but not for long, not everywhere, or at a risk for the cluster.
    Risky,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub check: Check,
    /// The object that it is about, as kubectl names it.
    pub object: String,
    /// What exactly: a name, a number, a reason.
    pub detail: String,
}

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $name:ident: $id:literal, $level:ident, $en:literal, $zh:literal, $next:literal;)+) => {
        /// What can be found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Check { $($(#[doc = $doc])+ $name,)+ }

        impl Check {
            /// Every check, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The id that users see.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// How bad it is.
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)+ }
            }

            /// What it means. `{}` stands for the detail.
            const fn message(self, lang: Lang) -> &'static str {
                match (self, lang) { $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Zh) => $zh,)+ }
            }

            /// What to do next. `{}` stands for the namespace.
            const fn next(self) -> &'static str {
                match self { $(Self::$name => $next,)+ }
            }
        }
    };
}

checks! {
    /// There is no configuration.
    ConfigurationMissing: "configuration-missing", Wrong,
        "the API server is not told to ask the webhook: nobody gets a warning", "API 服务器没有配置调用 webhook：不会有任何警告",
        "kubectl get validatingwebhookconfiguration podsight-webhook";
    /// A request waits for the webhook, and fails with it.
    FailurePolicyFail: "failure-policy-fail", Wrong,
        "failurePolicy of {} is Fail: requests are refused while the webhook is away", "{} 的 failurePolicy 为 Fail：webhook 不可用时请求会被拒绝",
        "kubectl get validatingwebhookconfiguration podsight-webhook -o yaml";
    /// No caBundle.
    BundleEmpty: "ca-bundle-empty", Wrong,
        "the caBundle of {} is empty: every call fails, and passes without a warning", "{} 的 caBundle 为空：每次调用都会失败，请求不经警告放行",
        "kubectl logs -n {} deployment/podsight-webhook";
    /// The caBundle does not trust what is served.
    BundleMismatch: "ca-bundle-mismatch", Wrong,
        "the caBundle of {} does not trust the certificate that is served: every call fails", "{} 的 caBundle 不信任正在使用的证书：每次调用都会失败",
        "kubectl logs -n {} deployment/podsight-webhook";
    /// No Secret.
    CertificateMissing: "certificate-missing", Wrong,
        "there is no certificate: {}", "没有证书：{}",
        "kubectl get secrets -n {}";
    /// The certificate has expired.
    CertificateExpired: "certificate-expired", Wrong,
        "the certificate expired {} ago", "证书已过期 {}",
        "kubectl logs -n {} deployment/podsight-webhook";
    /// No Service.
    ServiceMissing: "service-missing", Wrong,
        "the Service of the webhook is missing", "缺少 webhook 的 Service",
        "kubectl get services -n {}";
    /// No Deployment.
    WebhookMissing: "webhook-missing", Wrong,
        "the Deployment of the webhook is missing", "缺少 webhook 的 Deployment",
        "kubectl get deployments -n {}";
    /// Nobody answers.
    WebhookUnready: "webhook-unready", Wrong,
        "no replica of the webhook is ready: {}", "webhook 没有就绪的副本：{}",
        "kubectl describe pods -n {} -l app.kubernetes.io/component=webhook";
    /// Tried, and nothing came.
    NoWarning: "no-warning", Wrong,
        "a pod that cannot start was let through without a warning", "一个无法启动的 Pod 未经警告就被放行",
        "kubectl get events -n {}";
    /// Nothing keeps the agent's identity in its place.
    GuardMissing: "guard-missing", Wrong,
        "the policy {} or its binding is missing: a stolen token of the agent can write to every pod's status", "缺少策略 {} 或其绑定：被盗的代理令牌可以写入任何 Pod 的状态",
        "kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings";
    /// The binding only warns.
    GuardWeak: "guard-weak", Wrong,
        "the binding of the policy {} does not deny", "策略 {} 的绑定不会拒绝请求",
        "kubectl get validatingadmissionpolicybindings -o yaml";
    /// The policy is about somebody else.
    GuardElsewhere: "guard-elsewhere", Wrong,
        "the policy {} is about another identity than the agent's: it guards nobody", "策略 {} 针对的不是代理的身份：它不保护任何对象",
        "kubectl get validatingadmissionpolicies -o yaml";
    /// The policy lets through what it cannot judge.
    GuardFailsOpen: "guard-fails-open", Wrong,
        "failurePolicy of the policy {} is not Fail: what it cannot evaluate is let through", "策略 {} 的 failurePolicy 不是 Fail：无法求值的请求会被放行",
        "kubectl get validatingadmissionpolicies -o yaml";
    /// Parts of the agent without the agent.
    AgentMissing: "agent-missing", Risky,
        "there is no DaemonSet of the agent, but {} is there: kills are not confirmed", "没有代理的 DaemonSet，却有 {}：无法证实内存杀死",
        "kubectl get daemonsets -n {}";
    /// A node without an agent.
    AgentNotOnNode: "agent-not-on-node", Risky,
        "no ready agent on this node: {}", "此节点上没有就绪的代理：{}",
        "kubectl get pods -n {} -l app.kubernetes.io/component=agent -o wide";
    /// Ours is asked about itself.
    OwnNamespace: "own-namespace-included", Risky,
        "{} is also asked about the pods of podsight itself", "{} 也会对 podsight 自己的 Pod 调用",
        "kubectl get validatingwebhookconfiguration podsight-webhook -o yaml";
    /// A long wait.
    Timeout: "timeout-long", Risky,
        "timeoutSeconds of {}: every apply may wait so long", "timeoutSeconds 为 {}：每次 apply 都可能等待这么久",
        "kubectl get validatingwebhookconfiguration podsight-webhook -o yaml";
    /// One replica.
    FewReplicas: "few-replicas", Risky,
        "{} replica of the webhook is ready: warnings are missing while it restarts", "webhook 只有 {} 个就绪副本：重启期间没有警告",
        "kubectl get pods -n {} -l app.kubernetes.io/component=webhook";
    /// The certificate will expire.
    CertificateExpiring: "certificate-expiring", Risky,
        "the certificate expires in {} and was not renewed in time", "证书将在 {} 后过期，且未按时续期",
        "kubectl logs -n {} deployment/podsight-webhook";
    /// The authority will expire.
    AuthorityExpiring: "authority-expiring", Risky,
        "an authority of the caBundle that signed the certificate expires in {}", "签发证书的 CA 将在 {} 后过期",
        "kubectl logs -n {} deployment/podsight-webhook";
    /// Two masters.
    TwoIssuers: "two-issuers", Risky,
        "the webhook makes its own certificate, and cert-manager is asked to fill in the caBundle", "webhook 自行签发证书，同时又要求 cert-manager 填写 caBundle",
        "kubectl get validatingwebhookconfiguration podsight-webhook -o yaml";
    /// A NetworkPolicy in the way.
    NetworkBlocked: "network-blocked", Risky,
        "NetworkPolicy {} lets nobody reach port 8443 of the webhook", "NetworkPolicy {} 不允许访问 webhook 的 8443 端口",
        "kubectl describe networkpolicies -n {}";
    /// More than one version.
    VersionsMixed: "versions-mixed", Risky,
        "several versions run at a time: {}", "同时运行多个版本：{}",
        "kubectl get pods -n {} -L app.kubernetes.io/version";
    /// An old API server.
    ServerOld: "server-old", Risky,
        "the API server is {}: the agent's guard needs 1.30", "API 服务器版本为 {}：代理的策略需要 1.30",
        "kubectl version";
}

impl Finding {
    /// What it means.
    pub fn message(&self, lang: Lang) -> String {
        self.check.message(lang).replace("{}", &self.detail)
    }

    /// A command that shows more and changes nothing.
    pub fn next(&self, namespace: &str) -> String {
        self.check.next().replace("{}", namespace)
    }
}

/// A list that grows.
pub(crate) trait Report {
    /// Adds a finding.
    fn report(&mut self, check: Check, object: impl Into<String>, detail: impl Into<String>);
}

impl Report for Vec<Finding> {
    fn report(&mut self, check: Check, object: impl Into<String>, detail: impl Into<String>) {
        self.push(Finding { check, object: object.into(), detail: detail.into() });
    }
}
