//! The targets under libFuzzer; SSCARD_FUZZ_TARGET names the one to run.

#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sscard_fuzz::choices::Choices;
use sscard_fuzz::{Reached, Target, find};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("SSCARD_FUZZ_TARGET").unwrap_or_default();
    find(&name).expect("SSCARD_FUZZ_TARGET names a target")
});

/// Prints its counts at the end: the engine leaves by `exit`, which drops what a thread has.
struct Counts(Reached);

impl Drop for Counts {
    fn drop(&mut self) {
        eprintln!("reached: {}", self.0.to_json(TARGET.stages));
    }
}

thread_local! {
    static COUNTS: RefCell<Counts> = RefCell::new(Counts(Reached::default()));
}

fuzz_target!(|input: &[u8]| {
    COUNTS.with_borrow_mut(|counts| (TARGET.run)(&mut Choices::new(input), &mut counts.0));
});
