//! A page that needs nothing but itself: no script, no font, no address.

use super::{clean, words};
use crate::explanation::{Explained, Explanation, Moment};
use jiff::Timestamp;
use podsight_cause::{Group, Lang};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.3rem}h2{font-size:1.1rem;margin-bottom:.2rem}code,pre{font:13px ui-monospace,monospace;background:#f2f4f6;border-radius:4px}\
code{padding:.1em .3em}pre{padding:.6em;white-space:pre-wrap;overflow-wrap:anywhere;margin:.2em 0}time{white-space:nowrap}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}\
.bad{color:#b3261e}.good{color:#1a7f37}.dim{color:#667}.changes{color:#9a6700}.summary{font-size:1.1rem}section{border-top:1px solid #d6dae0;margin-top:1.5rem}\
ol{padding-left:1.2rem}svg text{font:11px system-ui,sans-serif}\
@media(prefers-color-scheme:dark){body{background:#14171a;color:#e3e6ea}code,pre{background:#22272d}.bad{color:#ff8a80}.good{color:#6fdc8c}.dim{color:#9aa4af}.changes{color:#e3b341}section{border-color:#333a42}}";

/// The page of some explanations.
pub fn html(explanations: &[Explanation], lang: Lang) -> String {
    let tag = match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>podsight explain</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    if explanations.len() > 1 {
        contents(&mut out, explanations, lang);
    }
    for (place, explanation) in explanations.iter().enumerate() {
        section(&mut out, place, explanation, lang);
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// All pods in a line each.
fn contents(out: &mut String, explanations: &[Explanation], lang: Lang) {
    out.push_str("<table>\n");
    for (place, explanation) in explanations.iter().enumerate() {
        let Some(best) = explanation.causes.first() else { continue };
        append!(
            out,
            "<tr><td><a href=\"#pod-{place}\">{}</a></td><td>{}</td><td class=\"{}\">{}</td></tr>\n",
            escape(&words::title(explanation, lang)),
            escape(&explanation.columns.status),
            class(best),
            best.cause
        );
    }
    out.push_str("</table>\n");
}

fn class(cause: &Explained) -> &'static str {
    if cause.cause.group() == Group::Normal { "good" } else { "bad" }
}

fn section(out: &mut String, place: usize, explanation: &Explanation, lang: Lang) {
    let words = words::words(lang);
    let columns = &explanation.columns;
    append!(out, "<section id=\"pod-{place}\">\n<h1>{}</h1>\n", escape(&words::title(explanation, lang)));
    append!(
        out,
        "<table><tr><th>STATUS</th><th>READY</th><th>RESTARTS</th></tr><tr><td>{}</td><td>{}</td><td>{}</td></tr></table>\n",
        escape(&columns.status),
        escape(&columns.ready),
        columns.restarts
    );
    for (place, cause) in explanation.causes.iter().enumerate() {
        let class = class(cause);
        let head = if place == 0 { String::new() } else { format!("{}: ", words.or) };
        let container = cause.container.as_deref().map(|name| format!(" · <code>{}</code>", escape(name))).unwrap_or_default();
        append!(
            out,
            "<h2 class=\"{class}\">{head}{} <span class=\"dim\">({})</span>{container}</h2>\n<p{}>{}</p>\n",
            cause.cause,
            words::confidence(cause.confidence, lang),
            if place == 0 { " class=\"summary\"" } else { "" },
            escape(&cause.summary)
        );
        if !cause.evidence.is_empty() {
            append!(out, "<h3>{}</h3>\n<ul>\n", words.because);
            for evidence in &cause.evidence {
                let source = words::source(evidence.source, lang);
                append!(
                    out,
                    "<li>{} <span class=\"dim\">{source} <code>{}</code></span></li>\n",
                    escape(&evidence.text),
                    escape(&evidence.pointer)
                );
            }
            out.push_str("</ul>\n");
        }
        for doubt in &cause.against {
            append!(out, "<p>{}: {}</p>\n", words.but, escape(doubt));
        }
        if !cause.next.is_empty() {
            append!(out, "<h3>{}</h3>\n<ul>\n", words.next);
            for step in &cause.next {
                let changes =
                    if step.changes_something { format!(" <span class=\"changes\">({})</span>", words.changes) } else { String::new() };
                append!(out, "<li>{}{changes}<pre>{}</pre></li>\n", escape(&step.why), escape(&step.command));
            }
            out.push_str("</ul>\n");
        }
        if !cause.warned_by.is_empty() {
            append!(out, "<p>{}: <code>{}</code></p>\n", words.warned, escape(&cause.warned_by.join(", ")));
        }
    }
    if !explanation.log.is_empty() {
        let lines: Vec<String> = explanation.log.iter().map(|line| escape(line)).collect();
        append!(out, "<h2>{}</h2>\n<pre>{}</pre>\n", words.log, lines.join("\n"));
    }
    if !explanation.timeline.is_empty() {
        append!(out, "<h2>{}</h2>\n", words.timeline);
        drawing(out, &explanation.timeline);
        out.push_str("<table>\n");
        for moment in &explanation.timeline {
            let class = if moment.bad { " class=\"bad\"" } else { "" };
            append!(
                out,
                "<tr{class}><td><time>{:.0}</time></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                moment.at,
                words::source(moment.source, lang),
                escape(moment.container.as_deref().unwrap_or_default()),
                escape(&moment.text)
            );
        }
        out.push_str("</table>\n");
    }
    out.push_str("</section>\n");
}

/// The moments on a line, to scale.
fn drawing(out: &mut String, moments: &[Moment]) {
    const WIDTH: f64 = 900.0;
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return };
    let seconds = |at: Timestamp| at.duration_since(first.at).as_secs_f64();
    let length = seconds(last.at).max(1.0);
    out.push_str("<svg viewBox=\"-10 0 920 50\" width=\"100%\" role=\"img\"><line x1=\"0\" y1=\"20\" x2=\"900\" y2=\"20\" stroke=\"currentColor\" stroke-opacity=\".3\"/>");
    for moment in moments {
        let x = seconds(moment.at) / length * WIDTH;
        let (radius, fill) = if moment.bad { (5, "#d1372c") } else { (3, "#7a8794") };
        append!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"20\" r=\"{radius}\" fill=\"{fill}\"><title>{} {}</title></circle>",
            moment.at,
            escape(&moment.text)
        );
    }
    for (x, anchor, at) in [(0, "start", first.at), (900, "end", last.at)] {
        append!(out, "<text x=\"{x}\" y=\"46\" text-anchor=\"{anchor}\" fill=\"currentColor\">{at:.0}</text>");
    }
    out.push_str("</svg>\n");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
