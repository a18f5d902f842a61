"""Bytes as an endless row of small frames, any n and a few more of which give the bytes back (docs/spec/animated-code.md).

A random linear code over GF(2): the first n frames are the fragments themselves, each later one the exclusive-or of a
subset that its number names. A frame carries a CRC against misreading; the digest of the whole stands inside the whole, so
frames that somebody changed or mixed can give an error, never other bytes. It vouches for nobody: what was carried must
prove itself, as a trust bundle does.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Final

from weid.errors import MalformedError
from weid.signing import framed

__all__ = ["FRAGMENT", "MAX_BYTES", "MAX_FRAGMENTS", "MAX_FRAMES", "Frame", "Receiver", "Sender", "frame_of", "is_frame"]

MAX_BYTES: Final = 1 << 19  # half a megabyte: past it nobody holds a phone still
MAX_FRAGMENTS: Final = 2048
MAX_FRAMES: Final = 1 << 20
FRAGMENT: Final = 320  # octets: with the 22 around them 824 digits, a version 13 code at level L
_LEAST, _MOST = 16, 900
_TAG: Final = b"\x46\x01"  # "F", version 1: no credential code begins so (those begin 80 to 9f)
_HEAD, _CRC, _DIGEST = 18, 4, 32
_MAX_DIGITS: Final = 2300


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: the set it is of, how long the whole is (octets, the digest in front included), its number, its octets."""

    set_id: bytes
    length: int
    number: int
    body: bytes

    @property
    def fragments(self) -> int:
        """How many fragments the whole has."""
        return -(-self.length // len(self.body))

    def to_text(self) -> str:
        """The digits of its code."""
        head = _TAG + self.set_id + self.length.to_bytes(4, "big") + self.number.to_bytes(4, "big")
        data = head + self.body
        return str(int.from_bytes(data + zlib.crc32(data).to_bytes(_CRC, "big"), "big"))


def is_frame(text: str) -> bool:
    """Whether a code's text is a frame of some set."""
    try:
        frame_of(text)
    except MalformedError:
        return False
    return True


def frame_of(text: str) -> Frame:
    """The frame in a code's digits; MalformedError `not-a-frame`, also for one that was read wrongly."""
    if not 1 < len(text) <= _MAX_DIGITS or not (text.isascii() and text.isdigit()) or text[0] == "0":
        raise MalformedError("not a frame of an animated code", code="not-a-frame")
    number = int(text)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    body = data[_HEAD:-_CRC]
    if data[:2] != _TAG or not _LEAST <= len(body) <= _MOST:
        raise MalformedError("not a frame of an animated code", code="not-a-frame")
    if zlib.crc32(data[:-_CRC]) != int.from_bytes(data[-_CRC:], "big"):
        raise MalformedError("a frame that was read wrongly", code="not-a-frame")
    frame = Frame(data[2:10], int.from_bytes(data[10:14], "big"), int.from_bytes(data[14:18], "big"), body)
    if not _DIGEST < frame.length <= MAX_BYTES + _DIGEST or frame.fragments > MAX_FRAGMENTS or frame.number >= MAX_FRAMES:
        raise MalformedError("a frame of more than an animated code carries", code="not-a-frame")
    return frame


class Sender:
    """The frames of some bytes; MalformedError `too-large` for nothing or more than an animated code carries."""

    def __init__(self, data: bytes, *, fragment: int = FRAGMENT) -> None:
        if not 0 < len(data) <= MAX_BYTES or not _LEAST <= fragment <= _MOST:
            raise MalformedError(f"an animated code carries 1 to {MAX_BYTES} bytes", code="too-large")
        digest = hashlib.sha256(data).digest()
        whole = digest + data
        self.set_id, self.length, self._size = digest[:8], len(whole), fragment
        self.fragments = -(-len(whole) // fragment)
        if self.fragments > MAX_FRAGMENTS:
            raise MalformedError(f"more than {MAX_FRAGMENTS} fragments", code="too-large")
        padded = whole.ljust(self.fragments * fragment, b"\0")
        self._parts = [int.from_bytes(padded[at : at + fragment], "big") for at in range(0, len(padded), fragment)]

    def frame(self, number: int) -> Frame:
        """The frame of a number below MAX_FRAMES; the first `fragments` are the fragments in their order."""
        mask, mixed = _mask(self.set_id, self.fragments, number), 0
        for index, part in enumerate(self._parts):
            if mask >> index & 1:
                mixed ^= part
        return Frame(self.set_id, self.length, number, mixed.to_bytes(self._size, "big"))


class Receiver:
    """Takes frames in any order, doubled ones too, until `data` is whole. One set alone: another's frame is refused."""

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.restart()

    def restart(self) -> None:
        """Forget every frame."""
        self._first: Frame | None = None
        self._rows: dict[int, tuple[int, int]] = {}  # lowest bit of the mask → (mask, mixed)
        self._taken: set[int] = set()
        self.data = None

    @property
    def needed(self) -> int:
        """How many independent frames the set needs; 0 before the first."""
        return 0 if self._first is None else self._first.fragments

    @property
    def have(self) -> int:
        """How many independent frames are here."""
        return len(self._rows)

    def take(self, frame: Frame) -> bool:
        """Whether the frame brought something new.

        MalformedError `mixed-sets` for a frame of another set, with nothing changed; `changed-frames` when all are here and
        give other bytes than the set names: somebody put in frames of their own, and the receiver starts again.
        """
        first = self._first = self._first or frame
        if (frame.set_id, frame.length, len(frame.body)) != (first.set_id, first.length, len(first.body)):
            raise MalformedError("a frame of another set; begin again to take that one", code="mixed-sets")
        if self.data is not None or frame.number in self._taken:
            return False
        self._taken.add(frame.number)
        new = self._reduce(_mask(frame.set_id, frame.fragments, frame.number), int.from_bytes(frame.body, "big"))
        if len(self._rows) == self.needed:
            self.data = self._whole(first)
        return new

    def _reduce(self, mask: int, mixed: int) -> bool:
        while mask:
            lowest = mask & -mask
            row = self._rows.get(lowest)
            if row is None:
                self._rows[lowest] = (mask, mixed)
                return True
            mask, mixed = mask ^ row[0], mixed ^ row[1]
        return False

    def _whole(self, first: Frame) -> bytes:
        solved: dict[int, int] = {}
        for lowest in sorted(self._rows, reverse=True):
            mask, mixed = self._rows[lowest]
            rest = mask ^ lowest
            while rest:
                bit = rest & -rest
                mixed, rest = mixed ^ solved[bit], rest ^ bit
            solved[lowest] = mixed
        whole = b"".join(solved[bit].to_bytes(len(first.body), "big") for bit in sorted(solved))
        digest, data, padding = whole[:_DIGEST], whole[_DIGEST : first.length], whole[first.length :]
        if hashlib.sha256(data).digest() != digest or digest[:8] != first.set_id or padding.strip(b"\0"):
            self.restart()
            raise MalformedError("these frames do not give what their set names; begin again", code="changed-frames")
        return data


def _mask(set_id: bytes, fragments: int, number: int) -> int:
    """Which fragments a frame mixes: bit i is fragment i. Half of them on average, never none."""
    if number < fragments:
        return 1 << number
    count = (fragments + 7) // 8
    seed = framed("weid/fountain/v1", set_id + fragments.to_bytes(4, "big") + number.to_bytes(4, "big"))
    drawn = hashlib.shake_256(seed).digest(count)
    return int.from_bytes(drawn, "big") & ((1 << fragments) - 1) or 1 << number % fragments
