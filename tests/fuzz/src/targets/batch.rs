//! Batches: each signature has its own verdict, wherever it stands.

use sscard_sm::sm2::verify_batch;

use super::Target;
use super::verify::{Case, signer_id};
use crate::choices::Choices;
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "verify_batch",
    stages: &["empty", "all accepted", "none accepted", "mixed"],
    run,
};

/// More than any width that signatures may be worked on in side by side.
const SIZE_MAX: usize = 20;

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let id = signer_id(choices);
    let size = choices.below(SIZE_MAX + 1);
    let mut cases: Vec<Case<'_>> = Vec::with_capacity(size);
    // The same few again and again: one case costs as much as it ever will by the third.
    for index in 0..size.min(3) {
        cases.insert(index, Case::new(choices, id.clone()));
    }
    let order: Vec<usize> = (0..size).map(|_| choices.below(size.min(3))).collect();
    let expected: Vec<_> = cases.iter().map(Case::expected).collect();
    let expected: Vec<_> = order.iter().map(|index| expected[*index]).collect();
    let signed: Vec<_> = order
        .iter()
        .map(|index| cases[*index].signed(choices.rarely(4)))
        .collect();
    assert_eq!(verify_batch(&signed, &id), expected);
    let accepted = expected.iter().filter(|verdict| verdict.is_ok()).count();
    reached.note(match accepted {
        _ if size == 0 => "empty",
        0 => "none accepted",
        _ if accepted == size => "all accepted",
        _ => "mixed",
    });
}
