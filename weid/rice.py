"""Golomb–Rice coding of whole numbers: a quotient in unary, `k` low bits, most significant bit first.

Numbers that are about 2^k take about k + 2 bits. One list has one spelling: k is the smallest of the cheapest, the last byte
is filled with zero bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from weid.errors import MalformedError

__all__ = ["MAX_K", "best_k", "rice", "unrice"]

MAX_K = 31
MAX_BYTES = 8 << 20


def best_k(numbers: Sequence[int]) -> int:
    """The smallest parameter with which these numbers take the fewest bits."""
    if not numbers:
        return 0
    total, count = sum(numbers), len(numbers)
    guess = max((total // count).bit_length(), 1)
    tried = range(max(guess - 3, 0), min(guess + 2, MAX_K) + 1)
    return min(tried, key=lambda k: (sum(number >> k for number in numbers) + count * k, k))


def rice(numbers: Sequence[int], k: int) -> bytes:
    """The bits of the numbers, each below 2^32."""
    if k == 0:
        text = "".join("1" * number + "0" for number in numbers)
    else:
        text = "".join("1" * (number >> k) + "0" + format(number & (1 << k) - 1, f"0{k}b") for number in numbers)
    padded = text + "0" * (-len(text) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8, "big") if padded else b""


def unrice(data: bytes, count: int, k: int) -> list[int]:
    """`count` numbers of exactly these bytes; MalformedError when bits are missing or left over."""
    if len(data) > MAX_BYTES:
        raise MalformedError(f"a list in Rice code has at most {MAX_BYTES} bytes", code="too-large")
    if not 0 <= k <= MAX_K or not 0 <= count <= len(data) * 8:
        raise MalformedError("not a list in Rice code")
    bits = format(int.from_bytes(data, "big"), f"0{len(data) * 8}b") if data else ""
    numbers, at = [], 0
    for _ in range(count):
        end = bits.find("0", at)
        if end < 0 or end + 1 + k > len(bits):
            raise MalformedError("a list in Rice code is cut short")
        low = int(bits[end + 1 : end + 1 + k], 2) if k else 0
        numbers.append((end - at) << k | low)
        at = end + 1 + k
    if len(bits) - at >= 8 or "1" in bits[at:]:
        raise MalformedError("a list in Rice code has bits left over")
    return numbers
