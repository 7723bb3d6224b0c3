//! Leaks on purpose, which must be found: a check that never fails checks nothing.

use core::hint::black_box;

use sscard_sm::secrecy::mark_secret;

use crate::Operation;

pub(crate) const ALL: &[Operation] = &[
    ("planted-branch", branch),
    ("planted-load", load),
    ("planted-store", store),
    ("planted-comparison", comparison),
    ("planted-division", division),
];

const TABLE: [u8; 256] = [0x5a; 256];

fn secret() -> [u8; 32] {
    let mut bytes = [0x35; 32];
    mark_secret(&mut bytes);
    bytes
}

/// Skips the work of a bit that is 0.
fn branch() -> Option<bool> {
    let mut sum = 0u32;
    for bit in 0..8 {
        if black_box(secret()[0] >> bit & 1) == 1 {
            sum = black_box(sum) + 1;
        }
    }
    black_box(sum);
    Some(true)
}

/// Looks a secret byte up.
fn load() -> Option<bool> {
    let table = black_box(&TABLE);
    black_box(table[usize::from(secret()[0])]);
    Some(true)
}

/// Writes where a secret byte says.
fn store() -> Option<bool> {
    let mut table = black_box(TABLE);
    table[usize::from(secret()[0])] = 1;
    black_box(table);
    Some(true)
}

/// Stops at the first byte that differs.
fn comparison() -> Option<bool> {
    for (a, b) in secret().iter().zip(black_box([0x35; 32])) {
        if black_box(*a) != b {
            return Some(false);
        }
    }
    Some(true)
}

/// Takes longer for a larger dividend, without a branch: valgrind has nothing to report.
fn division() -> Option<bool> {
    black_box(u64::from(secret()[0]) / black_box(7));
    Some(true)
}
