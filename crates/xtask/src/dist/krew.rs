//! krew's manifest.

use anyhow::{Result, bail};
use podsight_testbed::images;

/// What the template leaves open.
pub(crate) struct Release<'a> {
    pub(crate) version: &'a str,
    pub(crate) homepage: &'a str,
    pub(crate) place: &'a str,
    pub(crate) archive: &'a str,
    pub(crate) sha256: &'a str,
}

/// The template with all of it filled in.
pub(crate) fn manifest(template: &str, release: &Release<'_>) -> Result<String> {
    let mut text = template.to_owned();
    for (hole, value) in [
        ("version", release.version),
        ("homepage", release.homepage),
        ("place", release.place.trim_end_matches('/')),
        ("archive", release.archive),
        ("sha256", release.sha256),
        ("architecture", images::architecture()),
    ] {
        let hole = format!("{{{{{hole}}}}}");
        if !text.contains(&hole) {
            bail!("krew's template has no {hole}");
        }
        text = text.replace(&hole, value);
    }
    if text.contains("{{") {
        bail!("krew's template leaves something open:\n{text}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_open() {
        let template = include_str!("../../../../deploy/krew/podsight.yaml");
        let sha256 = "0".repeat(64);
        let release = Release {
            version: "1.2.3",
            homepage: "https://a.example",
            place: "https://a.example/v1.2.3/",
            archive: "x.tar.gz",
            sha256: &sha256,
        };
        let text = manifest(template, &release).unwrap();
        for line in ["  version: v1.2.3", "      uri: https://a.example/v1.2.3/x.tar.gz", &format!("      sha256: {sha256}")] {
            assert!(text.lines().any(|there| there == line), "{line}\n{text}");
        }
        assert!(manifest("version: v{{version}}", &release).is_err());
        assert!(manifest(&format!("{template}{{{{more}}}}"), &release).is_err());
    }
}
