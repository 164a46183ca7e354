//! What servers and test programs are told to keep in memory.

use super::{Size, jvm, line};
use podsight_spec::{Container, EnvValue, Quantity};

/// The sizes that a container's programs are told, all that can be read.
pub(crate) fn sizes(container: &Container<'_>) -> Vec<Size> {
    let mut found = Vec::new();
    if let EnvValue::Literal(value, number) = container.env("MAX_HEAP_SIZE")
        && let Some(bytes) = jvm::bytes(value)
    {
        found.push(Size { bytes, written: format!("MAX_HEAP_SIZE {value}"), pointer: container.at(&format!("/env/{number}/value")) });
    }
    let programs = line::programs(container);
    for program in &programs {
        let words: Vec<&str> = program.iter().map(|word| if word.literal { &*word.text } else { "" }).collect();
        let Some(read) = reader(container, &words) else { continue };
        if let Some((at, bytes, written)) = read(&words) {
            let pointer = program.get(at).map(line::Word::pointer).unwrap_or_default();
            found.push(Size { bytes, written, pointer });
        }
    }
    found
}

/// Where the setting stands, its bytes, and how it is written.
type Found = Option<(usize, i64, String)>;

/// How to read the line of a program, by its name, or by the image's where the image's own program gets the arguments.
fn reader(container: &Container<'_>, words: &[&str]) -> Option<fn(&[&str]) -> Found> {
    let image =
        container.image().and_then(|image| podsight_spec::ImageRef::parse(image).ok()).map(|image| image.base_name()).unwrap_or_default();
    let first = words.first().copied().unwrap_or_default();
    let named = if container.command().is_none() && (first.starts_with('-') || first.is_empty()) { image } else { line::base_name(first) };
    let reader: fn(&[&str]) -> Found = match named {
        "redis" | "redis-server" | "valkey" | "valkey-server" | "keydb" | "keydb-server" => redis,
        "postgres" | "postgresql" => postgres,
        "mysql" | "mysqld" | "mariadb" | "mariadbd" | "mysqld_safe" => mysql,
        "mongo" | "mongod" => mongo,
        "memcached" => memcached,
        "stress" | "polinux-stress" => stress,
        "stress-ng" => stress_ng,
        "cockroach" | "cockroachdb" => cockroach,
        _ => return None,
    };
    Some(reader)
}

/// The value of an option: `--name value` or `--name=value`, the last one.
fn option<'a>(words: &[&'a str], names: &[&str]) -> Option<(usize, &'a str)> {
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        for name in names {
            if word == name {
                found = words.get(at + 1).map(|value| (at + 1, *value));
            } else if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                found = Some((at, value));
            }
        }
    }
    found
}

/// A number and a unit of a table; the units are compared without case.
fn size(value: &str, units: &[(&str, i64)]) -> Option<i64> {
    let value = value.trim_matches(['"', '\'']);
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor)?;
    number.parse::<i64>().ok()?.checked_mul(factor)
}

const K: i64 = 1 << 10;
const M: i64 = 1 << 20;
const G: i64 = 1 << 30;

/// `memtoll` of Redis: `k` is 1,000 and `kb` 1,024.
fn redis(words: &[&str]) -> Found {
    let (at, value) = option(words, &["--maxmemory"])?;
    let bytes = size(value, &[("", 1), ("b", 1), ("k", 1_000), ("kb", K), ("m", 1_000_000), ("mb", M), ("g", 1_000_000_000), ("gb", G)])?;
    Some((at, bytes, format!("maxmemory {value}"))).filter(|_| bytes > 0)
}

/// `shared_buffers` of PostgreSQL: blocks of 8 KiB without a unit.
fn postgres(words: &[&str]) -> Found {
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let setting = word.strip_prefix("-c").or_else(|| word.strip_prefix("--")).unwrap_or(word);
        let Some(value) = setting.strip_prefix("shared_buffers=").or_else(|| setting.strip_prefix("shared-buffers=")) else { continue };
        let bytes = size(value, &[("", 8 * K), ("kB", K), ("MB", M), ("GB", G), ("TB", 1 << 40)])?;
        found = Some((at, bytes, format!("shared_buffers {value}")));
    }
    found
}

fn mysql(words: &[&str]) -> Found {
    let (at, value) = option(words, &["--innodb-buffer-pool-size", "--innodb_buffer_pool_size"])?;
    let bytes = size(value, &[("", 1), ("K", K), ("M", M), ("G", G), ("T", 1 << 40)])?;
    Some((at, bytes, format!("innodb-buffer-pool-size {value}")))
}

fn mongo(words: &[&str]) -> Found {
    let (at, value) = option(words, &["--wiredTigerCacheSizeGB"])?;
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates, and fractions of a byte do not matter")]
    let bytes = (value.parse::<f64>().ok()? * 1_073_741_824.0) as i64;
    Some((at, bytes, format!("wiredTigerCacheSizeGB {value}")))
}

/// `-m`: MiB.
fn memcached(words: &[&str]) -> Found {
    let (at, value) = option(words, &["-m", "--memory-limit"]).or_else(|| {
        words.iter().enumerate().find_map(|(at, word)| word.strip_prefix("-m").filter(|value| !value.is_empty()).map(|value| (at, value)))
    })?;
    let bytes = size(value, &[("", M), ("m", M), ("g", G)])?;
    Some((at, bytes, format!("memcached -m {value}")))
}

