//! Keys and signing: what is signed verifies everywhere, by the textbook too.

use sscard_sm::sm2::{PrivateKey, SigningFailed};

use super::Target;
use super::verify::signer_id;
use crate::choices::Choices;
use crate::curve::base_multiple;
use crate::number::{N, Number};
use crate::reached::Reached;
use crate::signing::{holds, message_digest};

pub const TARGET: Target = Target {
    name: "sign",
    stages: &["signed", "signed e", "no key", "id too long"],
    run,
};

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let d = choices.number();
    let answer = PrivateKey::from_bytes(&d.to_bytes());
    let is_key = d != Number::ZERO && d < N.sub(Number::ONE).0;
    assert_eq!(answer.is_ok(), is_key);
    let Ok(key) = answer else {
        return reached.note("no key");
    };
    assert_eq!(*key.to_bytes(), d.to_bytes());
    assert_eq!(
        Some(&key.public_key().to_sec1()[1..]),
        base_multiple(d).as_ref().map(|p| &p[..])
    );
    if choices.rarely(3) {
        let e = choices.number().to_bytes();
        let signature = key.sign_digest(&e).expect("there is randomness").to_bytes();
        assert!(holds(d, &signature, &e));
        assert_eq!(key.public_key().verify_digest(&signature, &e), Ok(()));
        return reached.note("signed e");
    }
    let id = signer_id(choices);
    let message = choices.rest();
    let answer = key.sign(message, &id);
    if id.len() > 8191 {
        assert_eq!(answer.err(), Some(SigningFailed::SignerIdTooLong));
        return reached.note("id too long");
    }
    let signature = answer.expect("there is randomness").to_bytes();
    let e = message_digest(key.public_key(), &id, message).expect("the id is short enough");
    assert!(holds(d, &signature, &e));
    assert_eq!(key.public_key().verify(&signature, message, &id), Ok(()));
    reached.note("signed");
}
