use crate::sm2::{InvalidKey, InvalidSignature, KeptKeys, PrivateKey, Refused};

const ID: &[u8] = b"id";
/// A key with a table takes about this much.
const TABLE: usize = 54_000;

struct Terminal {
    point: [u8; 33],
    signature: [u8; 64],
}

impl Terminal {
    fn new(number: u8) -> Self {
        let key = PrivateKey::from_bytes(&[number; 32]).unwrap();
        Self {
            point: key.public_key().to_sec1_compressed(),
            signature: key.sign(b"message", ID).unwrap().to_bytes(),
        }
    }

    fn speak(&self, keys: &KeptKeys, times: u8) {
        for _ in 0..times {
            keys.verify(&self.point, &self.signature, b"message", ID)
                .unwrap();
        }
    }
}

#[test]
fn a_key_gets_a_table_when_it_has_signed_often() {
    let (keys, terminal) = (KeptKeys::new(10 * TABLE), Terminal::new(1));
    terminal.speak(&keys, 7);
    assert_eq!(keys.tables(), 0);
    assert_eq!(keys.bytes(), 256);
    terminal.speak(&keys, 1);
    assert_eq!(keys.tables(), 1);
    assert!((TABLE - 2000..TABLE).contains(&keys.bytes()));
    terminal.speak(&keys, 20);
    assert_eq!(keys.tables(), 1);
}

#[test]
fn bad_signatures_and_bad_keys_are_refused_and_never_kept() {
    let (keys, terminal) = (KeptKeys::new(10 * TABLE), Terminal::new(1));
    let refused = Err(Refused::Signature(InvalidSignature));
    let verify = |message| keys.verify(&terminal.point, &terminal.signature, message, ID);
    for _ in 0..20 {
        assert_eq!(verify(b"another"), refused);
    }
    assert_eq!(keys.bytes(), 0);
    terminal.speak(&keys, 8);
    assert_eq!(keys.tables(), 1);
    assert_eq!(verify(b"another"), refused);
    for wrong in [&terminal.point[..32], &[], &[2; 33]] {
        let verdict = keys.verify(wrong, &terminal.signature, b"message", ID);
        assert_eq!(verdict, Err(Refused::Key(InvalidKey)));
    }
}

#[test]
fn the_key_met_longest_ago_gives_way() {
    let keys = KeptKeys::new(2 * TABLE);
    let terminals: Vec<Terminal> = (1..=3).map(Terminal::new).collect();
    terminals[0].speak(&keys, 8);
    terminals[1].speak(&keys, 8);
    terminals[0].speak(&keys, 1);
    let before = keys.bytes();
    terminals[2].speak(&keys, 8);
    assert_eq!((keys.tables(), keys.bytes()), (2, before));
    // The first and the third are there; the second was met longest ago and begins anew.
    terminals[0].speak(&keys, 1);
    terminals[2].speak(&keys, 1);
    assert_eq!((keys.tables(), keys.bytes()), (2, before));
    terminals[1].speak(&keys, 1);
    assert_eq!((keys.tables(), keys.bytes()), (2, before + 256));
}

#[test]
fn a_bad_signature_keeps_nobodys_table_alive() {
    let keys = KeptKeys::new(2 * TABLE);
    let terminals: Vec<Terminal> = (1..=3).map(Terminal::new).collect();
    terminals[0].speak(&keys, 8);
    terminals[1].speak(&keys, 8);
    let before = keys.bytes();
    let verdict = keys.verify(&terminals[0].point, &[1; 64], b"message", ID);
    assert_eq!(verdict, Err(Refused::Signature(InvalidSignature)));
    terminals[2].speak(&keys, 8);
    // The first one is out: it begins anew, the second does not.
    terminals[1].speak(&keys, 1);
    assert_eq!((keys.tables(), keys.bytes()), (2, before));
    terminals[0].speak(&keys, 1);
    assert_eq!((keys.tables(), keys.bytes()), (2, before + 256));
}

#[test]
fn a_limit_below_one_table_keeps_nothing_and_still_verifies() {
    for limit in [0, 255, 1000] {
        let keys = KeptKeys::new(limit);
        Terminal::new(1).speak(&keys, 20);
        assert_eq!(keys.tables(), 0);
        assert!(keys.bytes() <= limit);
    }
}
