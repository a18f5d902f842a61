"""How large the codes are, in QR versions: measured by drawing them."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

from benchmarks.stage import NOW, stage
from credentials.binding import Binding
from credentials.compact import disclose
from credentials.picture import draw
from credentials.presentation import Challenge, answer, chain_tip, slot_code
from weid import codec
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite


def _report(what: str, data: bytes, goal: str, level: str = "M") -> None:
    picture = draw(data, host="weid.app", level=level)  # type: ignore[arg-type]
    print(f"{what:<62} {len(data):>5} B  V{picture.version}-{level}  {goal}")


def main() -> None:
    """The four figures of the compact code, for each signature suite."""
    for profile in ("intl", "gm"):
        with tempfile.TemporaryDirectory() as folder:
            _twelve(Path(folder), profile)
        with tempfile.TemporaryDirectory() as folder:
            _live(Path(folder), profile)


def _holder() -> LocalSigner:
    secret = secrets.token_bytes(32)
    return LocalSigner(secret, "ed25519", "holder", "present")


def _twelve(folder: Path, profile: str) -> None:
    made, holder = stage(folder, profile, bind="key"), _holder()
    full = made.issue(Binding.to_key(holder.public_key)).compact
    _report(f"{profile}: static, 12 of 12, bound to a holder key", full, "goal ≤ V14-M")
    cut = disclose(full, 0b11 | 1 << 8, mandatory=0)
    now = codec.minutes(NOW)
    asked = Challenge("gate-1", "A border gate", "entry", made.schema.digest, 0b11, secrets.token_bytes(16), now + 5)
    _report(
        f"{profile}: 3 of 12 with holder signature and challenge",
        answer(cut, asked.to_bytes(), holder, time=now),
        "goal ≤ V17-M",
    )


def _live(folder: Path, profile: str) -> None:
    from benchmarks import live

    made, now = stage(folder, profile), codec.minutes(NOW)
    chosen = suite("sm2" if profile == "gm" else "ed25519")
    seed, salt = secrets.token_bytes(16), secrets.token_bytes(8)
    chain = Binding.to_chain(chain_tip(seed, salt, 720, chosen.hash), 720, chosen.hash)
    code = live.issue(made, "chain", chain, 720)
    _report(f"{profile}: live code, 3 claims, hash chain", slot_code(code, seed, at=now + 10), "goal ≤ V10-M")
    holder = _holder()
    code = live.issue(made, "key", Binding.to_key(PublicKey("ed25519", holder.public_key.data)), 1440)
    asked = Challenge("gate-1", "A border gate", "entry", live.digest(made, "key"), 0b111, secrets.token_bytes(16), now + 5)
    _report(
        f"{profile}: live code, 3 claims, holder signature",
        answer(code, asked.to_bytes(), holder, time=now),
        "goal ≤ V13-M",
    )
