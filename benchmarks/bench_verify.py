"""Full verification of the twelve-claim certificate: every check, facts from a signed bundle, one process."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

from benchmarks.stage import NOW, Stage, moment, stage
from benchmarks.timing import line, per_second
from credentials.binding import Binding
from credentials.carrier import to_text
from credentials.policy import Policy
from credentials.presentation import Challenge, answer
from credentials.report import Outcome
from credentials.verify import verify
from registry.trust import TrustStore
from weid import codec
from weid.facts import Facts
from weid.keys import LocalSigner

GOAL = {"intl": "goal ≥ 5,000", "gm": "goal ≥ 2,000"}
NAME = {"intl": "Ed25519", "gm": "SM2"}


def main() -> None:
    """Static code, file, holder-signed answer and cold facts, for both profiles."""
    for profile in ("intl", "gm"):
        with tempfile.TemporaryDirectory() as folder:
            _static(Path(folder), profile)
        with tempfile.TemporaryDirectory() as folder:
            _answered(Path(folder), profile)


def _static(folder: Path, profile: str) -> None:
    made, name = stage(folder, profile), NAME[profile]
    store = _store(made, folder)
    facts = store.facts(at=codec.minutes(NOW))
    issued = [made.issue(index=index) for index in range(64)]
    codes = [item.compact for item in issued]
    texts = [to_text(code, "weid.app").encode() for code in codes]
    line(f"{name}: static code, 12 claims, facts open", _rate(codes, facts, Policy()), "/s", GOAL[profile])
    line(f"{name}: the same from the QR text", _rate(texts, facts, Policy()), "/s")
    line(f"{name}: the file (Data Integrity, full pipeline)", _rate([item.file for item in issued], facts, Policy()), "/s")
    bundle = made.registry.bundle()

    def cold() -> None:
        fresh = TrustStore.pin(store.genesis).accept(bundle, at=codec.minutes(NOW))
        verify(codes[0], facts=fresh.facts(at=codec.minutes(NOW)), policy=Policy(), at=moment())

    line(f"{name}: cold facts (bundle of {len(bundle):,} bytes opened each time)", per_second(cold), "/s")


def _answered(folder: Path, profile: str) -> None:
    made, now = stage(folder, profile, bind="key"), codec.minutes(NOW)
    facts = _store(made, folder).facts(at=now)
    holder = LocalSigner(secrets.token_bytes(32), made.signer.public_key.suite, "holder", "present")
    issued = made.issue(Binding.to_key(holder.public_key))
    asked = Challenge("gate-1", "A gate", "entry", made.schema.digest, 0b11, secrets.token_bytes(16), now + 5)
    shown = answer(issued.compact, asked.to_bytes(), holder, time=now)
    policy = Policy(challenge=asked, purpose="entry", require_binding="challenge")
    line(f"{NAME[profile]}: holder-signed answer to a challenge", _rate([shown], facts, policy), "/s")


def _rate(data: list[bytes], facts: Facts, policy: Policy) -> float:
    at = moment()
    assert all(verify(item, facts=facts, policy=policy, at=at).outcome is Outcome.PASSED for item in data)
    turn = iter(range(1 << 62))
    return per_second(lambda: verify(data[next(turn) % len(data)], facts=facts, policy=policy, at=at))


def _store(made: Stage, folder: Path) -> TrustStore:
    pinned = TrustStore.pin((folder / "genesis.json").read_bytes())
    return pinned.accept(made.registry.bundle(), at=codec.minutes(NOW))


def pinned_home(folder: str) -> tuple[str, str]:
    """A state folder with trust data in it; the text of a code, and a time at which it is valid."""
    place = Path(folder) / "registry"
    place.mkdir()
    made = stage(place, "intl")
    (Path(folder) / "trust.bin").write_bytes(_store(made, place).to_bytes())
    return to_text(made.issue().compact, "weid.app"), "2026-03-01T08:01:00Z"


if __name__ == "__main__":
    main()
