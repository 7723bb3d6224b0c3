"""SM2's curve as a textbook has it: slow, in whole numbers, to make cases that no library makes."""

from crypto import sm3

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)

Point = tuple[int, int]


def add(p: Point | None, q: Point | None) -> Point | None:
    """The sum by chord and tangent, which never looks at b; None is infinity."""
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
    total: Point | None = None
    for bit in f"{k:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def encode(point: Point) -> bytes:
    """x and y, 32 bytes each."""
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def digest_e(public_key: bytes, message: bytes, signer_id: bytes = b"1234567812345678") -> bytes:
    """e = SM3(Z, message) (GB/T 32918.2, 5.5 and 6.1). public_key: 04, x and y."""
    entl = (8 * len(signer_id)).to_bytes(2, "big")
    curve = encode((P - 3, B)) + encode(G)
    z = sm3.digest(entl + signer_id + curve + public_key[1:])
    return sm3.digest(z + message)
