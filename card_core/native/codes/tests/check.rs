//! The check from outside: codes signed with real keys, and the first reason for each fault.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use sscard_codes::{
    Binding, CheckedCode, Credential, Flags, InvalidKeys, Key, KeyPurpose, KeyRing, KeyState,
    OfflineCode, OnlineCode, Refusal, Request, Scope, assemble, assemble_credential, check,
};
use sscard_sm::sm2::{DEFAULT_SIGNER_ID, PrivateKey};

const MINTED_AT: u32 = 1_800_000_000;
const TERMINAL: [u8; 8] = *b"terminal";
const OTHER_TERMINAL: [u8; 8] = *b"terminus";

fn private_key(last_byte: u8) -> PrivateKey {
    let mut bytes = [7; 32];
    bytes[31] = last_byte;
    PrivateKey::from_bytes(&bytes).unwrap()
}

fn key(purpose: KeyPurpose, number: u8, state: KeyState) -> Key {
    let last_byte = number
        + if purpose == KeyPurpose::CodeSigning {
            0
        } else {
            100
        };
    let public_key = *private_key(last_byte).public_key();
    Key {
        purpose,
        issuer: 1,
        number,
        state,
        public_key,
    }
}

fn ring() -> KeyRing {
    use KeyPurpose::{CodeSigning, DeviceCredential};
    let keys = [
        key(CodeSigning, 1, KeyState::Active),
        key(CodeSigning, 2, KeyState::VerifyOnly),
        key(CodeSigning, 3, KeyState::Pending),
        key(CodeSigning, 4, KeyState::Revoked),
        key(DeviceCredential, 1, KeyState::Active),
        key(DeviceCredential, 9, KeyState::Active),
    ];
    KeyRing::new(&keys).unwrap()
}

fn sign(private: &PrivateKey, message: &[u8]) -> [u8; 64] {
    private.sign(message, DEFAULT_SIGNER_ID).unwrap().to_bytes()
}

fn online() -> OnlineCode {
    OnlineCode {
        issuer: 1,
        key_number: 1,
        minted_at: MINTED_AT,
        scope: Scope::new(1, 0b11).unwrap(),
        flags: Flags::new(0, 1).unwrap(),
        binding: Binding::new([0; 8], 0).unwrap(),
        sealed_box: [0x5a; 16],
    }
}

fn online_text(code: &OnlineCode) -> String {
    let message = code.to_be_signed();
    assemble(&message, &sign(&private_key(code.key_number), &message)).unwrap()
}

fn offline(class: u8) -> OfflineCode {
    let credential = Credential {
        issuer: 1,
        key_number: 1,
        expires_at: MINTED_AT + 3_600,
        scope: Scope::new(class, 0b11).unwrap(),
        flags: Flags::new(1, 1).unwrap(),
        status_index: 77,
        device_key: private_key(200).public_key().to_sec1_compressed(),
    };
    let message = credential.to_be_signed();
    let bytes = assemble_credential(&message, &sign(&private_key(101), &message)).unwrap();
    let (credential, credential_signature) = OfflineCode::read_credential(&bytes).unwrap();
    OfflineCode {
        credential,
        credential_signature,
        minted_at: MINTED_AT,
        scope: Scope::new(class, 0b11).unwrap(),
        nonce: [9; 8],
        binding: Binding::new([0; 8], 0).unwrap(),
    }
}

fn offline_text(code: &OfflineCode) -> String {
    let message = code.to_be_signed();
    assemble(&message, &sign(&private_key(200), &message)).unwrap()
}

fn request() -> Request {
    Request {
        now: i64::from(MINTED_AT),
        purpose: 0b10,
        consumes: false,
        terminal: TERMINAL,
        amount_fen: None,
    }
}

fn refusal(text: &str, request: &Request) -> Refusal {
    check(text, &ring(), request).unwrap_err()
}

#[test]
fn a_good_code_gives_back_what_was_signed() {
    let consuming = Request {
        consumes: true,
        ..request()
    };
    let checked = check(&online_text(&online()), &ring(), &consuming);
    assert_eq!(checked, Ok(CheckedCode::Online(online())));
    let code = offline(2);
    let checked = check(&offline_text(&code), &ring(), &request());
    assert_eq!(checked, Ok(CheckedCode::Offline(code)));
}

#[test]
fn only_active_and_verify_only_keys_of_the_purpose_verify() {
    let text = |key_number| {
        online_text(&OnlineCode {
            key_number,
            ..online()
        })
    };
    assert!(check(&text(2), &ring(), &request()).is_ok());
    assert_eq!(refusal(&text(3), &request()), Refusal::KeyNotActive);
    assert_eq!(refusal(&text(4), &request()), Refusal::KeyNotActive);
    assert_eq!(refusal(&text(5), &request()), Refusal::UnknownKey);
    assert_eq!(
        refusal(&text(9), &request()),
        Refusal::UnknownKey,
        "9 signs credentials only"
    );
}

#[test]
fn a_signature_of_another_key_or_context_does_not_hold() {
    let message = online().to_be_signed();
    let body = message.strip_prefix(b"sscard/online-code/v1\n").unwrap();
    for signature in [
        sign(&private_key(2), &message),
        sign(&private_key(101), &message),
        sign(&private_key(1), body),
        sign(
            &private_key(1),
            &[b"sscard/offline-code/v1\n", body].concat(),
        ),
        [0; 64],
    ] {
        let text = assemble(&message, &signature).unwrap();
        assert_eq!(refusal(&text, &request()), Refusal::BadSignature);
    }
}

