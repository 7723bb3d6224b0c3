use std::collections::BTreeMap;

/// How often each stage of a target was reached.
#[derive(Default)]
pub struct Reached(BTreeMap<&'static str, u64>);

impl Reached {
    /// Counts one.
    pub fn note(&mut self, stage: &'static str) {
        *self.0.entry(stage).or_default() += 1;
    }

    /// One line, a JSON object of stages and counts; stages that were never reached have a 0.
    pub fn to_json(&self, stages: &[&'static str]) -> String {
        let mut counts = self.0.clone();
        for stage in stages {
            counts.entry(stage).or_default();
        }
        let members: Vec<String> = counts
            .iter()
            .map(|(stage, count)| format!("\"{stage}\": {count}"))
            .collect();
        format!("{{{}}}", members.join(", "))
    }
}
