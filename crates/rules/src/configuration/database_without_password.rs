//! `database-without-password`

use crate::rule::{Subject, declare_rule};
use crate::whole::stands_alone;
use crate::{Finding, Rule};
use podsight_spec::{Container, EnvValue, ImageRef, RestartPolicy, Role};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds the official images of MySQL, MariaDB and PostgreSQL where they begin with an empty folder and no variable says what the password of a new database is, and
    /// that of MongoDB where only one of the root user's name and password is given.
    ///
    /// ## What happens without a change
    ///
    /// The image's entry point ends with code 1 before the server starts: "Database is uninitialized and superuser password is not specified". The pod goes to `Error`, then
    /// `CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: db}
    /// spec:
    ///   containers:
    ///   - {name: db, image: "postgres:17", env: [{name: POSTGRES_USER, value: app}]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: db}
    /// spec:
    ///   containers:
    ///   - name: db
    ///     image: postgres:17
    ///     env:
    ///     - {name: POSTGRES_USER, value: app}
    ///     - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent with `envFrom`, with a command, and with a volume that may hold data or another entry point: an existing database needs no password. Tags of PostgreSQL from before
    /// 2020, which started without one, are let through. Other makers' images have other variables.
    DatabaseWithoutPassword {
        id: "database-without-password", group: "configuration", certainty: Likely, predicts: [AppConfigError],
        en: "a new database without a password", zh: "新数据库没有设置密码", check: check,
    }
}

/// An official image that wants to be told a password, from the `docker-entrypoint.sh` of its repository.
struct Database {
    image: &'static str,
    /// What its arguments may begin with.
    servers: &'static [&'static str],
    /// Each of these is enough, and so is the name of a file in the same variable with `_FILE` behind.
    any_of: &'static [&'static str],
}

const DATABASES: [Database; 3] = [
    Database {
        image: "mysql",
        servers: &["mysqld"],
        any_of: &["MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD"],
    },
    Database {
        image: "mariadb",
        servers: &["mysqld", "mariadbd"],
        any_of: &[
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_ROOT_PASSWORD_HASH",
            "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
            "MARIADB_RANDOM_ROOT_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
        ],
    },
    Database { image: "postgres", servers: &["postgres"], any_of: &["POSTGRES_PASSWORD"] },
];

/// MongoDB's pair: both or none.
const MONGO: [&str; 2] = ["MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mains = || subject.containers.iter().filter(|container| matches!(container.role, Role::Main | Role::Sidecar));
    // A patch may leave the variables to its base.
    if !mains().any(|container| is_database(container)) || !stands_alone(subject.workload) || subject.workload.is_partial() {
        return;
    }
    let never = subject.workload.restart_policy() == Some(RestartPolicy::Never);
    let state = if never { "Error" } else { "CrashLoopBackOff" };
    for container in mains() {
        let Some((image, variable)) = lacking(subject, container) else { continue };
        findings.push(
            Finding::new(rule, container.at("/env"))
                .within(container)
                .saying(
                    format!("{state} (exit 1): {image} needs {variable} to make a database"),
                    format!("{state}（退出码 1）：{image} 需要 {variable} 才能创建数据库"),
                )
                .helped_by(
                    format!("set {variable}, from a Secret: valueFrom: {{secretKeyRef: {{name: …, key: …}}}}"),
                    format!("从 Secret 设置 {variable}：valueFrom: {{secretKeyRef: {{name: …, key: …}}}}"),
                ),
        );
    }
}

fn is_database(container: &Container<'_>) -> bool {
    let name = container.image().and_then(|image| ImageRef::parse(image).ok()).map(|image| image.base_name());
    name.is_some_and(|name| matches!(name, "mysql" | "mariadb" | "postgres" | "mongo"))
}

