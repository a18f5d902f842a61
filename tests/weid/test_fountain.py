"""Animated codes: enough frames give the same bytes, changed or mixed ones never others."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weid.errors import MalformedError
from weid.fountain import MAX_BYTES, Frame, Receiver, Sender, frame_of, is_frame


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=3000), st.integers(16, 200), st.randoms(use_true_random=False), st.floats(0, 0.9))
def test_whatever_is_lost_enough_frames_give_the_same_bytes(data: bytes, size: int, chance: random.Random, loss: float) -> None:
    """Any order, any loss, doubled frames: complete means equal, and 30 more than n complete."""
    sender, receiver = Sender(data, fragment=size), Receiver()
    numbers = [number for number in range(20 * sender.fragments + 400) if chance.random() >= loss]
    kept = numbers[: sender.fragments + 30]
    chance.shuffle(kept)
    for number in kept + kept[:5]:
        receiver.take(frame_of(sender.frame(number).to_text()))
        assert receiver.have <= receiver.needed == sender.fragments
        assert receiver.data in (None, data)
    if len(kept) >= sender.fragments + 30:
        assert receiver.data == data


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=40, max_size=600), st.data())
def test_a_changed_frame_never_gives_other_bytes(data: bytes, draw: st.DataObject) -> None:
    """A forger who also mends the CRC stops the transfer; the bytes are the right ones or none."""
    sender, receiver = Sender(data, fragment=32), Receiver()
    bad = draw.draw(st.integers(0, sender.fragments - 1))
    flip = draw.draw(st.integers(1, 255))
    frames = [sender.frame(number) for number in range(sender.fragments)]
    frames[bad] = replace(frames[bad], body=bytes([frames[bad].body[0] ^ flip]) + frames[bad].body[1:])
    with pytest.raises(MalformedError) as refused:
        any(receiver.take(frame_of(frame.to_text())) and False for frame in frames)
    assert refused.value.code == "changed-frames"
    assert receiver.data is None


def test_a_misread_frame_is_no_frame() -> None:
    """Every changed bit breaks the CRC, or the shape."""
    text = Sender(b"x" * 100, fragment=40).frame(1).to_text()
    number = int(text)
    for bit in range(number.bit_length()):
        assert not is_frame(str(number ^ (1 << bit)))
    for wrong in ("", "0", "12", text + "0", "0" + text, "9" * 3000, text.replace(text[3], "x"), "１２３"):
        assert not is_frame(wrong)


def test_sets_do_not_mix() -> None:
    """A frame of another set is refused with nothing changed; the first set still completes."""
    one, other, receiver = Sender(b"a" * 500), Sender(b"b" * 500), Receiver()
    receiver.take(one.frame(0))
    with pytest.raises(MalformedError, match="another set") as refused:
        receiver.take(other.frame(1))
    assert refused.value.code == "mixed-sets"
    for number in range(1, one.fragments):
        receiver.take(one.frame(number))
    assert receiver.data == b"a" * 500


@pytest.mark.parametrize(
    "change",
    [
        {"length": 32},
        {"length": MAX_BYTES + 33},
        {"number": 1 << 20},
        {"body": b"x" * 15},
        {"body": b"x" * 901},
        {"length": 400_000},
    ],
)
def test_frames_beyond_the_limits_are_refused(change: dict[str, object]) -> None:
    """A hostile frame cannot make a receiver set aside more than the limits."""
    frame = replace(Frame(b"12345678", 100, 0, b"x" * 40), **change)  # type: ignore[arg-type]
    assert not is_frame(frame.to_text())


def test_limits_of_a_sender() -> None:
    """Nothing, too much, and fragments that are too small are refused."""
    for data, size in ((b"", 320), (b"x" * (MAX_BYTES + 1), 320), (b"x" * 60_000, 16), (b"x", 4)):
        with pytest.raises(MalformedError):
            Sender(data, fragment=size)


def test_the_frame_is_laid_out_as_specified() -> None:
    """46 01, set id, length, number, fragment, CRC-32 of all before."""
    frame = Sender(b"hello", fragment=40).frame(0)
    data = int(frame.to_text()).to_bytes(62, "big")
    assert data[:2] == b"F\x01" and data[2:10] == data[18:26] and data[10:14] == b"\0\0\0\x25"
    assert data[50:55] == b"hello" and zlib.crc32(data[:-4]).to_bytes(4, "big") == data[-4:]


def test_overhead_is_a_frame_or_two() -> None:
    """20 kB at one lost frame in five: about n + 2 received frames."""
    sender, chance, more = Sender(random.Random(1).randbytes(20_000)), random.Random(2), []
    for _ in range(5):
        receiver, received, number = Receiver(), 0, 0
        while receiver.data is None:
            if chance.random() > 0.2:
                receiver.take(sender.frame(number))
                received += 1
            number += 1
        more.append(received - sender.fragments)
    assert max(more) <= 12
