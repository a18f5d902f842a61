"""`make bench`: every figure in one run, ours beside the peers' where they can run."""

from __future__ import annotations

import platform
import sys
from importlib import import_module

PARTS = (
    "sizes", "bench_verify", "bench_integrity", "bench_disclosure", "bench_sd_jwt", "bench_registry", "bench_desk",
    "bench_lookup", "bench_papers", "bench_verifier", "processes",
)  # fmt: skip


def main() -> None:
    """Runs the parts named on the command line, or all."""
    print(f"Python {platform.python_version()} on {platform.machine()}; single runs on a shared machine, ±20 %")
    for name in sys.argv[1:] or PARTS:
        print(f"\n## {name}")
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
