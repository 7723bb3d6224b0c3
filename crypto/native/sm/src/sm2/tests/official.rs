use super::{example_key, verify};
use crate::scalar::Scalar;
use crate::sm2::identity::{identity_digest, message_digest};
use crate::sm2::{Ciphertext, Signature};
use crate::tests::{Official, hex};

#[test]
fn signature_of_the_standard_is_reproduced_step_by_step() {
    let values = Official::section("sm2_sign");
    let (key, id) = (example_key(), values.text("id_ascii").as_bytes());
    let message = values.text("message_ascii").as_bytes();
    let point = [&[4], &values.bytes("px")[..], &values.bytes("py")].concat();
    assert_eq!(key.public_key().to_sec1()[..], point);

    let z = identity_digest(id, &key.public_key().point).unwrap();
    assert_eq!(z, values.number("z"));
    let e = message_digest(&z, message);
    assert_eq!(e, values.number("e"));
    let k = Scalar::from_bytes(&values.number("k")).unwrap();
    let signature = key.sign_under(&e, &k).unwrap();
    let bytes = [values.bytes("r"), values.bytes("s")].concat();
    assert_eq!(signature.to_bytes()[..], bytes);
    assert_eq!(verify(&key, &bytes, message, id), Ok(()));

    let der = [
        &hex("3046022100")[..],
        &bytes[..32],
        &hex("022100"),
        &bytes[32..],
    ]
    .concat();
    assert_eq!(signature.to_der(), der);
    assert_eq!(Signature::from_der(&der).unwrap().to_bytes()[..], bytes);
}

#[test]
fn ciphertext_of_the_standard_is_reproduced() {
    let values = Official::section("sm2_encrypt");
    let message = values.text("message_ascii").as_bytes();
    let k = Scalar::from_bytes(&Official::section("sm2_sign").number("k")).unwrap();
    let ciphertext = example_key()
        .public_key()
        .encrypt_under(message, &k)
        .unwrap();
    let part = |name| values.bytes(name);
    let bytes = [vec![4], part("c1x"), part("c1y"), part("c3"), part("c2")].concat();
    assert_eq!(ciphertext.to_bytes(), bytes);
    let read = Ciphertext::from_bytes(&bytes).unwrap();
    assert_eq!(**example_key().decrypt(&read).unwrap(), *message);

    let der = [
        &hex("307C0220")[..],
        &part("c1x"),
        &hex("022100"),
        &part("c1y"),
        &hex("0420"),
        &part("c3"),
        &hex("0413"),
        &part("c2"),
    ]
    .concat();
    assert_eq!(ciphertext.to_der(), der);
    assert_eq!(Ciphertext::from_der(&der).unwrap().to_bytes(), bytes);
}
