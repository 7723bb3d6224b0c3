use crate::der::{Reader, sequence, write_octet_string, write_unsigned_integer};

fn integer(content: &[u8]) -> Option<[u8; 32]> {
    let bytes = sequence(&[&[2, content.len() as u8], content].concat());
    let mut reader = Reader::sequence(&bytes)?;
    let number = reader.unsigned_integer()?;
    reader.finish()?;
    Some(number)
}

#[test]
fn integers_have_one_encoding() {
    let mut largest = vec![0];
    largest.extend([0xff; 32]);
    for good in [
        &[0][..],
        &[1],
        &[0x7f],
        &[0, 0x80],
        &[0, 0xff, 1],
        &[1; 32],
        &largest,
    ] {
        let number = integer(good).expect("a DER integer is read");
        let mut written = Vec::new();
        write_unsigned_integer(&mut written, &number);
        assert_eq!(written[2..], *good);
    }
    let mut too_long = vec![1];
    too_long.extend([0; 32]);
    for bad in [
        &[][..],
        &[0, 0],
        &[0, 0x7f],
        &[0x80],
        &[0xff, 1],
        &too_long,
        &[1; 34],
    ] {
        assert!(integer(bad).is_none(), "{bad:02x?} was read");
    }
}

#[test]
fn lengths_are_definite_and_as_short_as_can_be() {
    for size in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 24] {
        let mut content = Vec::new();
        write_octet_string(&mut content, &vec![7; size]);
        let bytes = sequence(&content);
        let mut reader = Reader::sequence(&bytes).expect("what was written is read");
        assert_eq!(reader.octet_string().map(<[u8]>::len), Some(size));
        assert!(reader.finish().is_some());
    }
    let string = [4, 1, 7];
    for header in [
        &[0x30, 0x80][..],
        &[0x30, 0x81, 3],
        &[0x30, 0x82, 0, 3],
        &[0x30, 0x84, 0, 0, 0, 3],
    ] {
        assert!(Reader::sequence(&[header, &string].concat()).is_none());
    }
    let mut long = vec![0x30, 0x82, 0, 0x80];
    long.extend([0; 128]);
    assert!(Reader::sequence(&long).is_none());
    let overlong = [&[0x30, 0x85, 1, 0, 0, 0, 0][..], &string].concat();
    assert!(Reader::sequence(&overlong).is_none());
}

#[test]
fn nothing_follows_and_nothing_is_missing() {
    let good = sequence(&[4, 2, 7, 7]);
    assert!(Reader::sequence(&good).is_some());
    assert!(Reader::sequence(&[&good[..], &[0]].concat()).is_none());
    for length in 0..good.len() {
        assert!(Reader::sequence(&good[..length]).is_none());
    }
    let mut reader = Reader::sequence(&good).unwrap();
    assert!(reader.unsigned_integer().is_none());
    assert!(Reader::sequence(&good).unwrap().finish().is_none());
}
