"""Nothing personal is on a log or in a bundle: plain, encoded or hashed; and a planted leak is found (R6, R25)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wallet_cli.cases import read_cases
from wallet_cli.pack import load_pack
from wallet_cli.steps import run_step
from wallet_cli.world import World, world

PACKS = Path(__file__).parents[1] / "packs"


def keccak256(data: bytes) -> bytes:
    from Cryptodome.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()


def traces(value: str) -> Iterator[bytes]:
    """Every form in which a value might hide in bytes."""
    for text in {value, value.upper(), value.lower()}:
        plain = list(dict.fromkeys(text.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be", "gbk")))
        short = plain[0]
        if len(short) < 6 and re.fullmatch(rb"[A-Za-z0-9+/_-]+", short):
            # Four letters stand in a megabyte of digests and base64 by chance (1 run in 20): as a text they have
            # a length or quotes beside them.
            plain = [data for data in plain if data != short]
            yield from (bytes((0x60 + len(short),)) + short, b'"' + short + b'"')
        for data in plain:
            yield data
            yield data.hex().encode()
            yield data.hex().upper().encode()
            for shift in range(3):  # base64 at each alignment, without the ends that depend on the neighbours
                coded = base64.b64encode(bytes(shift) + data)[(0, 2, 3)[shift] :]
                kept = coded.rstrip(b"=")[:-1]
                if len(kept) >= 8:
                    yield kept
                    yield kept.replace(b"+", b"-").replace(b"/", b"_")
        for digest in (hashlib.sha256, lambda data: hashlib.new("sm3", data)):
            yield digest(short).digest()
            yield digest(short).hexdigest().encode()
        yield keccak256(short)
        yield keccak256(short).hex().encode()


def find_leaks(data: bytes, values: list[str]) -> list[str]:
    return [value for value in values if any(len(trace) >= 3 and trace in data for trace in traces(value))]


def personal(steps: Any) -> list[str]:
    """What identifies or describes a person in a case: the text claims, not codes such as GREEN or 3."""
    found = set()
    for step in steps:
        for value in (step.get("claims") or {}).values():
            if isinstance(value, str) and len(value) >= 4 and not (value.isalpha() and value.isupper()):
                found.add(value)
            if isinstance(value, str) and any(ord(letter) > 0x2E80 for letter in value):
                found.add(value)
    return sorted(found)


def everything_public(here: World) -> bytes:
    """Every byte a registry keeps or gives away: databases and bundles."""
    parts = [here.bundle(name) for name in here.registries]
    for name in here.registries:
        parts += [path.read_bytes() for path in sorted((here.folder / name).glob("registry.db*"))]
    return b"\0".join(parts)


@pytest.mark.parametrize(
    "pack", ["health-code", "certificate-authority", pytest.param("warehouse-pledge", marks=pytest.mark.long)]
)
def test_no_personal_value_is_in_a_registry(pack: str) -> None:
    """The golden story is run, then every byte of every registry and bundle is searched."""
    loaded = load_pack(PACKS / pack)
    case = read_cases(loaded)["golden"]
    values = personal(case.steps)
    assert len(values) >= 2
    with world(loaded, case.clock) as here:
        for step in case.steps:
            assert run_step(here, step, lambda line: None) == []
        public = everything_public(here)
        assert find_leaks(public, values) == []
        for plant in traces(values[-1]):
            if len(plant) >= 3:
                assert find_leaks(public + plant, values) != [], plant


def test_a_holder_is_nowhere_on_the_log() -> None:
    """R6: neither the holder's key nor its thumbprint is in a registry."""
    loaded = load_pack(PACKS / "health-code")
    case = read_cases(loaded)["golden"]
    with world(loaded, case.clock) as here:
        for step in case.steps:
            assert run_step(here, step, lambda line: None) == []
        public = everything_public(here)
        for binding in here.holders["resident"].bindings:
            key = binding.signer().public_key
            assert key.data not in public
            assert key.multikey().encode() not in public
            assert key.thumbprint() not in public
