//! What is done with secrets. Fresh randomness is marked by sscard-sm itself, as it comes in.

use sscard_sm::secrecy::{mark_public, mark_secret};
use sscard_sm::sm2::{Ciphertext, DEFAULT_SIGNER_ID, PrivateKey};
use sscard_sm::sm3::digest;
use sscard_sm::sm4::{
    FACTOR_SIZE, Gcm, Sm4, TAG_SIZE, WRAPPED_SIZE, cbc_mac, diversify, encrypt_once,
    wrap_diversified,
};
use sscard_sm::{hmac, kdf};

use crate::Operation;

pub(crate) const ALL: &[Operation] = &[
    ("generate", generate),
    ("load", load),
    ("load-refused", load_refused),
    ("sign", sign),
    ("sign-digest", sign_digest),
    ("encrypt", encrypt),
    ("decrypt", decrypt),
    ("decrypt-refused", decrypt_refused),
    ("sm4", sm4),
    ("sm4-once", sm4_once),
    ("sm4-card-keys", sm4_card_keys),
    ("sm4-wrapped-keys", sm4_wrapped_keys),
    ("sm4-gcm", sm4_gcm),
    ("sm4-gcm-refused", sm4_gcm_refused),
    ("hmac", hmac_tag),
    ("hmac-verify", hmac_verify),
    ("kdf", kdf_fill),
];

const MESSAGE: &[u8] = b"neither the key nor the nonce shows";

/// Bytes that depend on the number, marked as a secret.
fn secret<const SIZE: usize>(number: u8) -> [u8; SIZE] {
    let mut bytes = core::array::from_fn(|i| digest(&[number, (i / 32) as u8])[i % 32]);
    mark_secret(&mut bytes);
    bytes
}

/// The same bytes, for everybody to see.
fn public<const SIZE: usize>(mut bytes: [u8; SIZE]) -> [u8; SIZE] {
    mark_public(&mut bytes);
    bytes
}

fn key(number: u8) -> Option<PrivateKey> {
    PrivateKey::from_bytes(&secret(number)).ok()
}

fn generate() -> Option<bool> {
    let key = PrivateKey::generate().ok()?;
    let bytes = public(*key.to_bytes());
    let again = PrivateKey::from_bytes(&bytes).ok()?;
    Some(key.public_key() == again.public_key())
}

fn load() -> Option<bool> {
    let key = key(1)?;
    let bytes: [u8; 32] = public(secret(1));
    Some(public(*key.to_bytes()) == bytes)
}

fn load_refused() -> Option<bool> {
    // n - 1 is in the range of a scalar and not of a key.
    let mut bytes = [0xff; 32];
    bytes[3] = 0xfe;
    bytes[16..].copy_from_slice(&0x7203_df6b_21c6_052b_53bb_f409_39d5_4122_u128.to_be_bytes());
    let refused = |mut bytes: [u8; 32]| {
        mark_secret(&mut bytes);
        PrivateKey::from_bytes(&bytes).is_err()
    };
    Some(refused(bytes) && refused([0; 32]) && refused([0xff; 32]))
}

fn sign() -> Option<bool> {
    let key = key(2)?;
    let is_right = |signer_id| {
        let signature = key.sign(MESSAGE, signer_id).ok()?.to_bytes();
        let verified = key.public_key().verify(&signature, MESSAGE, signer_id);
        Some(verified.is_ok())
    };
    Some(is_right(DEFAULT_SIGNER_ID)? && is_right(b"other")?)
}

fn sign_digest() -> Option<bool> {
    let key = key(3)?;
    let e = digest(MESSAGE);
    let signature = key.sign_digest(&e).ok()?.to_bytes();
    Some(key.public_key().verify_digest(&signature, &e).is_ok())
}

/// The plaintext and the nonce are secret, the receiver's key is not.
fn encrypt() -> Option<bool> {
    let receiver = PrivateKey::from_bytes(&public(secret(4))).ok()?;
    let plaintext: [u8; 100] = secret(5);
    let mut ciphertext = receiver.public_key().encrypt(&plaintext).ok()?.to_bytes();
    mark_public(&mut ciphertext);
    let ciphertext = Ciphertext::from_bytes(&ciphertext).ok()?;
    let decrypted = receiver.decrypt(&ciphertext).ok()?;
    Some(decrypted[..] == public(plaintext))
}

fn decrypt() -> Option<bool> {
    let (ciphertext, plaintext) = ciphertext(6)?;
    let mut decrypted = key(6)?
        .decrypt(&Ciphertext::from_bytes(&ciphertext).ok()?)
        .ok()?;
    mark_public(&mut decrypted);
    Some(decrypted[..] == plaintext)
}

