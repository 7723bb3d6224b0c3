//! Asks whether the time of an operation tells two classes of secrets apart
//! (benchmarks/bench_timing.py).
//!
//! `timing seconds|samples NUMBER` measures each target for so long, or so often. Each line of
//! the output is a word and its values. The classes alternate at random, so that what else the
//! machine does meets both.

mod noise;
mod targets;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sscard_sm::Backend;
use sscard_sm_leaks::welch;

use noise::Noise;
use targets::{Measured, all};

/// Inputs that are made ready before they are measured.
const BATCH: usize = 256;

enum Limit {
    Time(Duration),
    Samples(usize),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (Some(limit), Ok(())) = (limit(&arguments), sscard_sm::prepare()) else {
        eprintln!("usage: timing seconds|samples NUMBER");
        return ExitCode::FAILURE;
    };
    println!("backend {}", Backend::current().name());
    let mut noise = Noise::seeded_by_the_clock();
    println!("seed {}", noise.seed());
    let Some(targets) = all(&mut noise) else {
        eprintln!("a key was refused");
        return ExitCode::FAILURE;
    };
    for mut target in targets {
        let [a, b] = measure(&mut *target.work, &limit, &mut noise);
        let count = a.len() + b.len();
        if let Some(found) = welch::compare(&a, &b) {
            let (t, tau, part) = (found.t, found.tau, found.part);
            println!("target {} {count} {t:.3} {tau:.6} {part}", target.name);
        }
    }
    ExitCode::SUCCESS
}

fn limit(arguments: &[String]) -> Option<Limit> {
    let [unit, number] = arguments else {
        return None;
    };
    match unit.as_str() {
        "seconds" => Duration::try_from_secs_f64(number.parse().ok()?)
            .ok()
            .map(Limit::Time),
        "samples" => number.parse().ok().map(Limit::Samples),
        _ => None,
    }
}

/// Nanoseconds of the two classes.
fn measure(work: &mut dyn Measured, limit: &Limit, noise: &mut Noise) -> [Vec<u32>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let start = Instant::now();
    loop {
        let done = times[0].len() + times[1].len();
        let enough = match limit {
            Limit::Time(time) => start.elapsed() >= *time,
            Limit::Samples(samples) => done >= *samples,
        };
        if enough {
            return times;
        }
        let classes: Vec<bool> = (0..BATCH).map(|_| noise.bit()).collect();
        work.make_ready(&classes, noise);
        for (index, class) in classes.iter().enumerate() {
            let before = Instant::now();
            work.run(index);
            let nanoseconds = before.elapsed().as_nanos();
            // The first batch warms up.
            if done > 0 || !times.iter().all(Vec::is_empty) || index > BATCH / 2 {
                times[usize::from(*class)].push(nanoseconds.min(u128::from(u32::MAX)) as u32);
            }
        }
    }
}