/// `stress`: each of N workers fills B bytes (`hogvm`).
fn stress(words: &[&str]) -> Found {
    memory_total(words).or_else(|| {
        let (at, value, bytes, workers) = workers(words)?;
        let written = if workers > 1 { format!("--vm {workers} --vm-bytes {value}") } else { format!("--vm-bytes {value}") };
        Some((at, bytes.checked_mul(workers)?, written))
    })
}

/// `stress-ng` divides B among its workers (`stress-vm.c`). With `--oom-avoid` they keep away from the limit.
fn stress_ng(words: &[&str]) -> Found {
    if words.contains(&"--oom-avoid") {
        return None;
    }
    let (at, value, bytes, _) = workers(words)?;
    Some((at, bytes, format!("--vm-bytes {value}")))
}

/// `--vm N --vm-bytes B`: where B stands, B, its bytes, and N. Without workers nothing is filled. The units are powers of 1,024.
fn workers<'a>(words: &[&'a str]) -> Option<(usize, &'a str, i64, i64)> {
    let short = || words.iter().find_map(|word| word.strip_prefix("-m").filter(|count| !count.is_empty()));
    let count = option(words, &["--vm", "-m"]).map(|(_, count)| count).or_else(short)?;
    let workers = count.parse::<i64>().ok().filter(|workers| *workers > 0)?;
    let (at, value) = option(words, &["--vm-bytes"])?;
    let bytes = size(value, &[("", 1), ("B", 1), ("K", K), ("M", M), ("G", G), ("T", 1 << 40)])?;
    Some((at, value, bytes, workers))
}

/// `stress` of Kubernetes' own tests and documents (vish/stress, agnhost): `-mem-total`, a quantity that it allocates step by step.
fn memory_total(words: &[&str]) -> Found {
    let (at, value) = option(words, &["-mem-total", "--mem-total"])?;
    let bytes = Quantity::parse(value).ok()?.value();
    Some((at, bytes, format!("-mem-total {value}")))
}

/// The cache and the memory of queries together.
fn cockroach(words: &[&str]) -> Found {
    let units = [("", 1), ("B", 1), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", K), ("MiB", M), ("GiB", G)];
    let (at, cache) = option(words, &["--cache"])?;
    let (_, queries) = option(words, &["--max-sql-memory"])?;
    Some((at, size(cache, &units)?.checked_add(size(queries, &units)?)?, format!("--cache {cache} + --max-sql-memory {queries}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_spec::workloads;
    use serde_json::{Value, json};

    fn bytes(container: &Value) -> Vec<i64> {
        let value = json!({"kind": "Pod", "spec": {"containers": [container]}});
        sizes(&workloads(&value)[0].containers()[0]).into_iter().map(|size| size.bytes).collect()
    }

    #[test]
    fn reads_what_servers_read() {
        for (container, want) in [
            (json!({"image": "redis:8", "args": ["--maxmemory", "100mb"]}), vec![100 << 20]),
            (json!({"command": ["redis-server", "--maxmemory 1"]}), vec![]),
            (json!({"command": ["sh", "-c", "exec redis-server /etc/r.conf --maxmemory 2gb"]}), vec![2 << 30]),
            (json!({"image": "postgres:17", "args": ["-c", "shared_buffers=256MB", "-cmax_connections=5"]}), vec![256 << 20]),
            (json!({"image": "mysql", "args": ["--innodb-buffer-pool-size=1G"]}), vec![1 << 30]),
            (json!({"image": "mongo", "args": ["--wiredTigerCacheSizeGB", "0.5"]}), vec![1 << 29]),
            (json!({"image": "memcached", "args": ["-m", "64"]}), vec![64 << 20]),
            (
                json!({"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]}),
                vec![250 << 20],
            ),
            (json!({"command": ["stress", "--vm=2", "--vm-bytes=100M"]}), vec![200 << 20]),
            (json!({"command": ["sh", "-c", "stress -c 1 -m4 --vm-bytes 1G --timeout 60"]}), vec![4 << 30]),
            (json!({"command": ["stress-ng", "-m", "2", "--vm-bytes", "100M"]}), vec![100 << 20]),
            (json!({"command": ["stress-ng", "--vm", "2", "--vm-bytes", "80%"]}), vec![]),
            (json!({"command": ["stress-ng", "--vm", "2", "--vm-bytes", "1G", "--oom-avoid"]}), vec![]),
            (json!({"command": ["stress", "--cpu", "4", "--vm-bytes", "1G"]}), vec![]),
            (json!({"command": ["sh", "-c", "stress --vm $WORKERS --vm-bytes 1G"]}), vec![]),
            (json!({"image": "vish/stress", "args": ["-mem-total", "1Gi", "-mem-alloc-size", "1Mi"]}), vec![1 << 30]),
            (json!({"image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["stress", "--mem-total=150Mi"]}), vec![150 << 20]),
            (json!({"env": [{"name": "MAX_HEAP_SIZE", "value": "512M"}]}), vec![512 << 20]),
            (json!({"image": "nginx", "args": ["-m", "64"]}), vec![]),
            (json!({"image": "redis", "args": ["--maxmemory", "$(SIZE)"]}), vec![]),
        ] {
            assert_eq!(bytes(&container), want, "{container}");
        }
    }
}
