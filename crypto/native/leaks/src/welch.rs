//! Whether two series of times have the same mean: Welch's t, over the series as they are and
//! with the slowest of both cut off at several places.
//!
//! Interrupts make some samples a hundred times as long and hide small differences; cut off at
//! a common limit, the rest is compared again (Reparaz, Balasch and Verbauwhede, "Dude, is my code
//! constant time?", 2017).

/// Parts of all samples, the fastest, that are compared.
const PARTS: [f64; 8] = [1.0, 0.999, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25];

/// Fewer of a class say nothing.
const SAMPLES_MIN: usize = 100;

/// The comparison in which two series differ most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Welch's t; beyond 4.5 the means differ, and beyond 10 without a doubt.
    pub t: f64,
    /// t over the square root of the number of samples: it does not grow with their number.
    pub tau: f64,
    /// The part of the samples that was compared.
    pub part: f64,
}

/// Compares two series, in any unit. Nothing when one has fewer than 100 samples.
pub fn compare(a: &[u32], b: &[u32]) -> Option<Difference> {
    let mut all: Vec<u32> = [a, b].concat();
    all.sort_unstable();
    PARTS
        .iter()
        .filter_map(|part| {
            let last = ((all.len() as f64 * part) as usize).checked_sub(1)?;
            let limit = *all.get(last)?;
            let (a, b) = (Moments::of(a, limit), Moments::of(b, limit));
            Some(a.against(&b, *part))
        })
        .flatten()
        .max_by(|one, other| one.t.abs().total_cmp(&other.t.abs()))
}

/// Number, mean and variance.
struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Of the samples up to a limit, in one pass (Welford).
    fn of(samples: &[u32], limit: u32) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for sample in samples.iter().filter(|sample| **sample <= limit) {
            let sample = f64::from(*sample);
            count += 1.0;
            let deviation = sample - mean;
            mean += deviation / count;
            squares += deviation * (sample - mean);
        }
        Self {
            count,
            mean,
            variance: squares / (count - 1.0),
        }
    }

    fn against(&self, other: &Self, part: f64) -> Option<Difference> {
        if self.count.min(other.count) < SAMPLES_MIN as f64 {
            return None;
        }
        let error = (self.variance / self.count + other.variance / other.count).sqrt();
        let difference = self.mean - other.mean;
        // Two series of one and the same value don't differ.
        let t = if difference == 0.0 {
            0.0
        } else {
            difference / error
        };
        let tau = t / (self.count + other.count).sqrt();
        Some(Difference { t, tau, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread evenly over 0 to 99, by a step that is prime to 100.
    fn even(count: u32, shift: u32) -> Vec<u32> {
        (0..count).map(|i| i * 37 % 100 + shift).collect()
    }

    #[test]
    fn equal_series_do_not_differ() {
        let found = compare(&even(10_000, 0), &even(10_000, 0)).unwrap();
        assert_eq!((found.t, found.tau), (0.0, 0.0));
    }

    #[test]
    fn t_is_the_difference_over_its_error() {
        // The variance of 0 to 99 is 833.25, and 100 / 99 of it in a sample of 100.
        let found = compare(&even(10_000, 0), &even(10_000, 3)).unwrap();
        let error: f64 = 2.0 * 833.25 / 9_999.0;
        assert!(found.t.abs() >= 3.0 / error.sqrt() - 1e-9, "{found:?}");
        let whole = Moments::of(&even(10_000, 0), 200)
            .against(&Moments::of(&even(10_000, 3), 200), 1.0)
            .unwrap();
        assert!((whole.t + 3.0 / error.sqrt()).abs() < 1e-9, "{whole:?}");
        assert!((whole.tau - whole.t / 20_000f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_difference_under_rare_long_samples_is_found() {
        let with_interrupts = |shift| {
            let mut samples = even(10_000, shift);
            samples
                .iter_mut()
                .step_by(500)
                .for_each(|s| *s += 1_000_000);
            samples
        };
        let found = compare(&with_interrupts(0), &with_interrupts(3)).unwrap();
        assert!(found.t.abs() > 4.5 && found.part < 1.0, "{found:?}");
    }

    #[test]
    fn few_samples_say_nothing() {
        assert_eq!(compare(&even(99, 0), &even(99, 0)), None);
        assert_eq!(compare(&[], &[]), None);
    }
}