fn decrypt_refused() -> Option<bool> {
    let (mut ciphertext, _) = ciphertext(7)?;
    let last = ciphertext.last_mut()?;
    *last ^= 1;
    let ciphertext = Ciphertext::from_bytes(&ciphertext).ok()?;
    Some(key(7)?.decrypt(&ciphertext).is_err())
}

/// Somebody else's ciphertext for the key of this number, and its plaintext.
fn ciphertext(number: u8) -> Option<(Vec<u8>, [u8; 100])> {
    let receiver = PrivateKey::from_bytes(&public(secret(number))).ok()?;
    let plaintext = public(secret(8));
    let mut ciphertext = receiver.public_key().encrypt(&plaintext).ok()?.to_bytes();
    mark_public(&mut ciphertext);
    Some((ciphertext, plaintext))
}

/// One key for a block and back.
fn sm4() -> Option<bool> {
    let cipher = Sm4::new(&secret(9));
    let block = secret(10);
    let back = cipher.decrypt_block(&cipher.encrypt_block(&block));
    let known = Sm4::new(&public(secret(9))).encrypt_block(&public(secret(10)));
    Some(public(back) == public(block) && public(cipher.encrypt_block(&block)) == known)
}

fn sm4_once() -> Option<bool> {
    let once = encrypt_once(&secret(9), &secret(10));
    Some(public(once) == encrypt_once(&public(secret(9)), &public(secret(10))))
}

fn sm4_card_keys() -> Option<bool> {
    let factor = [7; FACTOR_SIZE];
    let (key, mac) = (
        diversify(&secret(9), &factor),
        cbc_mac(&secret(9), &[1; 16], &secret::<40>(10)),
    );
    let known = diversify(&public(secret(9)), &factor);
    let known_mac = cbc_mac(&public(secret(9)), &[1; 16], &public(secret::<40>(10)));
    Some(public(key) == known && public(mac) == known_mac)
}

/// Both keys that come and the one that goes are secret; what is wrapped may be seen.
fn sm4_wrapped_keys() -> Option<bool> {
    let factor = [7; FACTOR_SIZE];
    let mut wrapped = [[0; WRAPPED_SIZE]; 2];
    let mut known = wrapped;
    let masters: [u8; 32] = secret(9);
    wrap_diversified(&masters, &factor, &Sm4::new(&secret(15)), &mut wrapped);
    let transport = Sm4::new(&public(secret(15)));
    wrap_diversified(&public(masters), &factor, &transport, &mut known);
    Some(wrapped.map(public) == known.map(public))
}

/// The key and the text are secret, and so is what is sealed until it leaves.
fn sm4_gcm() -> Option<bool> {
    let gcm = Gcm::new(&secret(15));
    let text: [u8; 200] = secret(16);
    let mut sealed = [0; 200 + TAG_SIZE];
    let mut known = sealed;
    let nonces: [&[u8]; 2] = [&[3; 12], &[4; 20]];
    let mut right = true;
    for nonce in nonces {
        gcm.seal(nonce, MESSAGE, &text, &mut sealed).ok()?;
        let gcm_known = Gcm::new(&public(secret(15)));
        let text_known = public(text);
        gcm_known
            .seal(nonce, MESSAGE, &text_known, &mut known)
            .ok()?;
        mark_public(&mut sealed);
        let mut opened = [0; 200];
        gcm.open(nonce, MESSAGE, &sealed, &mut opened).ok()?;
        right &= sealed == known && public(opened) == text_known;
    }
    Some(right)
}

fn sm4_gcm_refused() -> Option<bool> {
    let gcm = Gcm::new(&secret(15));
    let mut sealed = [0; 40 + TAG_SIZE];
    gcm.seal(&[3; 12], MESSAGE, &secret::<40>(16), &mut sealed)
        .ok()?;
    mark_public(&mut sealed);
    sealed[40] ^= 1;
    Some(gcm.open(&[3; 12], MESSAGE, &sealed, &mut [0; 40]).is_err())
}

fn hmac_tag() -> Option<bool> {
    let long = public(hmac::hmac(&secret::<100>(11), &secret::<100>(12)));
    let known = hmac::hmac(&public(secret::<100>(11)), &public(secret::<100>(12)));
    Some(long == known)
}

fn hmac_verify() -> Option<bool> {
    let key: [u8; 32] = secret(13);
    let tag = public(hmac::hmac(&key, MESSAGE));
    let mut wrong = tag;
    wrong[31] ^= 1;
    Some(hmac::verify(&key, MESSAGE, &tag).is_ok() && hmac::verify(&key, MESSAGE, &wrong).is_err())
}

fn kdf_fill() -> Option<bool> {
    let (mut output, mut known) = ([0; 100], [0; 100]);
    kdf::fill(&secret::<64>(14), &mut output);
    kdf::fill(&public(secret::<64>(14)), &mut known);
    Some(public(output) == known)
}
