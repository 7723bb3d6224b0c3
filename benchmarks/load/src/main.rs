//! Sends prepared HTTP requests over so many kept connections and tells, as JSON, what came back.
//!
//! `sscard-load --to 127.0.0.1:8080 --requests FILE --connections 64 --seconds 3 [--rate 2000]`
//!
//! Without a rate the loop is closed: each connection sends its next request when it has an answer.
//! With one it is open: request number n is due at n / rate seconds whatever happens, and its time
//! counts from when it was due, so that a server that stalls cannot hide the requests that it kept
//! from being sent ("coordinated omission"). `--repeat` begins the file again at its end; without it
//! the run ends there.
//!
//! The file holds one request after the other, each behind its length (four bytes, big-endian).

mod connection;
mod options;
mod report;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = options::Options::read(std::env::args().skip(1))
        .and_then(|options| run::run(&options).map_err(|error| error.to_string()));
    match outcome {
        Ok(report) => {
            println!("{}", report.into_json());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("sscard-load: {message}");
            ExitCode::FAILURE
        }
    }
}
