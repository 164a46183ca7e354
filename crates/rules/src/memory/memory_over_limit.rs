//! `memory-over-limit`

use crate::rule::{Subject, declare_rule};
use crate::runtime::server;
use crate::text::shown;
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Compares what servers are told to keep in memory with the container's limit: Redis and Valkey `--maxmemory`, PostgreSQL `shared_buffers`, MySQL and
    /// MariaDB `--innodb-buffer-pool-size`, MongoDB `--wiredTigerCacheSizeGB`, memcached `-m`, Cassandra `MAX_HEAP_SIZE`, CockroachDB `--cache` with
    /// `--max-sql-memory`, and test programs that fill memory on purpose: `stress` and `stress-ng` with `--vm N --vm-bytes B` (each worker of `stress` fills B, those of
    /// `stress-ng` share it), and the `stress` of Kubernetes' own documents with `-mem-total`.
    ///
    /// ## What happens without a change
    ///
    /// The server fills its memory as it was told and is killed at the limit: `OOMKilled`, exit code 137. Where the memory is a child process's and the kernel takes
    /// that alone, as on cgroup v1, the server goes on without it, or ends with an error of its own.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: cache}
    /// spec:
    ///   containers:
    ///   - name: redis
    ///     image: redis:8
    ///     command: [redis-server, --maxmemory, 1gb]
    ///     resources: {limits: {memory: 1Gi}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: cache}
    /// spec:
    ///   containers:
    ///   - name: redis
    ///     image: redis:8
    ///     command: [redis-server, --maxmemory, 700mb]
    ///     resources: {limits: {memory: 1Gi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Settings in configuration files are not read. Only a setting that reaches the whole limit is found.
    MemoryOverLimit {
        id: "memory-over-limit", group: "memory", certainty: Likely, predicts: [OomContainerLimit, OomChildProcess],
        en: "a server told to use more memory than its limit", zh: "服务被配置为使用超过限制的内存", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some((limit, _)) = subject.workload.memory_limit(container).filter(|(limit, _)| limit.value() > 0) else { continue };
        for size in server::sizes(container) {
            if size.bytes < limit.value() {
                continue;
            }
            let verb = if size.bytes == limit.value() { ("equals", "等于") } else { ("exceeds", "超过") };
            let written = shown(&size.written, 44);
            findings.push(
                Finding::new(rule, size.pointer)
                    .within(container)
                    .saying(
                        format!("{written} {} memory limit {limit}: will be OOMKilled (exit 137)", verb.0),
                        format!("{written} {}内存限制 {limit}：会被 OOMKilled（退出码 137）", verb.1),
                    )
                    .helped_by(
                        "leave at least a quarter of the limit to the rest of the program",
                        "至少把限制的四分之一留给程序的其余部分",
                    ),
            );
        }
    }
}
