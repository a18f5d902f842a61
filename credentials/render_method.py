"""How a file says what it may be drawn with: W3C render methods (TemplateRenderMethod, svg-mustache), by digest.

A template decides nothing: verdicts show signed values in the verifier's own words, and no verifier of ours fetches one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from weid.canon import JSON
from weid.codec import unmultibase
from weid.errors import MalformedError

__all__ = ["check_methods", "render_methods", "template_url"]

MOST: Final = 3
_DIGEST: Final = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{40,50}", re.ASCII)
_URN: Final = "urn:weid:template:"


def template_url(digest: str, *, base: str | None) -> str:
    """Where the template of a digest is: below the issuer's public address, or else only its name."""
    raw = unmultibase(digest) if _DIGEST.fullmatch(digest) else b""
    if len(raw) != 34 or raw[:2] != b"\x12\x20":
        raise MalformedError("a template is named by a SHA-256 multihash in base58btc")
    return f"{_URN}{digest}" if base is None else f"{base}/templates/{digest}.svg"


def render_methods(digests: Sequence[str], *, base: str | None) -> list[JSON]:
    """The `renderMethod` of a file: one entry a template; MalformedError for more than three or a bad digest."""
    if not 1 <= len(digests) <= MOST:
        raise MalformedError(f"a file names 1 to {MOST} templates")
    return [
        {"type": "TemplateRenderMethod", "renderSuite": "svg-mustache", "template": {
            "id": template_url(digest, base=base), "mediaType": "image/svg+xml", "digestMultibase": digest}}
        for digest in digests
    ]  # fmt: skip


def check_methods(value: JSON, base: str | None) -> None:
    """MalformedError unless this is exactly what `render_methods` prints for that address (R27)."""
    listed = value if isinstance(value, list) else []
    found = [item.get("template") for item in listed if isinstance(item, dict)]
    digests = [str(item.get("digestMultibase")) for item in found if isinstance(item, dict)]
    if not digests or value != render_methods(digests, base=base):
        raise MalformedError("not a render method of ours")
