//! `podsight explain` on whatever stands in the place of a pod.

use podsight_cause::Lang;
use podsight_explain::status::ServerVersion;
use podsight_explain::{Event, Input, explain as explained, render};
use serde_json::Value;

/// JSON that may be a pod, alone or followed by events: there is always an answer, and its text cannot speak to the terminal.
pub fn explain(data: &[u8]) {
    let mut values = serde_json::Deserializer::from_slice(data).into_iter::<Value>().map_while(Result::ok);
    let Some(pod) = values.next() else { return };
    let events: Vec<Event> =
        values.take(20).enumerate().map(|(place, event)| Event::from_value(&event, format!("/items/{place}"))).collect();
    let events: Vec<&Event> = events.iter().collect();
    for lang in [Lang::En, Lang::Zh] {
        let input = Input { events: &events, lang, server: ServerVersion(30), ..Input::new(&pod) };
        let explanation = explained(&input);
        assert!(!explanation.causes.is_empty(), "there is always a cause");
        assert!(explanation.causes.iter().all(|cause| !cause.summary.is_empty()), "every cause says something");
        let text = render::text(&explanation, lang);
        assert!(!text.trim().is_empty());
        let styles_only = text.chars().all(|c| matches!(c, '\n' | '\u{1b}') || !render::hostile(c));
        assert!(styles_only, "nothing of the input reaches the terminal as it is: {text:?}");
        assert!(render::Line::of(&explanation, lang).is_none_or(|line| !line.to_string().contains("\n\n")));
        assert!(serde_json::from_str::<Value>(&render::json(&explanation).unwrap_or_default()).is_ok());
        assert!(!render::markdown(&explanation, lang).is_empty());
        let page = render::html(&[explanation], lang);
        assert!(!page.to_lowercase().contains("<script"), "the page runs nothing");
    }
}
