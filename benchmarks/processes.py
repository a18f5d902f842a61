"""How long the command takes as a process: what a person waits for."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.timing import line


def _milliseconds(*arguments: str, env: dict[str, str] | None = None) -> float:
    """The median of seven runs, bytecode compiled before, as it is on a person's machine from the second run on."""
    env = {**(env or os.environ)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-m", "wallet_cli", *arguments], env=env, capture_output=True, check=False)
    rounds = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "wallet_cli", *arguments], env=env, capture_output=True, check=False)
        rounds.append((time.perf_counter() - start) * 1000)
    return statistics.median(rounds)


def main() -> None:
    """`weid --help`, and `weid verify` of a code's text with trust data pinned."""
    from benchmarks.bench_verify import pinned_home

    line("weid --help", _milliseconds("--help"), "ms", "goal ≤ 150")
    with tempfile.TemporaryDirectory() as folder:
        text, at = pinned_home(folder)
        env = {**os.environ, "WEID_HOME": folder}
        line("weid verify of a QR text", _milliseconds("verify", text, "--at", at, env=env), "ms", "goal ≤ 400")
