use super::samples;
use crate::error_state::{Latch, SelfTest};
use crate::health::{
    Monitor, ONES_DEVIATION_MAX, POKER_CHI_SQUARED_MAX, PROPORTION_CUTOFF, START_SIZE,
    has_repeated_word, looks_random,
};
use crate::random::{RandomSource, RandomSourceFailed, System, Tested};
use crate::sm2::PrivateKey;

/// A source that fills each request by a rule; the rule gets the number of the request.
struct By<F>(u64, F);

impl<F: FnMut(u64, &mut [u8])> RandomSource for By<F> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        (self.1)(self.0, bytes);
        self.0 += 1;
        Ok(())
    }
}

struct Failing;

impl RandomSource for Failing {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomSourceFailed> {
        Err(RandomSourceFailed)
    }
}

/// Reproducible bytes that look random, other ones for each number.
fn good(number: u64, bytes: &mut [u8]) {
    crate::kdf::fill(&number.to_be_bytes(), bytes);
}

/// How many draws of 32 bytes pass before a source is refused, at most 10,000.
fn draws_before_refusal(source: impl RandomSource) -> Option<u32> {
    let (monitor, latch) = (Monitor::new(), Latch::new());
    let mut tested = Tested {
        source,
        monitor: &monitor,
        latch: &latch,
    };
    let mut last = [0; 32];
    for draw in 0..10_000 {
        let mut bytes = [0; 32];
        if tested.fill(&mut bytes).is_err() {
            assert!(latch.has_failed(SelfTest::RandomDraws));
            assert_eq!(bytes, [0; 32], "refused bytes were given out");
            // For good, and without being asked again.
            assert!(tested.fill(&mut last).is_err());
            return Some(draw);
        }
        last = bytes;
    }
    assert!(latch.check().is_ok());
    None
}

#[test]
fn good_source_is_not_refused() {
    assert_eq!(draws_before_refusal(By(0, good)), None);
    assert_eq!(draws_before_refusal(System), None);
}

#[test]
fn bad_sources_are_refused() {
    assert_eq!(
        draws_before_refusal(By(0, |_, b: &mut [u8]| b.fill(0))),
        Some(0)
    );
    assert_eq!(
        draws_before_refusal(By(0, |_, b: &mut [u8]| b.fill(0xa5))),
        Some(0)
    );
    // Stuck, from the beginning or later.
    assert_eq!(
        draws_before_refusal(By(0, |_, b: &mut [u8]| good(7, b))),
        Some(1)
    );
    let later = |number: u64, bytes: &mut [u8]| good(number.min(500), bytes);
    assert_eq!(draws_before_refusal(By(0, later)), Some(501));
    // Two outputs by turns.
    let turning = |number, bytes: &mut [u8]| good(number % 2, bytes);
    assert!(draws_before_refusal(By(0, turning)).is_some_and(|draws| draws < 128));
    // Half of what was asked for.
    let half = |number, bytes: &mut [u8]| {
        let middle = bytes.len() / 2;
        good(number, &mut bytes[..middle]);
    };
    assert_eq!(draws_before_refusal(By(0, half)), Some(0));
    // Bytes with five bits or fewer.
    let narrow = |number, bytes: &mut [u8]| {
        good(number, bytes);
        bytes.iter_mut().for_each(|byte| *byte &= 0x1f);
    };
    assert!(draws_before_refusal(By(0, narrow)).is_some());
}

#[test]
fn source_that_gives_nothing_is_no_failed_test_of_a_draw() {
    let (monitor, latch) = (Monitor::new(), Latch::new());
    let mut tested = Tested {
        source: Failing,
        monitor: &monitor,
        latch: &latch,
    };
    assert_eq!(tested.fill(&mut [0; 32]), Err(RandomSourceFailed));
    assert!(latch.check().is_ok());
    tested.start();
    assert!(latch.has_failed(SelfTest::RandomStart));
}

