"""An SM2 edition of the cases that Wycheproof has for ECDSA, made by a program.

Nobody publishes such a set for SM2. `make_sm2_edition.py` beside this folder writes it, from a
fixed seed, to tests/vectors/sm2_edition_*.json; `test_sm2_edition.py` runs each case. What is right
is said by whole numbers alone (sm2_textbook.py) and by a DER reader of this folder, never by the
code under test.

    cases.py        what a case is, and how it stands in a file
    der.py          DER, written and read; mutations.py spoils it in every way
    claims.py       a signature in numbers, the keys and the seeded draws that families use
    messages, digests, ranges, sums, arithmetic, points, encodings   families of signatures
    special_points, weak_points                 points that families aim at
    private_keys, ciphertexts                   families of the two other kinds
    verdicts.py     what the textbook answers to a case

A case that must be refused fits in all but the one thing that is wrong with it, wherever that can
be made: an s of 0 comes with the r and the e for which the sum is right all the same. So the check
that the case is about can't be left out unseen.
"""
