"""The reader process: `python -m verifier_app.papers.worker`. Length and bytes in, length and a Paper out, until the end.

A file is untrusted and the libraries that read it are large: here they have little memory, little time, no file to write.
"""

from __future__ import annotations

import resource
import sys
from typing import BinaryIO, Final

from verifier_app.papers.codes import read_picture
from verifier_app.papers.pdf import read_pdf
from verifier_app.papers.sheet import Paper

__all__ = ["KINDS", "main"]

MEMORY: Final = 2 << 30
PROCESSOR: Final = 300  # seconds of a whole life; the pool ends a single read much sooner
LIMITS: Final = {  # no file to write, no process to start
    resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: PROCESSOR, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_NOFILE: 64, resource.RLIMIT_CORE: 0,
}  # fmt: skip
KINDS: Final = {b"P": read_pdf, b"I": read_picture}


def main() -> None:
    """Serve requests on standard input until it ends."""
    for limit, value in LIMITS.items():
        resource.setrlimit(limit, (value, value))
    stream, out = sys.stdin.buffer, sys.stdout.buffer
    while (kind := stream.read(1)) in KINDS:
        data = _exactly(stream, int.from_bytes(_exactly(stream, 4), "big"))
        try:
            answer = KINDS[kind](data).to_bytes()
        except (MemoryError, ImportError) as error:
            answer = Paper(problem="no-pdf" if isinstance(error, ImportError) else "too-large").to_bytes()
        out.write(len(answer).to_bytes(4, "big") + answer)
        out.flush()


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        sys.exit(0)
    return data


if __name__ == "__main__":
    main()
