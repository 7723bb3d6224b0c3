//! What a run found, as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::connection::Answer;

/// Times of one kind of answer.
#[derive(Default)]
struct Times(Vec<u64>);

impl Times {
    fn into_json(mut self) -> String {
        self.0.sort_unstable();
        let at = |part: f64| {
            let place = (self.0.len() as f64 * part).ceil() as usize;
            self.0
                .get(place.max(1) - 1)
                .map_or_else(|| "null".to_owned(), microseconds)
        };
        format!(
            r#"{{"count": {}, "p50_us": {}, "p90_us": {}, "p99_us": {}, "p999_us": {}, "max_us": {}}}"#,
            self.0.len(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            at(1.0),
        )
    }
}

fn microseconds(nanoseconds: &u64) -> String {
    format!("{:.1}", *nanoseconds as f64 / 1000.0)
}

#[derive(Default)]
pub struct Report {
    /// Requests that were written to a connection.
    pub sent: u64,
    /// Connections that ended under a request, before its answer.
    pub lost: u64,
    /// Requests without an answer when the run ended.
    pub unanswered: u64,
    /// Requests of the open loop that were due and never sent.
    pub unsent: u64,
    pub reconnects: u64,
    pub elapsed: Duration,
    accepted: u64,
    refused_with_retry_after: u64,
    statuses: BTreeMap<u16, u64>,
    good: Times,
    other: Times,
}

impl Report {
    pub fn add(&mut self, answer: &Answer, time: Duration) {
        *self.statuses.entry(answer.status).or_default() += 1;
        self.accepted += u64::from(answer.is_accepted);
        self.refused_with_retry_after += u64::from(answer.status == 503 && answer.has_retry_after);
        let times = if (200..300).contains(&answer.status) {
            &mut self.good
        } else {
            &mut self.other
        };
        times.0.push(time.as_nanos().try_into().unwrap_or(u64::MAX));
    }

    pub fn into_json(self) -> String {
        let answered: u64 = self.statuses.values().sum();
        let statuses: Vec<String> = self
            .statuses
            .iter()
            .map(|(status, count)| format!(r#""{status}": {count}"#))
            .collect();
        let seconds = self.elapsed.as_secs_f64();
        format!(
            concat!(
                r#"{{"seconds": {:.3}, "rate": {:.1}, "good_rate": {:.1}, "sent": {}, "answered": {}, "#,
                r#""accepted": {}, "lost": {}, "unanswered": {}, "unsent": {}, "reconnects": {}, "#,
                r#""retry_after": {}, "statuses": {{{}}}, "good": {}, "other": {}}}"#
            ),
            seconds,
            answered as f64 / seconds,
            self.good.0.len() as f64 / seconds,
            self.sent,
            answered,
            self.accepted,
            self.lost,
            self.unanswered,
            self.unsent,
            self.reconnects,
            self.refused_with_retry_after,
            statuses.join(", "),
            self.good.into_json(),
            self.other.into_json(),
        )
    }
}
