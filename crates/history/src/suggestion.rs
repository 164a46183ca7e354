//! A limit that may be enough.

/// One mebibyte, in bytes.
const MI: u64 = 1 << 20;
/// One gibibyte, in bytes.
const GI: u64 = 1 << 30;

/// A limit to try, in bytes, after kills at these limits (in bytes, each once) with this peak.
///
/// At an OOM kill the need is only known to be at least the limit: 1.15 times the peak or 1.25 times the highest limit, whichever is
/// more (the constants of KRR), and 1.5 times that where the limit was raised before and was not enough again. Rounded up to a size that
/// people write, and never more than the largest node has, where that is known. `None` where there is nothing to go by, or where no node
/// has more than what was not enough.
///
/// Only limits that the kernel saw reached go in: what was suggested earlier is no observation.
pub fn suggestion(limits: &[u64], peak: Option<u64>, largest_node: Option<u64>) -> Option<u64> {
    let highest = limits.iter().copied().max().unwrap_or(0);
    let peak = peak.unwrap_or(0);
    let need = portion(peak, 115).max(portion(highest, 125));
    if need == 0 {
        return None;
    }
    let was_raised = limits.iter().any(|limit| *limit < highest);
    let need = if was_raised { portion(need, 150) } else { need };
    let suggestion = round_up(need);
    match largest_node {
        Some(most) if suggestion > most => {
            let most = most / MI * MI;
            (most > highest.max(peak)).then_some(most)
        }
        _ => Some(suggestion),
    }
}

/// A share in hundredths, rounded up.
fn portion(bytes: u64, hundredths: u64) -> u64 {
    u64::try_from((u128::from(bytes) * u128::from(hundredths)).div_ceil(100)).unwrap_or(u64::MAX)
}

/// 1, 1.5 or 2 times a power of two below a gibibyte (`96Mi`, `128Mi`, `192Mi`), and a quarter of the power of two a step above.
fn round_up(bytes: u64) -> u64 {
    let below = bytes.max(MI).checked_next_power_of_two().map_or(1 << 63, |above| if above == bytes { above } else { above / 2 });
    let step = if below < GI { below / 2 } else { below / 4 };
    bytes.max(MI).checked_next_multiple_of(step.max(MI)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_from_what_the_kernel_saw() {
        for (limits, peak, node, want) in [
            // 1.25 × 256 Mi = 320 Mi.
            (&[256 * MI][..], Some(255 * MI), None, Some(384 * MI)),
            (&[32 * MI], None, None, Some(48 * MI)),
            // The peak counts for more where the limit was not the container's.
            (&[100 * MI], Some(300 * MI), None, Some(384 * MI)),
            (&[], Some(900 * MI), None, Some(GI + GI / 4)),
            // Raised, and killed again: 1.25 × 384 Mi × 1.5 = 720 Mi.
            (&[256 * MI, 384 * MI], Some(383 * MI), None, Some(768 * MI)),
            // Killed often at one limit is one observation.
            (&[256 * MI, 256 * MI, 256 * MI], None, None, Some(384 * MI)),
            (&[4 * GI], None, None, Some(5 * GI)),
            (&[13 * GI], None, None, Some(20 * GI)),
            (&[4 * GI], None, Some(4 * GI + GI / 2), Some(4 * GI + GI / 2)),
            (&[4 * GI], None, Some(4 * GI), None),
            (&[], None, None, None),
            (&[1], None, None, Some(MI)),
            (&[u64::MAX], Some(u64::MAX), None, Some(u64::MAX)),
        ] {
            assert_eq!(suggestion(limits, peak, node), want, "{limits:?} {peak:?} {node:?}");
        }
    }

    #[test]
    fn sizes_are_those_that_people_write() {
        for (bytes, want) in
            [(MI, MI), (5 * MI, 6 * MI), (65 * MI, 96 * MI), (97 * MI, 128 * MI), (128 * MI, 128 * MI), (GI, GI), (GI + 1, 5 * GI / 4)]
        {
            assert_eq!(round_up(bytes), want);
        }
    }

    proptest! {
        #[test]
        fn is_more_than_what_was_not_enough(limits in proptest::collection::vec(1..1_u64 << 50, 1..5), peak in 0..1_u64 << 50, node in proptest::option::of(1..1_u64 << 50)) {
            let highest = limits.iter().copied().max().unwrap();
            match suggestion(&limits, Some(peak), node) {
                Some(bytes) => {
                    prop_assert!(bytes > highest && bytes > peak);
                    prop_assert!(node.is_none_or(|node| bytes <= node));
                    prop_assert_eq!(bytes % MI, 0);
                    prop_assert!(bytes < 8 * highest.max(peak).max(MI));
                }
                None => prop_assert!(node.unwrap() < highest.max(peak) + MI),
            }
        }
    }
}
