use super::{Official, hex};
use crate::error_state::{Latch, SelfTest};
use crate::self_test::{ANSWERS, Answers, run};

/// The tests that fail against these answers.
fn failing(answers: &Answers) -> Vec<SelfTest> {
    let latch = Latch::new();
    run(answers, &latch);
    let failed: Vec<_> = SelfTest::ALL
        .into_iter()
        .filter(|test| latch.has_failed(*test))
        .collect();
    assert_eq!(latch.check().is_err(), !failed.is_empty());
    failed
}

#[test]
fn known_answers_are_given() {
    assert_eq!(failing(&ANSWERS), []);
}

#[test]
fn each_wrong_answer_fails_its_own_test_and_no_other() {
    type Spoil = fn(&mut Answers);
    let faults: [(SelfTest, Spoil); 11] = [
        (SelfTest::Sm3, |a| a.sm3[31] ^= 1),
        (SelfTest::HmacSm3, |a| a.hmac[0] ^= 0x80),
        (SelfTest::Kdf, |a| a.kdf[47] ^= 1),
        (SelfTest::Sm4Encrypt, |a| a.sm4_ciphertext[15] ^= 1),
        (SelfTest::Sm4Decrypt, |a| a.sm4_plaintext[0] ^= 1),
        (SelfTest::Sm2Sign, |a| a.sm2.public[63] ^= 1),
        (SelfTest::Sm2Verify, |a| a.sm2.signature[0] ^= 1),
        (SelfTest::Sm2Verify, |a| a.sm2.forged = a.sm2.signature),
        (SelfTest::Sm2Encrypt, |a| a.sm2.ciphertext[64] ^= 1),
        (SelfTest::Sm2Decrypt, |a| a.sm2.plaintext[18] ^= 1),
        (SelfTest::Sm2Decrypt, |a| a.sm2.changed = a.sm2.ciphertext),
    ];
    for (test, spoil) in faults {
        let mut answers = ANSWERS;
        spoil(&mut answers);
        // The signature is expected of signing, too.
        let also = if answers.sm2.signature == ANSWERS.sm2.signature {
            vec![test]
        } else {
            vec![SelfTest::Sm2Sign, test]
        };
        assert_eq!(failing(&answers), also);
    }
}

#[test]
fn answers_are_those_of_the_standards() {
    let (sign, encrypt) = (
        Official::section("sm2_sign"),
        Official::section("sm2_encrypt"),
    );
    let both = |a: &str, b: &str| [sign.bytes(a), sign.bytes(b)].concat();
    assert_eq!(ANSWERS.sm2.public[..], both("px", "py"));
    assert_eq!(ANSWERS.sm2.signature[..], both("r", "s"));
    let part = |name| encrypt.bytes(name);
    let ciphertext = [vec![4], part("c1x"), part("c1y"), part("c3"), part("c2")].concat();
    assert_eq!(ANSWERS.sm2.ciphertext[..], ciphertext);
    assert_eq!(
        ANSWERS.sm2.plaintext,
        encrypt.text("message_ascii").as_bytes()
    );
    assert_eq!(
        ANSWERS.sm3[..],
        Official::section("sm3").bytes("digest")[..]
    );
    let sm4 = Official::section("sm4");
    assert_eq!(ANSWERS.sm4_plaintext[..], sm4.bytes("plaintext")[..]);
    assert_eq!(ANSWERS.sm4_ciphertext[..], sm4.bytes("ciphertext")[..]);
    assert_eq!(
        ANSWERS.kdf[32..],
        hex("9db16c0ac7bebb47238c6cc925ff66af")[..]
    );
}

#[test]
fn error_state_is_never_left_and_names_are_distinct() {
    let latch = Latch::new();
    assert!(latch.check().is_ok());
    for (count, test) in SelfTest::ALL.into_iter().enumerate() {
        assert!(!latch.has_failed(test));
        latch.fail(test);
        let failed = SelfTest::ALL
            .into_iter()
            .filter(|one| latch.has_failed(*one));
        assert_eq!(failed.count(), count + 1);
        run(&ANSWERS, &latch);
        assert!(latch.check().is_err());
    }
    let mut names = SelfTest::ALL.map(SelfTest::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SelfTest::ALL.len());
}

#[test]
fn this_process_is_operational_after_preparing() {
    assert_eq!(crate::prepare(), Ok(()));
    assert_eq!(crate::operational(), Ok(()));
}
