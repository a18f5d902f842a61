"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, as the text of a signed note."""

from __future__ import annotations

from dataclasses import dataclass

from weid.codec import b64, unb64
from weid.errors import MalformedError

__all__ = ["Checkpoint", "parse_checkpoint", "print_checkpoint"]

_MAX_SIZE = 1 << 63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A commitment to the first `size` entries of the log called `origin`."""

    origin: str
    size: int
    root: bytes


def print_checkpoint(checkpoint: Checkpoint) -> str:
    """The note text of a checkpoint."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{b64(checkpoint.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of exactly this text; extension lines are not used here and refused."""
    lines = text.split("\n")
    if len(lines) != 4 or not lines[0] or lines[3]:
        raise MalformedError("a checkpoint has three lines")
    root = unb64(lines[2])
    if len(root) != 32:
        raise MalformedError("a checkpoint root is 32 bytes")
    return Checkpoint(lines[0], decimal(lines[1]), root)


def decimal(text: str, below: int = _MAX_SIZE) -> int:
    """A number in plain decimal without leading zeroes; MalformedError otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) < 20) or (text[0] == "0" and text != "0"):
        raise MalformedError("not a plain decimal number")
    number = int(text)
    if number >= below:
        raise MalformedError("a number that is too large")
    return number
