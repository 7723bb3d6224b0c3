"""How keys are named and cut. Whoever changes this raises LAYOUT: an epoch has one layout.

    sscard:<epoch's name>:{<shard>}:m:<bucket>    marks: a hash of nonce and request tag;
                                                  its field "e" holds the epoch's name
    sscard:<epoch's name>:{<shard>}:c:<e-card>    a card: version (8), state (1), sealed record

The braces put all keys of a shard into one slot of a cluster. A bucket holds the marks of codes
that were minted within the same few seconds, and is short so that Redis keeps it as a flat list,
which takes a third of the memory, for up to some 8000 scans a second.
"""

LAYOUT = 1
SHARDS = 64
BUCKET_SECONDS = 4
# A code is good for 60 s and 5 of skew; a bucket stays twice the skew and a bit longer.
CODE_USABLE_SECONDS = 66
BUCKET_KEPT_SECONDS = 90
# Longer than any load may be under way (LOAD_SECONDS_MAX), with room for a clock set right.
RECORD_KEPT_SECONDS = 300
LOAD_SECONDS_MAX = 60
# Buckets are made for so long ahead, and the next ones asked for when less than half of it is left.
MADE_AHEAD_SECONDS = 300

NONCE_SIZE_BYTES = 8
TAG_SIZE_BYTES = 8
RECORD_SIZE_MAX_BYTES = 4096

STATE_UNKNOWN = 0
STATE_USABLE = 1

_TAGS = tuple(b":{%d}:" % shard for shard in range(SHARDS))


def shard_of(ecard_id: int) -> int:
    """E-card ids are random, so any of their bits will do."""
    return ecard_id % SHARDS


def hash_tag(shard: int) -> bytes:
    """The part of a shard's keys that decides their slot."""
    return b"%d" % shard


def bucket_key(name: bytes, shard: int, minted_at: int) -> bytes:
    return b"sscard:%b%bm:%x" % (name, _TAGS[shard], minted_at // BUCKET_SECONDS)


def card_key(name: bytes, shard: int, ecard_id: int) -> bytes:
    return b"sscard:%b%bc:%b" % (name, _TAGS[shard], ecard_id.to_bytes(8))


def bucket_starts(since: int, until: int) -> range:
    """The first second of each bucket that holds any of the seconds from `since` to `until`."""
    return range(since - since % BUCKET_SECONDS, until, BUCKET_SECONDS)


def check_spending(nonce: bytes, request_tag: bytes) -> None:
    """Raises ValueError; commands are laid out for these sizes and no others."""
    if len(nonce) != NONCE_SIZE_BYTES or len(request_tag) != TAG_SIZE_BYTES:
        raise ValueError("a nonce and a request tag have 8 bytes each")


def check_record(state: int, sealed: bytes, kept_seconds: int) -> None:
    """Raises ValueError for what no record may be: that is the caller's own mistake."""
    if not STATE_USABLE <= state <= 255:
        raise ValueError("a record's state is from 1 to 255")
    if len(sealed) > RECORD_SIZE_MAX_BYTES:
        raise ValueError(f"a sealed record has at most {RECORD_SIZE_MAX_BYTES} bytes")
    if not 1 <= kept_seconds <= RECORD_KEPT_SECONDS:
        raise ValueError(f"a record is kept from 1 to {RECORD_KEPT_SECONDS} seconds")
