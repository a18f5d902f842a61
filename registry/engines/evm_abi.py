"""The calls and the event of `contracts/WeidLog.sol`, encoded and read strictly. The artefact is compiled from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from registry.engines.calls import bad_answer
from registry.engines.chain import Batch
from weid.canon import JSON
from weid.did import keccak256
from weid.errors import RegistryError

__all__ = [
    "LogState",
    "append_call",
    "batch_topic",
    "bytecode",
    "call_data",
    "data_of",
    "link",
    "number_of",
    "octets",
    "quantity",
    "read_log",
    "read_marks",
    "read_state",
    "word",
]

_WORD = 32
_SIGNATURES = {
    "append": "append(uint64,uint32,bytes)", "appendAny": "appendAny(uint32,bytes)", "state": "state()",
    "marks": "marks(uint256,uint256)", "genesis": "genesis()", "hashOf": "hashOf(bytes)", "writers": "writers(address)",
    "setWriter": "setWriter(address,bool)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogState:
    """Size, head and number of batches of the contract, as of one block."""

    size: int
    head: bytes
    batches: int


def bytecode(genesis: bytes) -> bytes:
    """The code that deploys a log for one registry."""
    artefact = json.loads(files("registry.engines").joinpath("WeidLog.json").read_text("utf-8"))
    return bytes.fromhex(artefact["bytecode"]) + genesis


def call_data(name: str, *words: bytes, tail: bytes | None = None) -> bytes:
    """A call of static words, with one `bytes` argument last if there is a tail."""
    head = _selector(name) + b"".join(words)
    if tail is None:
        return head
    padded = tail + bytes(-len(tail) % _WORD)
    return head + word((len(words) + 1) * _WORD) + word(len(tail)) + padded


def append_call(expect: int | None, count: int, data: bytes) -> bytes:
    """`append` with an expected size, `appendAny` without."""
    if expect is None:
        return call_data("appendAny", word(count), tail=data)
    return call_data("append", word(expect), word(count), tail=data)


def link(head: bytes, first: int, count: int, data: bytes) -> bytes:
    """The head after a batch: keccak256 of four words, the last the digest of the data."""
    return keccak256(head + word(first) + word(count) + keccak256(data))


def read_state(data: bytes) -> LogState:
    """The answer to `state()`."""
    size, head, batches = _words(data, 3)
    return LogState(_small(size), head, _small(batches))


def read_marks(data: bytes) -> tuple[tuple[int, int], ...]:
    """The answer to `marks()`: (first entry, block height) of each batch."""
    words = _words(data, len(data) // _WORD)
    if len(words) < 2 or _small(words[0]) != _WORD or len(words) != 2 + 2 * _small(words[1]):
        raise bad_answer()
    return tuple((_small(words[n]), _small(words[n + 1])) for n in range(2, len(words), 2))


def read_log(log: JSON, contract: str) -> Batch:
    """The batch of one `Batch` event of this contract."""
    if not isinstance(log, dict) or log.get("removed", False) is not False:
        raise bad_answer()
    address = log.get("address")
    # FISCO BCOS writes addresses in mixed case, others in lower case.
    if not isinstance(address, str) or address.lower() != contract:
        raise bad_answer("a log of another contract")
    topics = log.get("topics")
    if not isinstance(topics, list) or len(topics) != 2 or topics[0] != batch_topic():
        raise bad_answer("a log of another event")
    first, data = _small(octets(topics[1])), octets(log.get("data"))
    if len(data) < 4 * _WORD:
        raise bad_answer()
    count, head, offset, length = _words(data[: 4 * _WORD], 4)
    size = _small(length)
    framed = data[4 * _WORD : 4 * _WORD + size]
    if _small(offset) != 3 * _WORD or len(framed) != size or len(data) != 4 * _WORD + size + -size % _WORD:
        raise bad_answer()
    place: dict[str, JSON] = {
        "height": number_of(log.get("blockNumber")), "block": data_of(log.get("blockHash"), _WORD).hex(),
        "transaction": data_of(log.get("transactionHash"), _WORD).hex(), "log": number_of(log.get("logIndex")),
    }  # fmt: skip
    return Batch(first, _small(count), head, framed, MappingProxyType(place))


@cache
def batch_topic() -> str:
    """The first topic of the `Batch` event."""
    return "0x" + keccak256(b"Batch(uint64,uint32,bytes32,bytes)").hex()


def word(value: int | bytes) -> bytes:
    """A number, or bytes from the left zero-padded, as 32 bytes."""
    return value.to_bytes(_WORD, "big") if isinstance(value, int) else value.rjust(_WORD, b"\0")


def quantity(value: int) -> str:
    """A number as JSON-RPC writes it."""
    return hex(value)


def number_of(value: JSON) -> int:
    """The number of a JSON-RPC quantity below 2^64."""
    if not isinstance(value, str) or not value.startswith("0x") or not 3 <= len(value) <= 18:
        raise bad_answer()
    try:
        return int(value[2:], 16)
    except ValueError as error:
        raise bad_answer() from error


def octets(value: JSON) -> bytes:
    """The bytes of a JSON-RPC data value."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise bad_answer()
    try:
        return bytes.fromhex(value[2:])
    except ValueError as error:
        raise bad_answer() from error


def data_of(value: JSON, size: int) -> bytes:
    """Exactly `size` bytes of data."""
    data = octets(value)
    if len(data) != size:
        raise bad_answer()
    return data


@cache
def _selector(name: str) -> bytes:
    return keccak256(_SIGNATURES[name].encode())[:4]


def _words(data: bytes, count: int) -> Sequence[bytes]:
    if len(data) != count * _WORD:
        raise bad_answer()
    return [data[start : start + _WORD] for start in range(0, len(data), _WORD)]


def _small(data: bytes) -> int:
    number = int.from_bytes(data, "big")
    if number >= 1 << 63:
        raise RegistryError("the engine names a number beyond its own range", code="bad-answer")
    return number
