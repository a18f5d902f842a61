"""What the holder gets: a certificate as PDF, as picture card and as poster.

`pdf_of` and `picture_of` draw a row of the ledger; the same row and languages give the same bytes. How it looks is data
(`look.py`), what it says is data (`content.py`), and the typesetter runs in process over fixed layouts (`press.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from credentials.schema import Schema
from issuer_app.ledger import Issued
from issuer_app.papers import fonts, ornament, press
from issuer_app.papers.codes import code_of
from issuer_app.papers.content import Content, content_of, speakers_of
from issuer_app.papers.look import Look, look_of
from issuer_app.papers.placing import placed
from issuer_app.papers.svg import Artwork
from weid.errors import IssueError

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["PER_MM", "PICTURES", "page_of", "pdf_of", "picture_of", "shape_of", "sheet_of"]

MEDIA: Final = "application/vc"
PICTURES: Final = {"card": (1080, 1350), "poster": (1080, 1920)}  # pixels
PER_MM: Final = 10  # pixels, so that every module of a code is a whole number of them
_TAGS: Final = {"zh-Hans": ("zh", "CN"), "zh-Hant": ("zh", "MO"), "en": ("en", None), "pt": ("pt", "PT")}
_SHEET: Final = (210.0, 297.0)  # mm


def pdf_of(
    desk: Desk, row: Issued, languages: Sequence[str] = ("en",), *, host: str = "v.example", zone: tzinfo = UTC, at: int,
) -> bytes:  # fmt: skip
    """The certificate on A4 in one or two languages, with the credential file attached as `certificate.json`.

    `host` stands in the code and under it, `zone` is that of the times, `at` the minute by which the schema is looked
    up. IssueError: `no-glyph` names a character that no font here has, `not-valid`, `erased`, `bad-language`,
    `no-typesetter`; MalformedError `code-too-dense`, or what is wrong with the desk's look.
    """
    content, look = _content(desk, row, languages, host, zone, at)
    return _sheet(content, look, desk.party.folder, row)


def sheet_of(
    row: Issued, schema: Schema, look: Look, names: Mapping[str, str], folder: Path, languages: Sequence[str], *, host: str,
    zone: tzinfo,
) -> bytes:  # fmt: skip
    """The same for a certificate and a look that no desk holds, as a design's specimen; `folder` is where fonts may be."""
    content = content_of(row, schema, look, names, code_of(row, host), host, speakers_of(languages, zone))
    return _sheet(content, look, folder, row)


def _sheet(content: Content, look: Look, folder: Path, row: Issued) -> bytes:
    held, data = _fonts(folder), _data(content, look, folder, row)
    data |= {"file": row.file.decode("utf-8"), "media": MEDIA}
    own = look.template("sheet", content.languages[0])
    if own is not None:
        width, height = shape_of("sheet", own)
        return press.pdf("art", data | placed(own, content, width, height, grid=None), held, at=row.issued)
    data |= {"art": ornament.frame(*_SHEET, data["accent"]), "code": {**data["code"], "side": _side(content.code.modules + 8)}}
    return press.pdf("sheet", data, held, at=row.issued)


def picture_of(
    desk: Desk, row: Issued, form: str, languages: Sequence[str] = ("en",), *, host: str = "v.example", zone: tzinfo = UTC,
    at: int,
) -> bytes:  # fmt: skip
    """The certificate as a PNG for a phone: `card` or `poster`. Errors as `pdf_of`."""
    content, look = _content(desk, row, languages, host, zone, at)
    return _picture(content, look, desk.party.folder, row, form)


def page_of(
    row: Issued, schema: Schema, look: Look, names: Mapping[str, str], folder: Path, form: str, languages: Sequence[str], *,
    host: str, zone: tzinfo,
) -> bytes:  # fmt: skip
    """As `sheet_of` for any form: a PDF for `sheet`, a PNG for `card` and `poster`."""
    if form == "sheet":
        return sheet_of(row, schema, look, names, folder, languages, host=host, zone=zone)
    content = content_of(row, schema, look, names, code_of(row, host), host, speakers_of(languages, zone))
    return _picture(content, look, folder, row, form)


