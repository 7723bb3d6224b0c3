//! What the command line says.

use std::fs;
use std::time::Duration;

const CONNECTIONS_MAX: usize = 4096;

/// One run.
pub struct Options {
    /// `host:port`, or `unix:` and a path.
    pub to: String,
    /// What is sent, in this order.
    pub requests: Vec<Vec<u8>>,
    pub connections: usize,
    pub duration: Duration,
    /// Requests a second of the open loop; none: a closed loop.
    pub rate: Option<f64>,
    /// Whether the requests begin anew when all were sent.
    pub repeat: bool,
    /// Whether it sleeps until a request is due, which may send it a millisecond late, and leaves
    /// its core to others meanwhile.
    pub sleeps: bool,
}

impl Options {
    /// Reads the arguments, and the file that they name.
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments;
        let (mut to, mut requests) = (None, None);
        let (mut connections, mut seconds, mut rate) = (8, 3.0, None);
        let (mut repeat, mut sleeps) = (false, false);
        while let Some(name) = arguments.next() {
            if let Some(flag) = match name.as_str() {
                "--repeat" => Some(&mut repeat),
                "--sleeps" => Some(&mut sleeps),
                _ => None,
            } {
                *flag = true;
                continue;
            }
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--to" => to = Some(value),
                "--requests" => requests = Some(read_requests(&value)?),
                "--connections" => connections = parse(&name, &value)?,
                "--seconds" => seconds = parse(&name, &value)?,
                "--rate" => rate = Some(parse(&name, &value)?),
                _ => return Err(format!("{name} is not known")),
            }
        }
        let requests = requests.ok_or("--requests is missing")?;
        if requests.is_empty() || !(1..=CONNECTIONS_MAX).contains(&connections) {
            return Err("there must be requests, and 1 to 4096 connections".to_owned());
        }
        if rate.is_some_and(|rate: f64| !rate.is_finite() || rate <= 0.0) {
            return Err("--rate must be above 0".to_owned());
        }
        Ok(Self {
            to: to.ok_or("--to is missing")?,
            requests,
            connections,
            duration: Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?,
            rate,
            repeat,
            sleeps,
        })
    }
}

fn parse<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} can't be {value}"))
}

fn read_requests(path: &str) -> Result<Vec<Vec<u8>>, String> {
    let content = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let mut requests = Vec::new();
    let mut rest = content.as_slice();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (request, behind) = behind
            .split_at_checked(length)
            .ok_or(format!("{path} ends in the middle of a request"))?;
        requests.push(request.to_vec());
        rest = behind;
    }
    if rest.is_empty() {
        Ok(requests)
    } else {
        Err(format!("{path} ends in the middle of a length"))
    }
}
