//! Verification of a message: every entry has to give the textbook's answer.

use std::sync::LazyLock;

use sscard_sm::sm2::{
    DEFAULT_SIGNER_ID, InvalidSignature, KeptKeys, Refused, Signed, Signer, verify_batch,
};

use super::Target;
use crate::choices::Choices;
use crate::keys::{KEYS, Known, NONCES, Nonce};
use crate::number::{Modulo, N, Number};
use crate::reached::Reached;
use crate::signing::{holds, join, message_digest, sign, split};

pub const TARGET: Target = Target {
    name: "verify",
    stages: &[
        "accepted",
        "accepted other id",
        "refused",
        "out of range",
        "id too long",
    ],
    run,
};

/// A key, an id, a message and what is said to be its signature.
pub struct Case<'a> {
    pub key: &'static Known,
    pub signer_id: Vec<u8>,
    pub message: &'a [u8],
    pub signature: Vec<u8>,
}

impl<'a> Case<'a> {
    pub fn new(choices: &mut Choices<'a>, signer_id: Vec<u8>) -> Self {
        let key = &KEYS[choices.below(KEYS.len())];
        let size = usize::from(choices.byte());
        let message = choices.up_to(size);
        let signature = signature(choices, key, &signer_id, message);
        Self {
            key,
            signer_id,
            message,
            signature,
        }
    }

    pub fn expected(&self) -> Result<(), InvalidSignature> {
        message_digest(&self.key.public, &self.signer_id, self.message)
            .filter(|e| holds(self.key.d, &self.signature, e))
            .map(drop)
            .ok_or(InvalidSignature)
    }

    /// The key as one that is met for the first time, or as one that is kept.
    pub fn signed(&self, is_kept: bool) -> Signed<'_> {
        Signed {
            signer: if is_kept {
                Signer::Kept(&self.key.verifier)
            } else {
                Signer::New(&self.key.public)
            },
            signature: &self.signature,
            message: self.message,
        }
    }
}

/// The default, any short one, or one at the limit of 8191 bytes.
pub fn signer_id(choices: &mut Choices<'_>) -> Vec<u8> {
    match choices.byte() % 8 {
        7 => vec![choices.byte(); choices.one_of(&[8190, 8191, 8192, 8193])],
        5 | 6 => {
            let size = choices.below(40);
            choices.up_to(size).to_vec()
        }
        _ => DEFAULT_SIGNER_ID.to_vec(),
    }
}

/// A good signature, one that is near a good one, or any bytes.
fn signature(choices: &mut Choices<'_>, key: &Known, signer_id: &[u8], message: &[u8]) -> Vec<u8> {
    let own;
    let nonce = if choices.rarely(4) {
        own = Nonce::new(Modulo(N).reduce(choices.number()));
        own.as_ref().unwrap_or(&NONCES[0])
    } else {
        &NONCES[choices.below(NONCES.len())]
    };
    let good = message_digest(&key.public, signer_id, message)
        .and_then(|e| sign(key, nonce, &e))
        .unwrap_or([1; 64]);
    let Some((r, s)) = split(&good) else {
        return good.to_vec();
    };
    let n = Modulo(N);
    let mut bytes = match choices.byte() % 16 {
        15 => join(choices.number(), choices.number()).to_vec(),
        // Fits into 256 bits for the small ones only; the others turn into something else.
        14 => join(r.add(N).0, s).to_vec(),
        13 => join(r, s.add(N).0).to_vec(),
        12 => join(r, N.sub(r).0).to_vec(),
        11 => join(r, n.sub(Number::ZERO, s)).to_vec(),
        10 => join(s, r).to_vec(),
        9 => join(r, choices.number()).to_vec(),
        8 => join(choices.number(), s).to_vec(),
        7 => sign(&KEYS[0], nonce, &[9; 32]).unwrap_or(good).to_vec(),
        _ => good.to_vec(),
    };
    if choices.rarely(4) {
        choices.spoil(&mut bytes);
    }
    bytes
}

/// Room for the tables of a few of the keys, so that they come and go.
static KEPT_KEYS: LazyLock<KeptKeys> = LazyLock::new(|| KeptKeys::new(200_000));

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let id = signer_id(choices);
    let case = Case::new(choices, id);
    let expected = case.expected();
    let (signature, message, id) = (&case.signature, case.message, &case.signer_id);
    assert_eq!(case.key.public.verify(signature, message, id), expected);
    assert_eq!(case.key.verifier.verify(signature, message, id), expected);
    assert_eq!(
        verify_batch(&[case.signed(false), case.signed(true)], id),
        [expected; 2]
    );
    let point = case.key.public.to_sec1_compressed();
    let answer = KEPT_KEYS.verify(&point, signature, message, id);
    assert_eq!(answer, expected.map_err(Refused::Signature));
    let Some(e) = message_digest(&case.key.public, id, message) else {
        return reached.note("id too long");
    };
    assert_eq!(case.key.public.verify_digest(signature, &e), expected);
    assert_eq!(case.key.verifier.verify_digest(signature, &e), expected);
    reached.note(match (expected, split(signature)) {
        (Ok(()), _) if id == DEFAULT_SIGNER_ID => "accepted",
        (Ok(()), _) => "accepted other id",
        (Err(_), Some(_)) => "refused",
        (Err(_), None) => "out of range",
    });
}