def shape_of(form: str, art: Artwork) -> tuple[float, float]:
    """The page that a template is put on, in mm: A4 upright or across as the template is, or the picture's."""
    if form != "sheet":
        width, height = PICTURES[form]
        return width / PER_MM, height / PER_MM
    return _SHEET if art.height > art.width else _SHEET[::-1]


def _picture(content: Content, look: Look, folder: Path, row: Issued, form: str) -> bytes:
    width, height = PICTURES[form]
    held, data = _fonts(folder), _data(content, look, folder, row)
    own = look.template(form, content.languages[0])
    boxes = () if own is None else tuple(box.filled(content.gaps) for box in own.boxes)
    letter = press.uncovered(frozenset({*content.texts(), *boxes}), held)
    if letter is not None:
        raise IssueError(f"{letter} (U+{ord(letter[0]):04X}) is in no font of this machine", code="no-glyph")
    if own is not None:
        data |= placed(own, content, *shape_of(form, own), grid=1 / PER_MM)
        return press.png("art", data, held, ppi=25.4 * PER_MM)
    return press.png("card", data | _card(content, data["accent"], width, height), held, ppi=25.4 * PER_MM)


def _card(content: Content, accent: str, width: int, height: int) -> dict[str, Any]:
    """The measures of the drawn card, in mm; the code takes what head, rows (on a poster) and foot leave."""
    head, modules = round(height * 0.34), content.code.modules + 8
    rows = 340 if height > 1600 else 60
    side = max(1, int(min(width * 0.82, height - head - rows - 190) // modules)) * modules
    place = {"side": side / PER_MM, "x": (width - side) // 2 / PER_MM, "y": (head + rows) / PER_MM}
    return {
        "art": ornament.band(width / PER_MM, height / PER_MM, head / PER_MM, accent), "code": {**_code(content), **place},
        "width": width / PER_MM, "height": height / PER_MM, "head": head / PER_MM,
    }  # fmt: skip


def _content(desk: Desk, row: Issued, languages: Sequence[str], host: str, zone: tzinfo, at: int) -> tuple[Content, Look]:
    schema = desk.schema(row.schema, at)
    look = look_of(desk.party.folder, schema)
    speakers = speakers_of(languages, zone)
    if row.erased:
        raise IssueError("the content was erased here", code="erased")
    return content_of(row, schema, look, desk.names, code_of(row, host), host, speakers), look


def _fonts(folder: Path) -> Any:
    """The fonts a desk may use; IssueError `no-typesetter` where the library is not installed."""
    try:
        return fonts.load(folder / "fonts")[0]
    except ImportError:
        raise IssueError("the typesetter is not installed: pip install 'weid[pdf]'", code="no-typesetter") from None


def _data(content: Content, look: Look, folder: Path, row: Issued) -> dict[str, Any]:
    """What every layout is given."""
    _, families, house = fonts.load(folder / "fonts")
    return {
        "languages": [_TAGS[language] for language in content.languages],
        "fonts": [
            {kind: fonts.stack(kind, language, families, house) for kind in ("serif", "sans")} for language in content.languages
        ],
        "mono": "DejaVu Sans Mono", "accent": look.colour(row.claims), "logo": look.logo, "seal": look.seal, "alt": content.alt,
        "issuer": content.issuer.data(), "title": content.title.data(), "scan": content.scan.data(), "foot": content.foot.data(),
        "says": content.says.data() if content.says else None, "stamp": content.stamp.data() if content.stamp else None,
        "names": [[label.data(), value.data()] for label, value in content.names],
        "rows": [[label.data(), value.data()] for label, value in content.rows],
        "typed": [content.typed[0].data(), content.typed[1]] if content.typed else None,
        "id": content.id, "host": content.host, "code": _code(content),
        "heading": f"{content.title.first} – {content.issuer.first}",
    }  # fmt: skip


def _code(content: Content) -> dict[str, Any]:
    size = content.code.modules
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path d="{ornament.code_path(content.code.rows)}"/></svg>'
    )
    return {"svg": svg, "modules": size}


def _side(modules: int) -> float:
    """The side of a printed code in mm, quiet zone included: 58 mm, larger where a module would be under 0.5 mm."""
    return max(0.5 * modules, min(58.0, 0.9 * modules))
