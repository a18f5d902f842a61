"""W3C Bitstring Status List 1.0, read: the entries in a credential, the list in a list credential, one value of it.

Pure values; who signed the list and whether it is still good is asked elsewhere. Every function raises MalformedError
with the code of the check that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.data_model import V2, is_url, subjects, texts
from credentials.status import MIN_BITS, decode_bitstring
from weid.canon import JSON
from weid.errors import MalformedError

__all__ = ["ENTRY_TYPE", "LIST_TYPE", "MAX_SIZE", "Entry", "StatusBits", "read_entry", "read_list", "read_messages",
           "references_of", "value_at"]  # fmt: skip

ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusListCredential"
SUBJECT_TYPE: Final = "BitstringStatusList"
MAX_SIZE: Final = 32
MAX_REFERENCES: Final = 16
MAX_TEXT: Final = 1024
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_HEX: Final = re.compile(r"0x[0-9A-Fa-f]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `credentialStatus` entry. `messages` holds the text of every value in order, or nothing."""

    purpose: str
    url: str
    index: int
    size: int = 1
    messages: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusBits:
    """The subject of a list credential. `ttl` is in milliseconds, `size` the bits of a value where the list says so."""

    purposes: frozenset[str]
    bits: bytes
    ttl: int | None
    size: int | None


def read_entry(value: Mapping[str, JSON]) -> Entry:
    """One entry, strictly (2.1); MalformedError `status-entry-malformed` names what breaks a MUST of the data model."""
    url, purpose, index = value.get("statusListCredential"), value.get("statusPurpose"), value.get("statusListIndex")
    if value.get("type") not in (ENTRY_TYPE, [ENTRY_TYPE]):
        raise _entry(f"the type of an entry is {ENTRY_TYPE}")
    if not isinstance(url, str) or not is_url(url):
        raise _entry("statusListCredential is one URL")
    if "id" in value and (not is_url(value["id"]) or value["id"] == url):
        raise _entry("the id of an entry is a URL, and not that of the list")
    if not isinstance(purpose, str) or not 0 < len(purpose) <= MAX_TEXT:
        raise _entry("statusPurpose is one text")
    if not isinstance(index, str) or not _INDEX.fullmatch(index):
        raise _entry("statusListIndex is a whole number in decimal digits, as text")
    size = value.get("statusSize", 1)
    if type(size) is not int or not 1 <= size <= MAX_SIZE:
        raise _entry(f"statusSize is a whole number from 1 to {MAX_SIZE}")
    if size > 1 and "statusMessage" not in value:
        raise _entry("statusMessage is needed where a value has several bits")
    messages = read_messages(value["statusMessage"], size) if "statusMessage" in value else ()
    return Entry(purpose, url, int(index), size, messages, references_of(value.get("statusReference")))


def read_messages(value: JSON, size: int) -> tuple[str, ...]:
    """The message of each of the 2^size values, in the order of the values; each value is listed once."""
    if not isinstance(value, list) or len(value) != 1 << size:
        raise _entry(f"statusMessage lists each of the {1 << size} values")
    found: dict[int, str] = {}
    for item in value:
        status, message = (item.get("status"), item.get("message")) if isinstance(item, dict) else (None, None)
        if not isinstance(status, str) or not _HEX.fullmatch(status):
            raise _entry("the status of a message is hexadecimal, after 0x")
        if not isinstance(message, str) or len(message) > MAX_TEXT:
            raise _entry("a message is a text")
        found[int(status, 16)] = message
    if set(found) != set(range(1 << size)):
        raise _entry("statusMessage lists each value once")
    return tuple(found[number] for number in range(1 << size))


def references_of(value: JSON) -> tuple[str, ...]:
    """The URLs of a `statusReference`."""
    found: list[JSON] = [] if value is None else value if isinstance(value, list) else [value]
    if (value is not None and not found) or len(found) > MAX_REFERENCES or not all(map(is_url, found)):
        raise _entry("statusReference is a URL, or several")
    return texts(found)


def read_list(document: Mapping[str, JSON]) -> StatusBits:
    """The list in a list credential that keeps the data model's rules (2.2); MalformedError `status-list-malformed`."""
    given = subjects(document)
    contexts = document.get("@context")
    if not isinstance(contexts, list) or contexts[:1] != [V2] or LIST_TYPE not in texts(document.get("type")):
        raise _list(f"not a {LIST_TYPE} of the data model 2.0")
    subject: Mapping[str, JSON] = given[0] if len(given) == 1 else {}
    if subject.get("type") not in (SUBJECT_TYPE, [SUBJECT_TYPE]):
        raise _list(f"the one subject is a {SUBJECT_TYPE}")
    said = subject.get("statusPurpose")
    purposes: list[JSON] = said if isinstance(said, list) else [said]
    if not 0 < len(purposes) <= MAX_REFERENCES or not all(isinstance(item, str) and item for item in purposes):
        raise _list("statusPurpose is one text or several")
    ttl, size, encoded = subject.get("ttl"), subject.get("statusSize"), subject.get("encodedList")
    if ttl is not None and (type(ttl) is not int or ttl < 0):
        raise _list("ttl is a whole number of milliseconds")
    if size is not None and (type(size) is not int or not 1 <= size <= MAX_SIZE):
        raise _list(f"statusSize is a whole number from 1 to {MAX_SIZE}")
    if not isinstance(encoded, str):
        raise _list("encodedList is missing")
    try:
        bits = decode_bitstring(encoded)
    except MalformedError as error:
        raise MalformedError(
            str(error), code="status-list-short" if error.code == "too-short" else "status-list-malformed"
        ) from None
    return StatusBits(frozenset(texts(purposes)), bits, ttl, size)


def value_at(bits: bytes, index: int, size: int) -> int:
    """The value of an index, first bit highest (3.2); `status-list-short`, or `status-index` beyond the list."""
    total = len(bits) * 8
    if total // size < MIN_BITS:
        raise MalformedError(f"a list has at least {MIN_BITS} values of {size} bits", code="status-list-short")
    start = index * size
    if start + size > total:
        raise MalformedError(f"the list ends before the index {index}", code="status-index")
    first, last = start >> 3, (start + size + 7) >> 3
    window = int.from_bytes(bits[first:last], "big")
    return window >> (last * 8 - start - size) & ((1 << size) - 1)


def _entry(reason: str) -> MalformedError:
    return MalformedError(reason, code="status-entry-malformed")


def _list(reason: str) -> MalformedError:
    return MalformedError(reason, code="status-list-malformed")
