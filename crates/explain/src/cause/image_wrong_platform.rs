//! `image-wrong-platform`

use super::prelude::*;

const SAYS: [&str; 8] = [
    "container operating system does not match",
    "no matching manifest for",
    "no match for platform in manifest",
    "does not match the specified platform",
    "image operating system",
    "exec format error",
    "cannot execute binary file",
    "no child with platform",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.troubled() {
        let Some(quote) = case.text(container, &SAYS) else { continue };
        let image = image_of(case, container);
        let ran = quote.has(&["exec format error", "cannot execute binary"]);
        let summary = if ran {
            say!(
                case,
                "The program in `{image}` is built for another CPU than the node has, or is a script without its #! line.",
                "“{image}”中的程序是为另一种 CPU 构建的，或者是缺少 #! 行的脚本。"
            )
        } else {
            say!(
                case,
                "`{image}` has no variant for the node's operating system and CPU.",
                "“{image}”没有适合该节点操作系统和 CPU 的版本。"
            )
        };
        let mut candidate = case
            .candidate(Cause::ImageWrongPlatform, Level::Container(rank), 94, if ran { Medium } else { High })
            .of(container)
            .quote(quote);
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        if ran {
            candidate = candidate.against(say!(
                case,
                "A script without its #! line fails with the same words on every CPU.",
                "缺少 #! 行的脚本在任何 CPU 上都会报同样的错误。"
            ));
        }
        found.push(candidate.say(summary).step(case.read_cluster(
            &["get", "node", case.pod.node, "-o", "jsonpath={.status.nodeInfo.operatingSystem}/{.status.nodeInfo.architecture}"],
            say!(
                case,
                "Shows the platform of the node, to compare with the platforms of the image.",
                "显示节点的平台，与镜像支持的平台对照。"
            ),
        )));
    }
}
