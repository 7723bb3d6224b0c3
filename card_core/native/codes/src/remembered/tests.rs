use sscard_sm::sm2::PrivateKey;

use super::*;
use crate::{
    Binding, Credential, Flags, Key, KeyPurpose, KeyRing, KeyState, OfflineCode, Refusal, Request,
    Scope, assemble, check,
};

const NOW: u32 = 1_800_000_000;

fn private_key(last_byte: u8) -> PrivateKey {
    let mut bytes = [7; 32];
    bytes[31] = last_byte;
    PrivateKey::from_bytes(&bytes).unwrap()
}

fn device() -> Device {
    Device::Seldom(*private_key(200).public_key())
}

/// Bytes that stand for a credential; what they say is nothing to the memory.
fn signed(number: u8) -> Signed {
    [number; credential::SIZE]
}

fn ring(state: KeyState, bytes_max: usize) -> KeyRing {
    let key = Key {
        purpose: KeyPurpose::DeviceCredential,
        issuer: 1,
        number: 1,
        state,
        public_key: *private_key(1).public_key(),
    };
    KeyRing::remembering(&[key], bytes_max).unwrap()
}

fn sign(key: u8, message: &[u8]) -> [u8; 64] {
    let key = private_key(key);
    key.sign(message, DEFAULT_SIGNER_ID).unwrap().to_bytes()
}

/// A code of a phone whose credential is signed with the key of this number; the ring has 1.
fn code(issuer_key: u8, status_index: u32) -> OfflineCode {
    let credential = Credential {
        issuer: 1,
        key_number: 1,
        expires_at: NOW + 3_600,
        scope: Scope::new(2, 1).unwrap(),
        flags: Flags::new(0, 1).unwrap(),
        status_index,
        device_key: private_key(200).public_key().to_sec1_compressed(),
    };
    OfflineCode {
        credential_signature: sign(issuer_key, &credential.to_be_signed()),
        credential,
        minted_at: NOW,
        scope: Scope::new(2, 1).unwrap(),
        nonce: [9; 8],
        binding: Binding::new([0; 8], 0).unwrap(),
    }
}

/// Signed by the device with the key of this number; the credential has 200.
fn text(code: &OfflineCode, device_key: u8) -> String {
    let message = code.to_be_signed();
    assemble(&message, &sign(device_key, &message)).unwrap()
}

fn signed_credential(code: &OfflineCode) -> Signed {
    let message = code.to_be_signed();
    let body = message.strip_prefix(b"sscard/offline-code/v1\n").unwrap();
    *body.first_chunk().unwrap()
}

fn request(now: i64) -> Request {
    Request {
        now,
        purpose: 1,
        consumes: false,
        terminal: *b"terminal",
        amount_fen: None,
    }
}

fn reason(text: &str, ring: &KeyRing) -> Option<Refusal> {
    check(text, ring, &request(i64::from(NOW))).err()
}

#[test]
fn the_issuers_signature_is_not_checked_again_and_everything_else_is() {
    let ring = ring(KeyState::Active, REMEMBERED_BYTES);
    let forged = code(2, 5);
    let good = text(&forged, 200);
    assert_eq!(reason(&good, &ring), Some(Refusal::BadSignature));
    assert!(ring.remembered().is_empty());
    // As if that signature had been good: nothing but this lets such a code through.
    ring.remembered()
        .signed_well(&signed_credential(&forged), &device());
    assert_eq!(reason(&good, &ring), None);
    assert_eq!(
        reason(&text(&forged, 201), &ring),
        Some(Refusal::BadSignature)
    );
    let at = |now| check(&good, &ring, &request(i64::from(NOW) + now)).err();
    assert_eq!(at(91), Some(Refusal::Expired));
    assert_eq!(at(3_631), Some(Refusal::CredentialExpired));
    assert_eq!(at(3_599 - 86_430), Some(Refusal::CredentialNotYetValid));
}

#[test]
fn a_credential_is_remembered_once_both_signatures_were_good() {
    let ring = ring(KeyState::Active, REMEMBERED_BYTES);
    let good = code(1, 5);
    for bad in [text(&code(2, 5), 200), text(&good, 201)] {
        assert_eq!(reason(&bad, &ring), Some(Refusal::BadSignature));
        assert_eq!((ring.remembered().len(), ring.remembered().bytes()), (0, 0));
    }
    for _ in 0..3 {
        assert_eq!(reason(&text(&good, 200), &ring), None);
        assert_eq!(ring.remembered().len(), 1);
        assert_eq!(ring.remembered().bytes(), ENTRY_SIZE);
    }
    assert_eq!(reason(&text(&code(1, 6), 200), &ring), None);
    assert_eq!(ring.remembered().len(), 2);
}

