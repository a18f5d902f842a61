"""The command as a process of its own, without paying for its imports each time: every run is forked from one that has them.

What the run sees is its own: arguments, environment, folder, standard streams, exit code. It goes in by the door that
`python -m wallet_cli` goes in by, with all the imports that a run may ask for made before.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[1]
_STEM = """
import io, json, os, sys, traceback
from importlib import import_module
from pathlib import Path
import wallet_cli.__main__ as door
for place, _ in door.COMMANDS.values():
    import_module(place.partition(":")[0])
for name in ("credentials.verify", "credentials.reading", "credentials.picture", "registry.log", "registry.trust",
             "registry.node.folder", "registry.node.client", "registry.node.service", "registry.audit", "issuer_app.desk",
             "verifier_app.references", "wallet_cli.wallet", "wallet_cli.pack", "wallet_cli.registry_folder"):
    import_module(name)
from dataclasses import replace
from weid.sealed import PROFILES
for name, usual in (("intl", 12), ("gm", 2_000)):  # what keys cost in earnest is asserted in weid/test_keyfile.py
    PROFILES[name] = replace(PROFILES[name], usual=usual)
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.chdir(job["cwd"])
            os.environ.clear()
            os.environ.update(job["env"])
            for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
                os.dup2(os.open(job["streams"][number], flags), number)
            sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)
            sys.argv = ["weid", *job["argv"]]
            door.main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@lru_cache(maxsize=1)
def _stem() -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _STEM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    atexit.register(process.communicate, timeout=10)
    return process


def run(arguments: Sequence[str], env: Mapping[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    """One run of `weid` with these arguments and this environment, `given` on its standard input."""
    stem = _stem()
    assert stem.stdin is not None and stem.stdout is not None
    with tempfile.TemporaryDirectory(prefix="weid-run-") as folder:
        streams = [Path(folder) / name for name in ("in", "out", "err")]
        streams[0].write_text(given)
        for stream in streams[1:]:
            stream.touch()
        job = {"argv": [*arguments], "env": dict(env), "cwd": os.getcwd(), "streams": [str(stream) for stream in streams]}
        stem.stdin.write(json.dumps(job) + "\n")
        stem.stdin.flush()
        code = int(stem.stdout.readline())
        return subprocess.CompletedProcess([*arguments], code, streams[1].read_text(), streams[2].read_text())