#[test]
fn start_up_test_finds_bias() {
    let fails = |source: &mut dyn FnMut(u64, &mut [u8])| {
        let (monitor, latch) = (Monitor::new(), Latch::new());
        let (monitor, latch) = (&monitor, &latch);
        let source = By(0, source);
        Tested {
            source,
            monitor,
            latch,
        }
        .start();
        latch.has_failed(SelfTest::RandomStart)
    };
    for number in 0..50 {
        assert!(!fails(&mut |_, bytes| good(number, bytes)));
    }
    assert!(fails(&mut |_, bytes| bytes.fill(0x5a)));
    // One bit in eight stuck: 2048 too many ones.
    assert!(fails(&mut |number, bytes| {
        good(number, bytes);
        bytes.iter_mut().for_each(|byte| *byte |= 0x10);
    }));
    // Balanced bits, and half bytes that are not: no half byte is 0 or 15.
    assert!(fails(&mut |number, bytes| {
        good(number, bytes);
        for byte in bytes {
            if matches!(*byte >> 4, 0 | 15) {
                *byte ^= 0x50;
            }
        }
    }));
}

#[test]
fn each_limit_is_where_it_is_said_to_be() {
    let mut even = [0; START_SIZE];
    for (position, byte) in even.iter_mut().enumerate() {
        *byte = position as u8;
    }
    assert!(looks_random(&even));
    // More ones, spread over all bits and most values.
    let mut more_ones = even;
    for (bit, bytes) in more_ones.chunks_mut(START_SIZE / 8).enumerate() {
        let clear = bytes.iter_mut().filter(|byte| **byte >> bit & 1 == 0);
        for byte in clear.take(ONES_DEVIATION_MAX as usize / 8) {
            *byte |= 1 << bit;
        }
    }
    assert!(looks_random(&more_ones));
    *more_ones.iter_mut().find(|byte| **byte & 1 == 0).unwrap() |= 1;
    assert!(!looks_random(&more_ones));
    // From half byte 3 to half byte 5: the number of ones stays.
    let mut skewed = even;
    let mut chi_squared = 0;
    for changed in 1.. {
        let byte = skewed.iter_mut().find(|byte| **byte >> 4 == 3).unwrap();
        *byte = *byte & 15 | 0x50;
        let spread = changed as u64 * changed as u64 * 2;
        let limit = (16 * spread).div_ceil(2 * START_SIZE as u64);
        if limit > POKER_CHI_SQUARED_MAX {
            chi_squared = limit;
            break;
        }
        assert!(looks_random(&skewed));
    }
    assert!(chi_squared > POKER_CHI_SQUARED_MAX && !looks_random(&skewed));
}

#[test]
fn proportion_is_counted_in_windows_of_512_bytes() {
    // One byte in eight is the window's first one: 26 of them in 25 samples and a bit.
    let run = |same: u64| {
        let monitor = Monitor::new();
        (0..64u64).all(|sample| {
            let mut bytes: [u8; 8] =
                core::array::from_fn(|i| (1 + (sample * 7 + i as u64) % 255) as u8);
            bytes[0] = if sample < same { 0 } else { 1 };
            monitor.accepts(bytes)
        })
    };
    assert!(run(PROPORTION_CUTOFF - 1));
    assert!(!run(PROPORTION_CUTOFF));
}

#[test]
fn repeated_words_are_found_where_they_are_whole() {
    let bytes: Vec<u8> = samples(2).flatten().collect();
    assert!(!has_repeated_word(&bytes).reveal());
    for at in 0..7 {
        let mut changed = bytes.clone();
        changed.copy_within(8 * at..8 * at + 8, 8 * at + 8);
        assert!(has_repeated_word(&changed).reveal());
    }
    assert!(!has_repeated_word(&[0; 15]).reveal());
}

#[test]
fn threads_share_one_monitor_and_none_is_lost() {
    let (monitor, latch) = (Monitor::new(), Latch::new());
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (monitor, latch) = (&monitor, &latch);
            scope.spawn(move || {
                let source = By(thread << 32, good);
                let mut tested = Tested {
                    source,
                    monitor,
                    latch,
                };
                for _ in 0..2000 {
                    tested.fill(&mut [0; 100]).unwrap();
                }
            });
        }
    });
    assert!(latch.check().is_ok());
}

#[test]
fn nothing_is_made_from_a_stuck_source_that_is_watched() {
    let (monitor, latch) = (Monitor::new(), Latch::new());
    let mut stuck = Tested {
        source: By(0, |_, bytes: &mut [u8]| good(7, bytes)),
        monitor: &monitor,
        latch: &latch,
    };
    assert!(PrivateKey::generate_from(&mut stuck).is_ok());
    assert!(PrivateKey::generate_from(&mut stuck).is_err());
    let key = PrivateKey::generate().unwrap();
    assert!(key.sign_with(b"message", b"id", &mut stuck).is_err());
    assert!(key.public_key().encrypt_with(b"text", &mut stuck).is_err());
}
