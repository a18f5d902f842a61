"""The gm profile runs on SM2 and SM3 alone: no other hash or signature is computed (R19)."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from wallet_cli.cases import read_cases
from wallet_cli.pack import load_pack
from wallet_cli.steps import run_step
from wallet_cli.world import world

HASH = type(hashlib.sha256())
FOREIGN = (
    "sha1", "sha224", "sha256", "sha384", "sha512", "sha3", "blake", "md5", "ed25519", "ellipticcurve", "ecdsa",
    "aesgcm", "scrypt", "keccak",
)  # fmt: skip
ALLOWED = {"registry/note.py"}  # C2SP key ids are SHA-256 by their specification


@contextmanager
def watched() -> Iterator[Counter[tuple[str, str]]]:
    """Counts calls into native cryptography by (name, the file of ours that is nearest on the stack)."""
    seen: Counter[tuple[str, str]] = Counter()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event != "c_call":
            return
        owner = getattr(argument, "__self__", None)
        kind = owner.name if isinstance(owner, HASH) else ""  # a started hash is copied: its calls name no algorithm
        name = f"{getattr(argument, '__module__', '')} {type(owner).__module__} {type(owner).__name__} {argument.__name__} {kind}"
        low = name.lower()
        if any(word in low for word in FOREIGN) and not low.startswith("random"):
            seen[name, _ours(frame)] += 1

    sys.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def _ours(frame: FrameType | None) -> str:
    root = str(Path(__file__).parents[1])
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(root) and not path.startswith(f"{root}/.venv") and "weid/hashes" not in path:
            return path.removeprefix(f"{root}/")
        frame = frame.f_back
    return "?"


def test_a_gm_story_uses_nothing_but_sm2_and_sm3() -> None:
    """Issue, publish, bundle, show and check in the gm registry, watching every native call of this thread."""
    pack = load_pack(Path(__file__).parents[1] / "packs" / "health-code")
    case = read_cases(pack)["hash-chain-gate"]
    with world(pack, case.clock) as here:
        here.registries.pop("gd").close()  # the other side of the border has its own suites
        with watched() as seen:
            for step in case.steps:
                assert run_step(here, step, lambda line: None) == []
    strangers = {key: count for key, count in seen.items() if key[1] not in ALLOWED}
    assert strangers == {}


def test_the_watch_sees_what_it_should() -> None:
    """The same watch over an international story finds Ed25519 and SHA-256: it is not blind."""
    pack = load_pack(Path(__file__).parents[1] / "packs" / "certificate-authority")
    case = read_cases(pack)["golden"]
    with world(pack, case.clock) as here, watched() as seen:
        for step in case.steps:
            assert run_step(here, step, lambda line: None) == []
    names = " ".join(name for name, _ in seen).lower()
    assert "sha256" in names
    assert "ed25519" in names
