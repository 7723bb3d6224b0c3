"""SM2 as a textbook has it, in whole numbers: slow, and none of it is this project's own code.

It makes the cases that no library makes and says what is right, so it shares nothing with what it
judges: SM3 is `cryptography`'s. Points are pairs of numbers; None is infinity.
"""

from functools import lru_cache

from cryptography.hazmat.primitives import hashes

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
A = P - 3
DEFAULT_SIGNER_ID = b"1234567812345678"

Point = tuple[int, int]


def is_on_curve(point: Point) -> bool:
    x, y = point
    return (y**2 - x**3 + 3 * x - B) % P == 0


def lift_x(x: int, odd: int = 0) -> Point | None:
    """The point with this x and the wanted lowest bit of y, where there is one."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, y if y % 2 == odd else P - y


def negate(point: Point) -> Point:
    return point[0], -point[1] % P


def add(p: Point | None, q: Point | None) -> Point | None:
    """The sum by chord and tangent, which never looks at b."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = 3 * (p[0] ** 2 - 1) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope**2 - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k: int, point: Point) -> Point | None:
    """k times a point, by doubling and adding."""
    return sum_of_multiples(k, point, 0, point)


@lru_cache(maxsize=4096)
def sum_of_multiples(k: int, p: Point, m: int, q: Point) -> Point | None:
    """kp + mq, k and m not negative, by doubling once for both."""
    both = {"00": None, "10": p, "01": q, "11": add(p, q)}
    size = max(k.bit_length(), m.bit_length())
    total: Point | None = None
    for pair in zip(f"{k:0{size}b}", f"{m:0{size}b}", strict=True):
        total = add(total, total)
        total = add(total, both["".join(pair)])
    return total


def number(value: int) -> bytes:
    """32 big-endian bytes."""
    return value.to_bytes(32, "big")


def encode(point: Point) -> bytes:
    """x and y, 32 bytes each."""
    return number(point[0]) + number(point[1])


def decode(data: bytes) -> Point | None:
    """The point of 04, x, y or of 02 or 03, x (SEC 1, 2.3.4); nothing for all else."""
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if len(data) == 65 and data[0] == 4 and max(x, y) < P and is_on_curve((x, y)):
        return x, y
    if len(data) == 33 and data[0] in (2, 3) and x < P:
        return lift_x(x, data[0] - 2)
    return None


CURVE = encode((A, B)) + encode(G)


def sm3(data: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def kdf(z: bytes, size: int) -> bytes:
    """GB/T 32918.4, 5.4.3."""
    blocks = range(1, -(-size // 32) + 1)
    return b"".join(sm3(z + block.to_bytes(4, "big")) for block in blocks)[:size]


def digest_z(public_key: bytes, signer_id: bytes) -> bytes:
    """Z (GB/T 32918.2, 5.5). public_key: 04, x and y. signer_id: at most 8191 bytes."""
    entl = (8 * len(signer_id)).to_bytes(2, "big")
    return sm3(entl + signer_id + CURVE + public_key[1:])


def digest_e(public_key: bytes, message: bytes, signer_id: bytes = DEFAULT_SIGNER_ID) -> bytes:
    """e = SM3(Z, message) (GB/T 32918.2, 6.1). public_key: 04, x and y."""
    return sm3(digest_z(public_key, signer_id) + message)


def sign(d: int, e: int, k: int) -> tuple[int, int]:
    """r and s (GB/T 32918.2, 6.1), without the steps that ask for another k."""
    point = multiply(k, G)
    assert point is not None
    r = (e + point[0]) % N
    return r, (k - r * d) * pow(1 + d, -1, N) % N


def verifies(public: Point, e: int, r: int, s: int) -> bool:
    """GB/T 32918.2, 7.1, from step B1 on."""
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N) or t == 0:
        return False
    point = sum_of_multiples(s, G, t, public)
    return point is not None and (e + point[0]) % N == r


def conceal(c1: Point, shared: Point, plaintext: bytes) -> tuple[Point, bytes, bytes]:
    """C1, C3 and C2 as they follow from the shared point (GB/T 32918.4, 6.1, from A5 on)."""
    secret = encode(shared)
    stream = kdf(secret, len(plaintext))
    c2 = bytes(a ^ b for a, b in zip(stream, plaintext, strict=True))
    return c1, sm3(secret[:32] + plaintext + secret[32:]), c2


def decrypt(d: int, c1: Point, c3: bytes, c2: bytes) -> bytes | None:
    """The plaintext (GB/T 32918.4, 7.1), or nothing."""
    if not (max(c1) < P and is_on_curve(c1)) or not c2:
        return None
    shared = multiply(d, c1)
    if shared is None or not any(kdf(encode(shared), len(c2))):
        return None
    plaintext = conceal(c1, shared, c2)[2]
    return plaintext if conceal(c1, shared, plaintext)[1] == c3 else None
