//! The loop: who sends next, what came back, when it is over.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Connection, Found};
use crate::options::Options;
use crate::report::Report;

/// Answers that were not there by then count as unanswered.
const PATIENCE: Duration = Duration::from_secs(30);
/// A poll may sleep a millisecond too long; what is due sooner is waited for awake.
const AWAKE: Duration = Duration::from_millis(2);
const IDLE: Duration = Duration::from_millis(50);

struct Run<'a> {
    options: &'a Options,
    poll: Poll,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    report: Report,
    next: usize,
    started: Instant,
}

/// Runs until time or requests are used up.
pub fn run(options: &Options) -> io::Result<Report> {
    let poll = Poll::new()?;
    let mut connections = Vec::with_capacity(options.connections);
    for number in 0..options.connections {
        connections.push(Connection::open(
            &options.to,
            poll.registry(),
            Token(number),
        )?);
    }
    let mut run = Run {
        options,
        poll,
        connections,
        idle: (0..options.connections).rev().collect(),
        report: Report::default(),
        next: 0,
        started: Instant::now(),
    };
    run.until_the_end()?;
    Ok(run.report)
}

impl Run<'_> {
    fn until_the_end(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let last = self.started + self.options.duration;
        let mut answered_at = self.started;
        loop {
            let now = Instant::now();
            let is_over = now >= last || self.is_used_up();
            if !is_over {
                self.send_what_is_due(now)?;
            }
            let waiting = self.connections.len() - self.idle.len();
            if is_over && (waiting == 0 || now >= answered_at.max(last) + PATIENCE) {
                self.report.unanswered = waiting as u64;
                break;
            }
            self.poll
                .poll(&mut events, Some(self.pause(now, is_over)))?;
            for event in &events {
                if self.take(event.token().0)? {
                    answered_at = Instant::now();
                }
            }
        }
        if let Some(rate) = self.options.rate {
            let due = (answered_at.min(last) - self.started).as_secs_f64() * rate;
            self.report.unsent = (due as u64).saturating_sub(self.next as u64);
        }
        self.report.elapsed = answered_at - self.started;
        Ok(())
    }

    fn is_used_up(&self) -> bool {
        !self.options.repeat && self.next >= self.options.requests.len()
    }

    /// When request number `next` is to be sent, in the open loop.
    fn due(&self, rate: f64) -> Instant {
        self.started + Duration::from_secs_f64(self.next as f64 / rate)
    }

    fn send_what_is_due(&mut self, now: Instant) -> io::Result<()> {
        while !self.is_used_up() && !self.idle.is_empty() {
            let since = match self.options.rate {
                None => Instant::now(),
                Some(rate) if self.due(rate) <= now => self.due(rate),
                Some(_) => break,
            };
            let Some(number) = self.idle.pop() else { break };
            let request = &self.options.requests[self.next % self.options.requests.len()];
            self.next += 1;
            self.report.sent += 1;
            if self.connections[number].send(request, since).is_err() {
                self.report.lost += 1;
                self.reopen(number)?;
            }
        }
        Ok(())
    }

    fn pause(&self, now: Instant, is_over: bool) -> Duration {
        match self.options.rate {
            Some(rate) if !is_over && !self.idle.is_empty() => {
                let left = self.due(rate).saturating_duration_since(now);
                let awake = if self.options.sleeps {
                    Duration::ZERO
                } else {
                    AWAKE
                };
                left.saturating_sub(awake).min(IDLE)
            }
            _ => IDLE,
        }
    }

    /// Whether an answer came.
    fn take(&mut self, number: usize) -> io::Result<bool> {
        let connection = &mut self.connections[number];
        let found = match connection.flush() {
            Ok(()) => connection.look(),
            Err(_) => Found::Closed,
        };
        match found {
            Found::Nothing => Ok(false),
            Found::Answer(answer) => {
                if let Some(since) = connection.since.take() {
                    self.report.add(&answer, since.elapsed());
                    if answer.is_last {
                        self.reopen(number)?;
                    } else {
                        self.idle.push(number);
                    }
                    return Ok(true);
                }
                // An answer that nobody asked for is one too many: the connection is of no use.
                self.reopen(number)?;
                Ok(false)
            }
            Found::Closed => {
                if connection.since.is_some() {
                    self.report.lost += 1;
                }
                self.reopen(number)?;
                Ok(false)
            }
        }
    }

    /// A new connection in the place of one that ended; it is idle.
    fn reopen(&mut self, number: usize) -> io::Result<()> {
        self.report.reconnects += 1;
        let fresh = Connection::open(&self.options.to, self.poll.registry(), Token(number))?;
        self.connections[number] = fresh;
        if !self.idle.contains(&number) {
            self.idle.push(number);
        }
        Ok(())
    }
}
