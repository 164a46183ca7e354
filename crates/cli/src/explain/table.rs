//! The server's own columns: what `kubectl get pods` prints, which is the Table that the API server computes.

use super::cluster::Cluster;
use podsight_explain::status::Columns;
use std::collections::HashMap;

/// The columns by namespace and name; the namespace is empty where all pods are of one.
#[derive(Debug, Default)]
pub(super) struct ServerColumns(HashMap<(String, String), Columns>);

impl ServerColumns {
    /// Asks with the words that asked for the pods. Without an answer the columns are computed here.
    pub(super) fn ask(cluster: &Cluster, words: &[String]) -> Self {
        // In chunks the columns would not stand below their heads.
        let words: Vec<String> = words.iter().cloned().chain(["--chunk-size=0".to_owned()]).collect();
        cluster.run(&words).map(|output| Self::read(&String::from_utf8_lossy(&output))).unwrap_or_default()
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The columns of a pod.
    pub(super) fn of(&self, namespace: &str, name: &str) -> Option<&Columns> {
        let find = |namespace: &str| self.0.get(&(namespace.to_owned(), name.to_owned()));
        find(namespace).or_else(|| find(""))
    }

    /// Reads a printed table: each cell begins below its head, counted in characters (`text/tabwriter`).
    pub(super) fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let heads = heads(lines.next().unwrap_or_default());
        let rows = lines.filter_map(|line| {
            let cell = |head: &str| {
                let place = heads.iter().position(|(name, _)| name == head)?;
                let from = heads.get(place)?.1;
                let until = heads.get(place + 1).map_or(usize::MAX, |(_, next)| *next);
                Some(line.chars().skip(from).take(until.saturating_sub(from)).collect::<String>().trim().to_owned())
            };
            let (status, ready) = (cell("STATUS")?, cell("READY")?);
            // `3 (2m ago)`: the age is of the moment of asking, and only the number is kept.
            let restarts = cell("RESTARTS")?.split(' ').next()?.parse().ok()?;
            ready.split_once('/').filter(|_| !status.is_empty())?;
            let columns = Columns { status, ready, restarts, last_restart: None };
            let name = cell("NAME")?;
            // Where several kinds were asked for, each name has its kind before it.
            Some(((cell("NAMESPACE").unwrap_or_default(), name.strip_prefix("pod/").unwrap_or(&name).to_owned()), columns))
        });
        Self(rows.collect())
    }
}

/// The heads of the columns with the characters that they begin at.
pub(super) fn heads(line: &str) -> Vec<(String, usize)> {
    let mut heads: Vec<(String, usize)> = Vec::new();
    let mut inside = false;
    for (place, c) in line.chars().enumerate() {
        match (c, heads.last_mut()) {
            (' ', _) => inside = false,
            (_, Some((head, _))) if inside => head.push(c),
            _ => {
                heads.push((c.to_string(), place));
                inside = true;
            }
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(status: &str, ready: &str, restarts: i64) -> Columns {
        Columns { status: status.to_owned(), ready: ready.to_owned(), restarts, last_restart: None }
    }

    #[test]
    fn reads_what_kubectl_prints() {
        let table = ServerColumns::read(
            "NAMESPACE   NAME    READY   STATUS             RESTARTS       AGE\n\
             a           web-1   0/1     CrashLoopBackOff   12 (3m4s ago)   40m\n\
             b           web-1   2/2     Running            0               7s\n",
        );
        assert_eq!(table.of("a", "web-1"), Some(&columns("CrashLoopBackOff", "0/1", 12)));
        assert_eq!(table.of("b", "web-1"), Some(&columns("Running", "2/2", 0)));
        assert_eq!(table.of("c", "web-1"), None);
    }

    #[test]
    fn a_reason_with_blanks_stays_one_cell() {
        let table = ServerColumns::read(
            "NAME   READY   STATUS                 RESTARTS   AGE\n\
             x      0/1     no such handler: gvo   0          5s\n",
        );
        assert_eq!(table.of("any", "x"), Some(&columns("no such handler: gvo", "0/1", 0)));
    }

    #[test]
    fn what_is_no_table_says_nothing() {
        for text in ["", "No resources found", "NAME READY STATUS RESTARTS\nx", "NAME   STATUS\nx      Active\n"] {
            assert!(ServerColumns::read(text).0.is_empty(), "{text:?}");
        }
    }
}