/// The image and the variable that it does not start without.
fn lacking(subject: &Subject<'_>, container: &Container<'_>) -> Option<(&'static str, &'static str)> {
    let image = ImageRef::parse(container.image()?).ok()?;
    if container.command().is_some() || container.value.get("command").is_some_and(|command| !command.is_array()) {
        return None;
    }
    if image.is_official("mongo") && runs(container, &["mongod"]) {
        // It looks at these before it looks for data.
        let lacks = MONGO.iter().copied().filter(|name| !is_given(container, name)).collect::<Vec<_>>();
        return if let [lacking] = lacks.as_slice() { Some(("mongo", lacking)) } else { None };
    }
    let database = DATABASES.iter().find(|database| image.is_official(database.image))?;
    if !runs(container, database.servers) || database.any_of.iter().any(|name| is_given(container, name)) {
        return None;
    }
    if database.image == "postgres" && (trusts(container) || !asks(&image)) {
        return None;
    }
    let begins_empty = !may_hold_data(subject, container);
    begins_empty.then_some((database.image, database.any_of.first().copied()?))
}

/// Whether the entry point makes a database: its arguments are the server's options, and none names another folder or ends it at once.
fn runs(container: &Container<'_>, servers: &[&str]) -> bool {
    const OTHERWISE: [&str; 9] = ["help", "version", "-V", "-?", "wsrep", "datadir", "data_directory", "config", "defaults"];
    let Some(arguments) = container.args() else { return container.value.get("args").is_none_or(Value::is_array) };
    let first = arguments.first().copied().unwrap_or_default();
    (first.starts_with('-') || servers.contains(&first))
        && !arguments.iter().any(|argument| *argument == "-D" || OTHERWISE.iter().any(|other| argument.contains(other)))
}

/// Whether a variable, or the one with the name of its file, is set to something, or may be.
fn is_given(container: &Container<'_>, name: &str) -> bool {
    let given = |name: &str| !matches!(container.env(name), EnvValue::Absent | EnvValue::Literal("", _));
    given(name) || given(&format!("{name}_FILE"))
}

/// Whether PostgreSQL is told to let everybody in.
fn trusts(container: &Container<'_>) -> bool {
    match container.env("POSTGRES_HOST_AUTH_METHOD") {
        EnvValue::Literal(method, _) => method == "trust",
        EnvValue::Unknown => true,
        EnvValue::Absent => false,
    }
}

/// Whether the image of PostgreSQL is of 2020 or later, when it began to ask: from version 13, or a tag that moved on since.
fn asks(image: &ImageRef<'_>) -> bool {
    let tag = image.tag.unwrap_or_default();
    let version: &str = tag.split('-').next().unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= 13 => true,
        _ if image.digest.is_some() => false,
        Ok(_) => matches!(version, "9" | "9.5" | "9.6" | "10" | "11" | "12"),
        // `latest`, `alpine`, `trixie`
        Err(_) => !tag.contains(|c: char| c.is_ascii_digit()),
    }
}

/// Whether something that is mounted may be a database already, or another entry point.
fn may_hold_data(subject: &Subject<'_>, container: &Container<'_>) -> bool {
    let array = |value: &Value, field: &str| value.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let volumes = array(subject.workload.pod, "volumes");
    let is_filled = |volume: &str| {
        let others = subject.containers.iter().filter(|other| other.role == Role::Init);
        others.flat_map(|other| array(other.value, "volumeMounts")).any(|mount| name(&mount).as_deref() == Some(volume))
    };
    let may = |mount: &Value| {
        let Some(volume) = name(mount) else { return true };
        let path = mount.get("mountPath").and_then(Value::as_str).unwrap_or_default();
        if path.starts_with("/usr") || path.rsplit('.').next() == Some("sh") || path.trim_matches('/').is_empty() {
            return true;
        }
        let source = volumes.iter().find(|other| name(other).as_deref() == Some(volume.as_str()));
        let has = |field: &str| source.is_some_and(|source| source.get(field).is_some());
        let is_files = ["configMap", "secret", "projected", "downwardAPI"].into_iter().any(has);
        !(is_files || has("emptyDir") && !is_filled(&volume))
    };
    array(container.value, "volumeMounts").iter().any(may) || !array(container.value, "volumeDevices").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_tags_that_ask() {
        let asks = |image: &str| asks(&ImageRef::parse(image).unwrap());
        for image in
            ["postgres", "postgres:latest", "postgres:alpine", "postgres:17", "postgres:13.4-alpine", "postgres:9.6", "postgres:12-alpine"]
        {
            assert!(asks(image), "{image}");
        }
        for image in ["postgres:9.5.3", "postgres:9.4", "postgres:10.4", "postgres:11.2-alpine", "postgres:8"] {
            assert!(!asks(image), "{image}");
        }
    }
}
