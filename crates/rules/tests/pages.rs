//! docs/rules is generated from the catalogue and fresh.

use std::path::Path;

#[test]
fn docs_rules_is_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    let pages = podsight_rules::pages();
    if std::env::var_os("PODSIGHT_WRITE_PAGES").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let found = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(&found == text, "docs/rules/{name} is not fresh: run cargo xtask gen");
    }
    let known: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&&name), "docs/rules/{name} belongs to no rule");
    }
}
