//! Known answers: what every function of this crate must still give on this machine.
//!
//! They run when a program calls [`crate::prepare`] and whenever it asks again, on the back end in
//! use. A wrong one puts the process into the error state. The signature and the ciphertext are
//! those of GB/T 32918.5, made with their published nonces; no function outside the crate takes
//! a nonce.

use core::hint::black_box;

use crate::error_state::{Latch, PROCESS, SelfTest};
use crate::sm2::self_test as sm2;
use crate::sm4::{Block, Sm4};
use crate::{hmac, kdf, random, sm3, sm4};

/// What is expected; a test of the tests expects something else.
#[derive(Clone)]
pub(crate) struct Answers {
    /// SM3("abc") (GB/T 32905, annex A.1).
    pub(crate) sm3: [u8; 32],
    /// HMAC-SM3 of "abc" under "sscard".
    pub(crate) hmac: [u8; 32],
    /// The first 48 bytes derived from "abc".
    pub(crate) kdf: [u8; 48],
    /// GB/T 32907, annex A.1.
    pub(crate) sm4_plaintext: Block,
    pub(crate) sm4_ciphertext: Block,
    pub(crate) sm2: sm2::Answers,
}

const SM4_KEY: Block = hex("0123456789abcdeffedcba9876543210");

pub(crate) const ANSWERS: Answers = Answers {
    sm3: hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    hmac: hex("232f3ff0f9f85e489d421126fb328358275261460472627bc1f93679dbd73de9"),
    kdf: hex(concat!(
        "fe1ea80dac6f100c33537bd24619ec7c72a1e8b1ffeaefb1eb52a37791fdaf61",
        "9db16c0ac7bebb47238c6cc925ff66af"
    )),
    sm4_plaintext: SM4_KEY,
    sm4_ciphertext: hex("681edf34d206965e86b3e94f536e4246"),
    sm2: sm2::ANSWERS,
};

/// Runs all known answers again; which failed, [`crate::has_failed`] tells.
pub fn run_known_answers() {
    run(&ANSWERS, &PROCESS);
}

/// Known answers and the start-up test of the random source.
pub(crate) fn start() {
    run_known_answers();
    random::start();
}

/// Runs every test, also when one before it failed.
pub(crate) fn run(answers: &Answers, latch: &Latch) {
    let note = |test, passed: bool| {
        if !passed {
            latch.fail(test);
        }
    };
    // Unknown to the compiler, which could otherwise work the answers out itself.
    let message = black_box(b"abc");
    note(SelfTest::Sm3, sm3::digest(message) == answers.sm3);
    note(
        SelfTest::HmacSm3,
        hmac::hmac(b"sscard", message) == answers.hmac,
    );
    let mut derived = [0; 48];
    kdf::fill(message, &mut derived);
    note(SelfTest::Kdf, derived == answers.kdf);
    let key = black_box(&SM4_KEY);
    let kept = Sm4::new(key);
    note(
        SelfTest::Sm4Encrypt,
        kept.encrypt_block(key) == answers.sm4_ciphertext
            && sm4::encrypt_once(key, key) == answers.sm4_ciphertext,
    );
    note(
        SelfTest::Sm4Decrypt,
        kept.decrypt_block(&ANSWERS.sm4_ciphertext) == answers.sm4_plaintext,
    );
    note(SelfTest::Sm2Sign, sm2::signs(&answers.sm2));
    note(SelfTest::Sm2Verify, sm2::verifies(&answers.sm2));
    note(SelfTest::Sm2Encrypt, sm2::encrypts(&answers.sm2));
    note(SelfTest::Sm2Decrypt, sm2::decrypts(&answers.sm2));
}

/// Bytes from hexadecimal digits, at compile time.
pub(crate) const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    let digits = digits.as_bytes();
    let mut bytes = [0; N];
    let mut position = 0;
    while position < 2 * N {
        let digit = digits[position];
        let value = if digit > b'9' {
            digit - b'a' + 10
        } else {
            digit - b'0'
        };
        bytes[position / 2] = bytes[position / 2] << 4 | value;
        position += 1;
    }
    bytes
}
