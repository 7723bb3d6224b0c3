//! Lists and changes against a plain array, and against bytes that nobody honest wrote.

#![allow(missing_docs, clippy::unwrap_used)]

use sscard_status_list::{Changes, Error, LISTED_MAX, POSITIONS_MAX, StatusList};

/// Xorshift: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn drawn(random: &mut Random, size: u32, one_in: u64) -> Vec<u8> {
    (0..size)
        .map(|_| {
            if random.below(one_in) == 0 {
                1 + random.below(3) as u8
            } else {
                0
            }
        })
        .collect()
}

fn listed(states: &[u8]) -> impl Iterator<Item = (u32, u8)> {
    (0..)
        .zip(states.iter().copied())
        .filter(|&(_, state)| state != 0)
}

fn list_of(states: &[u8]) -> StatusList {
    StatusList::new(states.len() as u32, listed(states)).unwrap()
}

fn is_the_same(list: &StatusList, states: &[u8]) {
    for (index, &state) in (0..).zip(states) {
        assert_eq!(list.state(index), Some(state), "position {index}");
    }
    assert_eq!(list.state(list.size()), None);
    assert_eq!(list.state(u32::MAX), None);
}

#[test]
fn a_list_says_what_a_plain_array_says() {
    let mut random = Random(0x5eed);
    for (size, one_in) in [
        (1, 1),
        (2, 2),
        (97, 1),
        (1000, 2),
        (50_000, 7),
        (300_000, 1000),
    ] {
        let states = drawn(&mut random, size, one_in);
        let list = list_of(&states);
        is_the_same(&list, &states);
        let back = StatusList::decode(size, &list.encode()).unwrap();
        assert_eq!(back, list);
        is_the_same(&back, &states);
    }
}

#[test]
fn changes_lead_from_any_list_to_any_other_and_compose() {
    let mut random = Random(0xc4a6e5);
    for one_in in [1, 2, 50, 2000] {
        let steps: Vec<Vec<u8>> = (0..4).map(|_| drawn(&mut random, 5000, one_in)).collect();
        let lists: Vec<StatusList> = steps.iter().map(|states| list_of(states)).collect();
        let mut all = Changes::new(5000, []).unwrap();
        for pair in lists.windows(2) {
            let changes = pair[0].changes_to(&pair[1]).unwrap();
            let read = Changes::decode(5000, &changes.encode()).unwrap();
            assert_eq!(read, changes);
            assert_eq!(pair[0].apply(&read).unwrap(), pair[1]);
            all = all.then(&changes).unwrap();
        }
        let last = lists[0].apply(&all).unwrap();
        assert_eq!(last, lists[3]);
        assert_eq!(last.encode(), lists[3].encode());
        is_the_same(&last, &steps[3]);
    }
}

#[test]
fn the_size_is_near_the_entropy() {
    // 1 in 100 of a million, three states alike: 0.0966 bits a position, 12 078 bytes.
    let list = list_of(&drawn(&mut Random(1), 1_000_000, 100));
    assert!(list.encode().len() < 12_500, "{}", list.encode().len());
    // All in one state: 0.0808 bits a position.
    let states: Vec<(u32, u8)> = listed(&drawn(&mut Random(2), 1_000_000, 100))
        .map(|(index, _)| (index, 1))
        .collect();
    let list = StatusList::new(1_000_000, states).unwrap();
    assert!(list.encode().len() < 10_500, "{}", list.encode().len());
}

#[test]
fn what_makes_no_list_is_refused() {
    let refused = |size, listed: &[(u32, u8)]| StatusList::new(size, listed.iter().copied());
    assert_eq!(refused(0, &[]), Err(Error::Size));
    assert_eq!(refused(POSITIONS_MAX + 1, &[]), Err(Error::Size));
    assert!(refused(POSITIONS_MAX, &[(POSITIONS_MAX - 1, 3)]).is_ok());
    assert_eq!(refused(5, &[(5, 1)]), Err(Error::Position));
    assert_eq!(refused(5, &[(1, 0)]), Err(Error::State));
    assert_eq!(refused(5, &[(1, 4)]), Err(Error::State));
    assert_eq!(refused(5, &[(1, 1), (0, 1), (1, 2)]), Err(Error::Repeated));
    let many = (0..=LISTED_MAX as u32).map(|index| (index, 1));
    assert_eq!(StatusList::new(POSITIONS_MAX, many), Err(Error::TooMany));
    let (list, other) = (refused(5, &[]).unwrap(), refused(6, &[]).unwrap());
    assert_eq!(list.changes_to(&other), Err(Error::Size));
    assert_eq!(list.apply(&Changes::new(6, []).unwrap()), Err(Error::Size));
}

#[test]
fn whatever_is_read_is_written_the_same_again() {
    let mut random = Random(0xbad);
    let list = list_of(&drawn(&mut random, 400, 8));
    let bytes = list.encode();
    let mut taken = 0;
    let mut look = |size: u32, bytes: &[u8]| {
        if let Ok(read) = StatusList::decode(size, bytes) {
            assert_eq!(read.encode(), bytes);
            taken += 1;
        }
        if let Ok(read) = Changes::decode(size, bytes) {
            assert_eq!(read.encode(), bytes);
        }
    };
    for end in 0..bytes.len() {
        look(400, &bytes[..end]);
    }
    look(400, &[&bytes[..], &[0]].concat());
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        look(400, &other);
        look(399, &other);
    }
    for _ in 0..200_000 {
        let mut other = bytes.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(other.len() as u64) as usize;
            other[at] = random.next() as u8;
        }
        look(1 + random.below(500) as u32, &other);
    }
    assert!(
        taken > 100,
        "{taken} of the changed ones were lists: too few to tell anything"
    );
}

#[test]
fn a_claim_that_the_bytes_can_not_hold_is_refused_before_anything_is_allocated() {
    for counts in [[u32::MAX; 3], [LISTED_MAX as u32, 0, 0], [0, 0, 17]] {
        let mut bytes: Vec<u8> = counts
            .iter()
            .flat_map(|count| count.to_be_bytes())
            .collect();
        bytes.extend([0, 0]);
        assert_eq!(
            StatusList::decode(POSITIONS_MAX, &bytes),
            Err(Error::Malformed)
        );
    }
    // All positions of a small list, and one more than it has.
    let mut bytes = [0_u8; 12 + 1];
    bytes[3] = 8;
    assert!(StatusList::decode(8, &bytes).is_ok());
    assert_eq!(StatusList::decode(7, &bytes), Err(Error::Malformed));
}
