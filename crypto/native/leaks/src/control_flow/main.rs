//! Runs operations on secrets that valgrind knows as such (tests/crypto/test_constant_time.py).
//!
//! `control-flow` runs all of them, `control-flow NAME ...` those named, the planted leaks among
//! them. Each line of the output is a word and its values; the exit code is 1 when an answer was
//! wrong, and valgrind's own when it has reported something.

mod operations;
mod planted;

use std::env;
use std::process::ExitCode;

use sscard_sm::{Backend, secrecy};

/// Does its work on secrets and says whether the answer was right.
type Operation = (&'static str, fn() -> Option<bool>);

fn main() -> ExitCode {
    if let Err(error) = sscard_sm::prepare() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    println!("watched {}", secrecy::is_watched());
    println!("backend {}", Backend::current().name());
    let names: Vec<String> = env::args().skip(1).collect();
    let mut right = true;
    for (name, operation) in chosen(&names) {
        let before = secrecy::error_count();
        let answer = operation() == Some(true);
        let errors = secrecy::error_count() - before;
        println!("operation {name} {answer} {errors}");
        right &= answer;
    }
    for (file, line) in secrecy::given_away() {
        println!("given-away {file} {line}");
    }
    ExitCode::from(u8::from(!right))
}

fn chosen(names: &[String]) -> Vec<Operation> {
    if names.is_empty() {
        return operations::ALL.to_vec();
    }
    operations::ALL
        .iter()
        .chain(planted::ALL)
        .copied()
        .filter(|(name, _)| names.iter().any(|wanted| wanted == name))
        .collect()
}
