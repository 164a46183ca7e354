//! What several tests need and others disturb. The tests may be in several programs that run beside each other, so the locks are files of the testbed.

use std::fs::{self, File};

use anyhow::{Context as _, Result};
use podsight_testbed::description::Node;

use crate::testbed::Testbed;

/// A part of the testbed that tests share.
#[derive(Debug, Clone, Copy)]
pub enum Part<'p> {
    /// The installed webhook: its warnings reach users.
    Webhook,
    /// The agent of a node: it runs and reads its kernel's log.
    Agent(&'p Node),
}

/// Held as long as a test has its turn.
#[derive(Debug)]
#[must_use]
pub struct Turn(#[expect(dead_code, reason = "the lock ends with the file")] File);

impl Testbed {
    /// Waits until nobody disturbs `part`, and keeps it so.
    pub fn needed(&self, part: Part<'_>) -> Result<Turn> {
        let file = self.lock_file(part)?;
        file.lock_shared().with_context(|| format!("wait until nobody disturbs {part:?}"))?;
        Ok(Turn(file))
    }

    /// Waits until nobody needs `part`, which may then be disturbed.
    pub fn disturbed(&self, part: Part<'_>) -> Result<Turn> {
        let file = self.lock_file(part)?;
        file.lock().with_context(|| format!("wait until nobody needs {part:?}"))?;
        Ok(Turn(file))
    }

    fn lock_file(&self, part: Part<'_>) -> Result<File> {
        let folder = self.description.folder.join("turns");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let path = folder.join(match part {
            Part::Webhook => "webhook".to_owned(),
            Part::Agent(node) => format!("agent-{}", node.name),
        });
        File::create(&path).with_context(|| format!("create {}", path.display()))
    }
}
