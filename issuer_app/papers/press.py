"""The typesetter: our own layouts, and certificates as data for them, to PDF and PNG. In process, without files.

What is typeset is a fixed source; what a certificate says reaches it as one JSON text, never as markup. The root is an
empty folder, so that no layout could read a file, and nothing is fetched.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from weid.errors import IssueError

if TYPE_CHECKING:
    from typst import Fonts

__all__ = ["pdf", "png", "uncovered"]

STANDARDS: Final = ("a-3a", "ua-1")  # archived with an attachment, and tagged for screen readers; both refuse missing glyphs
_MISSING: Final = re.compile(r'the text `"(.{1,12}?)"` could not be displayed', re.DOTALL)
_PROBE: Final = (
    '#let d = json(bytes(sys.inputs.data))\n#set document(title: "probe")\n#set text(lang: "en")\n'
    "#for line in d.texts [#line #parbreak()]"
)


def pdf(layout: str, data: Mapping[str, Any], fonts: Fonts, *, at: int) -> bytes:
    """The PDF/A-3a and PDF/UA-1 file of a layout; the same for the same data. `at` is its date (UTC minutes)."""
    return _compile(_source(layout), data, fonts, {"format": "pdf", "pdf_standards": list(STANDARDS), "timestamp": at * 60})


def png(layout: str, data: Mapping[str, Any], fonts: Fonts, *, ppi: float) -> bytes:
    """The picture of a layout. Ask `uncovered` first: a picture is drawn with empty boxes rather than refused."""
    return _compile(_source(layout), data, fonts, {"format": "png", "ppi": ppi})


def uncovered(texts: frozenset[str], fonts: Fonts) -> str | None:
    """A character that no font here can draw, or None."""
    try:
        _compile(_PROBE, {"texts": sorted(texts)}, fonts, {"format": "pdf", "pdf_standards": ["ua-1"], "timestamp": 0})
    except IssueError as error:
        if error.code != "no-glyph":
            raise
        return str(error).partition(" ")[0]
    return None


def _compile(source: str, data: Mapping[str, Any], fonts: Fonts, how: Mapping[str, Any]) -> bytes:
    import typst

    held = {"data": json.dumps(data, ensure_ascii=False)}
    try:
        compiler = typst.Compiler(source.encode("utf-8"), root=_nowhere(), font_paths=fonts, ignore_system_fonts=True)
        made = compiler.compile(sys_inputs=held, **how)
    except typst.TypstError as error:
        missing = _MISSING.search(error.message)
        if missing:
            letter = missing.group(1)
            name = " ".join(f"U+{ord(part):04X}" for part in letter)
            raise IssueError(f"{letter} ({name}) is in no font of this machine", code="no-glyph") from None
        raise IssueError("the paper could not be drawn", code="not-drawn") from error
    if not isinstance(made, bytes):  # a picture of several pages: something did not fit
        raise IssueError("the certificate does not fit on one page", code="not-drawn")
    return made


@lru_cache(maxsize=8)
def _source(layout: str) -> str:
    folder = files("issuer_app").joinpath("templates", "papers")
    return folder.joinpath("common.typ").read_text("utf-8") + folder.joinpath(f"{layout}.typ").read_text("utf-8")


@lru_cache(maxsize=1)
def _nowhere() -> Path:
    return Path(tempfile.mkdtemp(prefix="weid-papers-"))
