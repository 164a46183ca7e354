//! `secret-missing`

use super::object_missing::{self, Kind};
use super::prelude::*;

const KIND: Kind = Kind { cause: Cause::SecretMissing, word: "secret", volume: "secret", vague_weight: 71, explain };

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    object_missing::find(case, found, &KIND);
}

fn explain(case: &Case<'_>, candidate: Candidate, name: &str) -> Candidate {
    let shown_name = shown(name);
    let place = place(case);
    candidate
        .say(say!(
            case,
            "The Secret `{shown_name}` does not exist{place}. The pod starts by itself as soon as it does.",
            "Secret “{shown_name}” 不存在{place}。创建之后 Pod 会自行启动。"
        ))
        .step(case.read(
            &["get", "secrets"],
            say!(case, "Lists the Secrets that do exist here (names only).", "列出这里已有的 Secret（只显示名称）。"),
        ))
        .step(case.read(
            &["get", "externalsecrets,certificates,sealedsecrets"],
            say!(case, "If an operator is meant to make it: shows whether it could.", "如果本应由某个 operator 生成：查看它是否成功。"),
        ))
}
