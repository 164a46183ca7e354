//! A storm of kills, of which the kernel tells a few: each is counted and put down to its container, also when the agent is killed meanwhile.
//!
//! `PODSIGHT_STORMS` says how many of each kind, twelve pods each; one is enough for every day, of four pods where the node is emulated.

use crate::each::{self, Place};
use crate::storm::{Agent, Kind, Pods, STORMS, kills_single_processes};
use anyhow::{Context as _, Result};
use podsight_testbed::description::{self, Cgroup};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(description::Kind::Machine, "e2e-storm", storms)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(description::Kind::Guest, "e2e-storm", storms)
}

#[test]
fn of_groups_in_the_guest() -> Result<()> {
    each::on(description::Kind::Guest, "e2e-storm-group", of_groups)
}

fn storms(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_disturbed()?;
    if place.node.cgroup == Cgroup::V1 {
        return of_children(place);
    }
    // As `singleProcessOOMKill: true` on every node of the cluster: then cgroup v2 kills as v1 does.
    kills_single_processes(place, "single", true)?;
    let stormed = of_children(place);
    kills_single_processes(place, "whole", false)?;
    stormed
}

/// All processes of a container are one incident.
fn of_groups(place: &Place<'_>) -> Result<()> {
    if place.node.cgroup == Cgroup::V1 {
        return Ok(());
    }
    let _agent = place.agent_disturbed()?;
    let mut pods = Pods::create(place, "group", Kind::Groups)?;
    show(&pods.storm(Agent::Left)?);
    pods.delete()
}

fn of_children(place: &Place<'_>) -> Result<()> {
    let rounds = std::env::var(STORMS).ok().map_or(Ok(1), |rounds| rounds.parse()).with_context(|| format!("{STORMS} is a number"))?;
    let mut pods = Pods::create(place, "child", Kind::Children)?;
    for _ in 0..rounds {
        show(&pods.storm(Agent::Left)?);
        show(&pods.storm(Agent::Killed)?);
    }
    pods.delete()
}

#[expect(clippy::print_stdout, reason = "figures for who asks with --show-output")]
fn show(text: &str) {
    print!("{text}");
}
