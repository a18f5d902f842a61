"""SM2 written out from GB/T 32918.2 with every input open: id, nonce, Z. For tests only: not constant-time."""

from __future__ import annotations

from weid.hashes import SM3

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
ID = b"1234567812345678"
Point = tuple[int, int] | None


def add(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiply(number: int, point: Point) -> Point:
    result: Point = None
    for bit in bin(number)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def public_xy(secret: int) -> bytes:
    x, y = multiply(secret, G) or (0, 0)
    return number(x) + number(y)


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def digest(xy: bytes, message: bytes, signer_id: bytes = ID) -> int:
    z = SM3((8 * len(signer_id)).to_bytes(2, "big") + signer_id + b"".join(map(number, (A, B, *G))) + xy)
    return int.from_bytes(SM3(z + message), "big")


def sign(secret: int, nonce: int, e: int) -> bytes:
    """r ‖ s over the digest e (6.1, steps A4 to A6)."""
    x, _ = multiply(nonce, G) or (0, 0)
    r = (e + x) % N
    s = pow(1 + secret, -1, N) * (nonce - r * secret) % N
    return number(r) + number(s)
