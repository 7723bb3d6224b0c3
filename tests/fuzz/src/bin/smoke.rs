//! Runs targets without an engine: `smoke TARGET SEED RUNS CORPUS`.
//!
//! Prints one line of JSON: how often each stage was reached, how many inputs there were, and how
//! long the slowest took. An input that panics is printed in hexadecimal.

use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use sscard_fuzz::choices::Choices;
use sscard_fuzz::random::Random;
use sscard_fuzz::{Reached, TARGETS, Target, find};
use sscard_sm::Backend;

/// Bytes of the longest input.
const INPUT_MAX: usize = 700;
/// What takes longer is counted as a hang.
const HANG: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [word] if word == "list" => {
            TARGETS
                .iter()
                .for_each(|target| println!("{}", target.name));
            ExitCode::SUCCESS
        }
        [name, seed, runs, corpus] => match (find(name), seed.parse(), runs.parse()) {
            (Some(target), Ok(seed), Ok(runs)) => smoke(target, seed, runs, corpus),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("smoke list | smoke TARGET SEED RUNS CORPUS");
    ExitCode::from(2)
}

fn smoke(target: &Target, seed: u64, runs: usize, corpus: &str) -> ExitCode {
    let Some(corpus) = read_corpus(corpus) else {
        eprintln!("{corpus} can't be read as lines of hexadecimal digits");
        return ExitCode::from(2);
    };
    let mut random = Random::new(seed);
    let mut reached = Reached::default();
    let mut slowest = 0;
    for number in 0..corpus.len() + runs {
        let input = match corpus.get(number) {
            Some(input) => input.clone(),
            None => random.input(&corpus, INPUT_MAX),
        };
        let start = Instant::now();
        let run = || (target.run)(&mut Choices::new(&input), &mut reached);
        if panic::catch_unwind(panic::AssertUnwindSafe(run)).is_err() {
            println!(
                "input {number} of {}, seed {seed}: {}",
                target.name,
                to_hex(&input)
            );
            return ExitCode::FAILURE;
        }
        let mut elapsed = start.elapsed();
        if elapsed > HANG {
            // It may have been the machine, or the tables that the first input builds.
            let start = Instant::now();
            (target.run)(&mut Choices::new(&input), &mut reached);
            elapsed = elapsed.min(start.elapsed());
        }
        slowest = slowest.max(elapsed.as_micros());
    }
    println!(
        "{{\"target\": \"{}\", \"backend\": \"{}\", \"corpus\": {}, \"executions\": {}, \"slowest_us\": {slowest}, \"reached\": {}}}",
        target.name,
        Backend::current().name(),
        corpus.len(),
        corpus.len() + runs,
        reached.to_json(target.stages),
    );
    ExitCode::SUCCESS
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One input a line; an empty file is an empty corpus.
fn read_corpus(path: &str) -> Option<Vec<Vec<u8>>> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .map(|line| {
            let pairs = (0..line.len()).step_by(2);
            pairs
                .map(|at| u8::from_str_radix(line.get(at..at + 2)?, 16).ok())
                .collect()
        })
        .collect()
}
