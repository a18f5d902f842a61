"""The demo as a process: asked to end, it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def servers(folder: Path) -> list[int]:
    """Processes whose command names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"serve" in words:
            found.append(int(entry.parent.name))
    return found


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to see processes")
def test_a_demo_that_is_ended_ends_its_servers(tmp_path: Path) -> None:
    """SIGTERM while the story runs: exit code 143, and no node, desk or verifier stays up."""
    words = [sys.executable, "-m", "wallet_cli", "demo", "--out", str(tmp_path / "demo"), "--pack", "packs/certificate-authority"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.strip().startswith("1."):
                break
        assert len(servers(tmp_path)) >= 4
        demo.send_signal(signal.SIGTERM)
        demo.stdout.read()
        assert demo.wait(60) == 128 + signal.SIGTERM
    until = time.monotonic() + 10
    while servers(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    assert servers(tmp_path) == []
