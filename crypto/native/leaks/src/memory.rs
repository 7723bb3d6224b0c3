//! Uses a secret, drops it, and holds still twice while its memory is searched
//! (tests/crypto/test_memory.py).
//!
//! `memory OPERATION` reads two shares from standard input, whose sum is the secret, so that
//! nothing but the objects under test ever holds it. It says `alive` while it holds the secret;
//! after a byte more of input it drops the secret and says `dropped`; after another byte it
//! prints what it made, in hexadecimal. Only then, because printing would write over traces. An
//! SM4 key comes once more in the end, and its round keys are printed as the back end keeps them.

use std::env;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use sscard_sm::hmac;
use sscard_sm::sm2::{DEFAULT_SIGNER_ID, PrivateKey};
use sscard_sm::sm3::digest;
use sscard_sm::sm4::{Gcm, Sm4, TAG_SIZE, cbc_mac, encrypt_once};
use zeroize::Zeroizing;

const USES: u32 = 1000;

fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        Some("load") => secret_of_shares().and_then(load),
        Some("sign") => secret_of_shares().and_then(sign),
        Some("sign-digest") => secret_of_shares().and_then(sign_digest),
        Some("decrypt") => secret_of_shares().and_then(decrypt),
        Some("encrypt") => secret_of_shares().and_then(encrypt),
        Some("sm4") => secret_of_shares().and_then(sm4),
        Some("hmac") => secret_of_shares().and_then(authenticate),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// In a box, so that moving it leaves no copy behind.
type Secret<const SIZE: usize> = Box<Zeroizing<[u8; SIZE]>>;

fn secret_of_shares<const SIZE: usize>() -> io::Result<Secret<SIZE>> {
    let mut share = [0; SIZE];
    io::stdin().read_exact(&mut share)?;
    let mut secret = Box::new(Zeroizing::new([0; SIZE]));
    io::stdin().read_exact(&mut **secret)?;
    for (byte, other) in secret.iter_mut().zip(share) {
        *byte ^= other;
    }
    Ok(secret)
}

fn wait() -> io::Result<()> {
    io::stdin().read_exact(&mut [0])
}

/// Lets somebody search while the secrets are there, and again when they should be gone.
fn hold(secrets: impl Sized) -> io::Result<()> {
    io::stdout().write_all(b"alive\n")?;
    wait()?;
    drop(secrets);
    io::stdout().write_all(b"dropped\n")?;
    wait()
}

fn say(what: &str, bytes: &[u8]) {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{what} {hex}");
}

fn private_key(secret: &[u8; 32]) -> io::Result<PrivateKey> {
    PrivateKey::from_bytes(secret).map_err(io::Error::other)
}

fn load(secret: Secret<32>) -> io::Result<()> {
    let mut key = private_key(&secret)?;
    for _ in 0..USES {
        key = private_key(&key.to_bytes())?;
    }
    hold((key, secret))
}

fn sign(secret: Secret<32>) -> io::Result<()> {
    let key = private_key(&secret)?;
    let mut last = [0; 64];
    for use_number in 0..USES {
        let signature = key.sign(&use_number.to_be_bytes(), DEFAULT_SIGNER_ID);
        last = signature.map_err(io::Error::other)?.to_bytes();
    }
    hold((key, secret))?;
    say("signature", &last);
    Ok(())
}

fn sign_digest(secret: Secret<32>) -> io::Result<()> {
    let key = private_key(&secret)?;
    let mut last = [0; 64];
    for use_number in 0..USES {
        let signature = key.sign_digest(&digest(&use_number.to_be_bytes()));
        last = signature.map_err(io::Error::other)?.to_bytes();
    }
    hold((key, secret))?;
    say("signature", &last);
    Ok(())
}

fn decrypt(secret: Secret<32>) -> io::Result<()> {
    let key = private_key(&secret)?;
    let ciphertext = key
        .public_key()
        .encrypt(&digest(b"plaintext"))
        .map_err(io::Error::other)?;
    for _ in 0..USES {
        drop(key.decrypt(&ciphertext).map_err(io::Error::other)?);
    }
    hold((key, secret))?;
    say("ciphertext", &ciphertext.to_bytes());
    Ok(())
}

/// Here the secret is the plaintext; the receiver's key is that of everybody.
fn encrypt(secret: Secret<32>) -> io::Result<()> {
    let receiver = private_key(&digest(b"receiver"))?;
    let mut last = Vec::new();
    for _ in 0..USES {
        let ciphertext = receiver.public_key().encrypt(secret.as_slice());
        last = ciphertext.map_err(io::Error::other)?.to_bytes();
    }
    hold(secret)?;
    say("receiver", &digest(b"receiver"));
    say("ciphertext", &last);
    Ok(())
}

fn sm4(secret: Secret<16>) -> io::Result<()> {
    let cipher = Sm4::new(&secret);
    let gcm = Gcm::new(&secret);
    for _ in 0..USES {
        let block = encrypt_once(&secret, &cipher.encrypt_block(&[0; 16]));
        cbc_mac(&secret, &cipher.decrypt_block(&block), &[0; 40]);
        let (mut sealed, mut text) = ([0; 40 + TAG_SIZE], [0; 40]);
        gcm.seal(&block, b"", &[0; 40], &mut sealed)
            .and_then(|()| gcm.open(&block, b"", &sealed, &mut text))
            .map_err(|_| io::Error::other("GCM failed"))?;
    }
    hold((cipher, gcm, secret))?;
    let mut again = [0; 16];
    io::stdin().read_exact(&mut again)?;
    let cipher = Sm4::new(&again);
    say(
        "round-keys",
        &cipher.round_keys().map(u32::to_be_bytes).concat(),
    );
    Ok(())
}

fn authenticate(secret: Secret<32>) -> io::Result<()> {
    for use_number in 0..USES {
        let message = use_number.to_be_bytes();
        let tag = hmac::hmac(secret.as_slice(), &message);
        hmac::verify(secret.as_slice(), &message, &tag)
            .map_err(|_| io::Error::other("the tag was refused"))?;
    }
    hold(secret)
}
