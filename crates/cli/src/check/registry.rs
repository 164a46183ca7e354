//! `--registry`: whether images and their platforms exist, asked of their registries.

mod answer;
mod client;
mod credentials;

use client::Client;
use credentials::Credentials;
use indicatif::{ProgressBar, ProgressStyle};
use podsight_rules::ImageAnswer;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many registries' answers are waited for at a time: enough to hide their latency, few enough for their rate limits.
const AT_A_TIME: usize = 8;

/// What came of one image: an answer, or why there is none.
pub(crate) type Asked = Result<ImageAnswer, String>;

/// Asks for each image once, a few at a time, and gives the answers in the order of the images.
pub(crate) fn ask(images: &BTreeSet<String>) -> Vec<(String, Asked)> {
    if images.is_empty() {
        return Vec::new();
    }
    let client = Client::new(Credentials::of_the_user());
    let images: Vec<&String> = images.iter().collect();
    // It shows itself on a terminal only.
    let bar = ProgressBar::new(u64::try_from(images.len()).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} images {wide_msg}") {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let answers: Vec<Mutex<Option<Asked>>> = images.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(images.len()) {
            scope.spawn(|| {
                while let Some((image, slot)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    images.get(number).zip(answers.get(number))
                } {
                    let answer = client.ask(image);
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let answers = answers.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
    let unasked = || Err("it was not asked for".to_owned());
    images.into_iter().cloned().zip(answers.map(|answer| answer.unwrap_or_else(unasked))).collect()
}
