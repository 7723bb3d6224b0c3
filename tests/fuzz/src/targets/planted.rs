//! A target with a fault, deep enough that only a run that works finds it: it shows that a crash
//! is noticed, and that its input is kept.

use super::Target;
use crate::choices::Choices;
use crate::der;
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "planted",
    stages: &[],
    run,
};

fn run(choices: &mut Choices<'_>, _: &mut Reached) {
    let bytes = choices.rest();
    let mut rest = bytes;
    if let Some(content) = der::loose_value(&mut rest)
        && bytes[0] == 0x30
        && content.first() == Some(&2)
        && content.len() > 3
    {
        panic!("the planted fault");
    }
}