#[test]
fn a_credential_with_any_bit_changed_is_another_one() {
    let remembered = Remembered::new(REMEMBERED_BYTES);
    let known = signed_credential(&code(1, 5));
    remembered.signed_well(&known, &device());
    assert!(remembered.find(&known).is_some());
    for bit in 0..8 * known.len() {
        let mut changed = known;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(remembered.find(&changed).is_none(), "bit {bit}");
    }
}

#[test]
fn a_ring_in_which_the_key_is_revoked_knows_nothing_of_it() {
    let text = text(&code(1, 5), 200);
    let before = ring(KeyState::Active, REMEMBERED_BYTES);
    assert_eq!(reason(&text, &before), None);
    let after = ring(KeyState::Revoked, REMEMBERED_BYTES);
    assert!(after.remembered().is_empty());
    assert_eq!(reason(&text, &after), Some(Refusal::KeyNotActive));
}

#[test]
fn a_table_comes_with_the_eighth_good_code_and_gives_the_same_answers() {
    let ring = ring(KeyState::Active, REMEMBERED_BYTES);
    let code = code(1, 5);
    let (good, bad) = (text(&code, 200), text(&code, 201));
    let signed = signed_credential(&code);
    for number in 1..=10 {
        assert_eq!(reason(&good, &ring), None);
        assert_eq!(reason(&bad, &ring), Some(Refusal::BadSignature));
        let device = ring.remembered().find(&signed).unwrap();
        assert_eq!(matches!(device, Device::Often(_)), number >= 8, "{number}");
        assert_eq!(ring.remembered().bytes(), device.size());
    }
}

#[test]
fn the_one_met_longest_ago_makes_room_and_forgeries_make_none() {
    let remembered = Remembered::new(3 * ENTRY_SIZE);
    for number in [1, 2, 3, 1] {
        remembered.signed_well(&signed(number), &device());
    }
    // To be looked for, as each forgery is, counts for nothing.
    for number in [2, 2, 77] {
        let _ = remembered.find(&signed(number));
    }
    remembered.signed_well(&signed(4), &device());
    let found = [1, 2, 3, 4].map(|number| remembered.find(&signed(number)).is_some());
    assert_eq!(found, [true, false, true, true]);
    assert_eq!(remembered.bytes(), 3 * ENTRY_SIZE);
}

#[test]
fn the_limit_holds_for_tables_too() {
    let bytes_max = 2 * ENTRY_SIZE + NarrowVerifier::SIZE;
    let remembered = Remembered::new(bytes_max);
    for number in 0..4 {
        for _ in 0..2 * CODES_BEFORE_TABLE {
            remembered.signed_well(&signed(number), &device());
            assert!(remembered.bytes() <= bytes_max);
        }
        let kept = remembered.find(&signed(number));
        assert!(matches!(kept, Some(Device::Often(_))));
    }
    assert_eq!(remembered.len(), 1, "two tables don't fit");
}

#[test]
fn no_room_at_all_changes_no_answer() {
    let ring = ring(KeyState::Active, 0);
    let code = code(1, 5);
    for _ in 0..10 {
        assert_eq!(reason(&text(&code, 200), &ring), None);
        assert_eq!(
            reason(&text(&code, 201), &ring),
            Some(Refusal::BadSignature)
        );
        assert_eq!((ring.remembered().len(), ring.remembered().bytes()), (0, 0));
    }
}

#[test]
fn where_another_thread_is_at_it_a_check_goes_on_without() {
    let ring = ring(KeyState::Active, REMEMBERED_BYTES);
    let good = text(&code(1, 5), 200);
    let busy = ring.remembered().entries.lock().unwrap();
    assert_eq!(reason(&good, &ring), None);
    drop(busy);
    assert!(ring.remembered().is_empty(), "it was not waited for");
}

#[test]
fn many_threads_keep_the_count_of_bytes() {
    let remembered = Remembered::new(20 * ENTRY_SIZE + NarrowVerifier::SIZE);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let remembered = &remembered;
            scope.spawn(move || {
                for number in 0..400u16 {
                    let which = signed((number % 60) as u8 + thread);
                    remembered.signed_well(&which, &device());
                }
            });
        }
    });
    let entries = remembered.entries.lock().unwrap();
    let sum: usize = entries
        .by_credential
        .iter()
        .map(|(_, met)| met.device.size())
        .sum();
    assert_eq!(entries.bytes, sum);
    assert!(sum <= remembered.bytes_max && sum > 0);
}

#[test]
fn an_entry_takes_no_more_than_is_counted() {
    // The order's two pointers, and the slot of the map: a pointer to the key, one to the entry,
    // a byte of its own, a seventh of them empty; a doubled map is half empty.
    let entry = size_of::<Signed>() + size_of::<Met>() + 2 * size_of::<usize>() + 16;
    let slot = 2 * (2 * size_of::<usize>() + 1) * 8 / 7;
    assert!(entry + slot <= ENTRY_SIZE, "{entry} + {slot}");
}