#[test]
fn the_device_key_must_be_on_the_curve() {
    let mut code = offline(2);
    let mut credential = code.credential.clone();
    credential.device_key[1..].fill(0xff);
    code.credential_signature = sign(&private_key(101), &credential.to_be_signed());
    code.credential = credential;
    assert_eq!(
        refusal(&offline_text(&code), &request()),
        Refusal::BadSignature
    );
}

#[test]
fn the_window_and_the_day_include_their_last_second() {
    let at = |now: i64| Request { now, ..request() };
    let minted_at = i64::from(MINTED_AT);
    let text = online_text(&online());
    assert_eq!(refusal(&text, &at(minted_at - 6)), Refusal::NotYetValid);
    assert!(check(&text, &ring(), &at(minted_at - 5)).is_ok());
    assert!(check(&text, &ring(), &at(minted_at + 65)).is_ok());
    assert_eq!(refusal(&text, &at(minted_at + 66)), Refusal::Expired);
    assert_eq!(refusal(&text, &at(i64::MIN)), Refusal::NotYetValid);
    assert_eq!(refusal(&text, &at(i64::MAX)), Refusal::Expired);

    let text = offline_text(&offline(2));
    let expires_at = minted_at + 3_600;
    assert_eq!(refusal(&text, &at(minted_at - 31)), Refusal::NotYetValid);
    assert!(check(&text, &ring(), &at(minted_at - 30)).is_ok());
    assert!(check(&text, &ring(), &at(minted_at + 90)).is_ok());
    assert_eq!(refusal(&text, &at(minted_at + 91)), Refusal::Expired);
    assert_eq!(refusal(&text, &at(expires_at + 30)), Refusal::Expired);
    assert_eq!(
        refusal(&text, &at(expires_at + 31)),
        Refusal::CredentialExpired
    );
    assert_eq!(
        refusal(&text, &at(expires_at - 86_430)),
        Refusal::NotYetValid
    );
    assert_eq!(
        refusal(&text, &at(expires_at - 86_431)),
        Refusal::CredentialNotYetValid
    );
}

#[test]
fn purpose_class_and_binding_are_held_against_the_request() {
    let text = online_text(&online());
    let purpose = Request {
        purpose: 0b100,
        ..request()
    };
    assert_eq!(refusal(&text, &purpose), Refusal::PurposeMismatch);

    let scope = Scope::new(2, 0b11).unwrap();
    let text = online_text(&OnlineCode { scope, ..online() });
    let consuming = Request {
        consumes: true,
        ..request()
    };
    assert_eq!(refusal(&text, &consuming), Refusal::PurposeMismatch);
    assert!(check(&text, &ring(), &request()).is_ok());

    let binding = Binding::new(TERMINAL, 1_234).unwrap();
    let text = online_text(&OnlineCode {
        binding,
        ..online()
    });
    let amount = |amount_fen| Request {
        amount_fen,
        ..request()
    };
    assert!(check(&text, &ring(), &amount(Some(1_234))).is_ok());
    assert_eq!(
        refusal(&text, &amount(Some(1_235))),
        Refusal::AmountMismatch
    );
    assert_eq!(refusal(&text, &amount(None)), Refusal::AmountMismatch);
    let elsewhere = Request {
        terminal: OTHER_TERMINAL,
        ..amount(None)
    };
    assert_eq!(refusal(&text, &elsewhere), Refusal::TerminalMismatch);
}

#[test]
fn an_offline_code_stays_within_its_credential_and_consumes_nothing() {
    let consuming = Request {
        consumes: true,
        ..request()
    };
    let any_use = offline_text(&offline(1));
    assert!(check(&any_use, &ring(), &request()).is_ok());
    assert_eq!(refusal(&any_use, &consuming), Refusal::OfflineNotAllowed);
    let wider_class = OfflineCode {
        scope: Scope::new(1, 0b11).unwrap(),
        ..offline(2)
    };
    assert_eq!(
        refusal(&offline_text(&wider_class), &request()),
        Refusal::PurposeMismatch
    );
    let wider_purposes = OfflineCode {
        scope: Scope::new(2, 0b111).unwrap(),
        ..offline(2)
    };
    assert_eq!(
        refusal(&offline_text(&wider_purposes), &request()),
        Refusal::PurposeMismatch
    );
}

#[test]
fn nothing_is_assembled_that_could_not_be_read() {
    let message = online().to_be_signed();
    for bad in [
        &message[1..],
        &message[..message.len() - 1],
        b"",
        b"sscard/online-code/v1\n",
    ] {
        assert_eq!(assemble(bad, &[1; 64]), Err(Refusal::Malformed));
    }
    assert_eq!(
        assemble_credential(&message, &[1; 64]),
        Err(Refusal::Malformed)
    );
    let credential = offline(1).credential.to_be_signed();
    assert_eq!(assemble(&credential, &[1; 64]), Err(Refusal::Malformed));
}

#[test]
fn keys_that_contradict_each_other_make_no_ring() {
    let good = key(KeyPurpose::CodeSigning, 1, KeyState::Active);
    let again = Key {
        state: KeyState::Revoked,
        ..good.clone()
    };
    let shared = Key {
        purpose: KeyPurpose::DeviceCredential,
        number: 2,
        ..good.clone()
    };
    let error = |keys: &[Key]| KeyRing::new(keys).err();
    assert_eq!(error(&[good.clone(), again]), Some(InvalidKeys::Repeated));
    assert_eq!(error(&[good.clone(), shared]), Some(InvalidKeys::Shared));
    assert_eq!(error(&vec![good.clone(); 513]), Some(InvalidKeys::TooMany));
    assert_eq!(KeyRing::new(&[good]).unwrap().len(), 1);
}
