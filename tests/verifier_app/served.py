"""The verifier as a process of its own, served as `weid verifier serve` serves it, with the clock of a test's registry.

with served(place) as address: …
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.verifier_app.places import Place


@contextmanager
def served(place: Place) -> Iterator[str]:
    """Its address, until the block ends."""
    command = [sys.executable, "-m", "tests.verifier_app.served", str(place.trust), str(place.clock), place.pack]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    """FOLDER, the minute it is, PACK."""
    from datetime import UTC, datetime

    from registry.node.serving import serve
    from tests.verifier_app.places import PACKS
    from verifier_app.app import create_app
    from weid.codec import from_minutes

    folder, minute, pack = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    began = datetime.now(UTC)

    def clock() -> datetime:
        return from_minutes(minute) + timedelta(seconds=(datetime.now(UTC) - began).total_seconds())

    app = create_app({
        "TRUST_FOLDER": folder, "PACKS": [PACKS / pack], "CLOCK": clock, "RATELIMIT_ENABLED": False,
        "PASSPHRASE": "correct horse", "SEAL_COST": 10,
    })  # fmt: skip
    serve(app, "127.0.0.1", 0, ready=lambda port: print(port, flush=True), body=65 << 20)


if __name__ == "__main__":
    main()
