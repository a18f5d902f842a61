"""How the papers of a kind of certificate look: data from the `render` section of a pack, kept in the desk's folder.

Every file it names (logo, seal, templates) is bound by its digest. A desk without one uses the look that is drawn here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

from credentials.schema import Schema
from issuer_app.papers.svg import Artwork, read_svg
from issuer_app.store import private_file
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64, multibase
from weid.errors import MalformedError
from weid.pack import LANGUAGES, Pack, labels

__all__ = ["FORMS", "Look", "artwork", "digest_of", "files_of", "install", "look_of", "published_templates", "read_look",
           "template_named", "unknown_names"]  # fmt: skip

FORMS: Final = ("sheet", "card", "poster")  # what a template may replace
ACCENT: Final = "#1d4f6e"
MAX_IMAGE: Final = 1 << 20
MAX_SIDE: Final = 2_400
_DIGEST: Final = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{40,50}", re.ASCII)
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_MEMBERS: Final = frozenset({"title", "rows", "accent", "logo", "seal", "says", "published", "languages", *FORMS})


@dataclass(frozen=True, slots=True)
class Look:
    """`title`: claims in large letters; `rows`: the others in order, None for all; `says`: a line in four languages.

    `accents` is a claim and the colour that each of its values gives, beside the words and never instead. `logo` and
    `seal` are SVG texts. `templates` has what replaces a drawn form, `sheet`, or `sheet.pt` on papers in that language alone;
    `digests` names them.
    """

    title: tuple[str, ...] = ()
    rows: tuple[str, ...] | None = None
    accent: str = ACCENT
    accents: tuple[str, Mapping[str, str]] | None = None
    logo: str | None = None
    seal: str | None = None
    says: Mapping[str, str] | None = None
    templates: Mapping[str, Artwork] = field(default_factory=lambda: MappingProxyType({}))
    digests: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    published: bool = False  # whether new files name these templates (`renderMethod`)

    def template(self, form: str, language: str) -> Artwork | None:
        """The template of a form for papers whose first language is this one; None where it is drawn here."""
        return self.templates.get(f"{form}.{language}") or self.templates.get(form)

    def colour(self, claims: Mapping[str, JSON]) -> str:
        """The accent for these claims."""
        claim, colours = self.accents or ("", {})
        return colours.get(str(claims.get(claim)), self.accent)


@lru_cache(maxsize=32)
def artwork(data: bytes, *, template: bool) -> Artwork:
    """As `read_svg`; the same bytes are not read again for each page of an editor that shows them."""
    return read_svg(data, template=template)


def digest_of(data: bytes) -> str:
    """`digestMultibase`: SHA-256 as a multihash in base58btc (VC Data Integrity 2.6)."""
    return multibase(b"\x12\x20" + hashlib.sha256(data).digest())


def read_look(files: Mapping[str, bytes], name: str) -> Look:
    """The look of the schema `name` in these files; MalformedError `bad-look` or `bad-svg` says what is wrong.

    `page` holds for every kind of certificate, `kinds.<schema>` says otherwise member by member.
    """
    data = files.get("render.json")
    section = {} if data is None else parse_json(data)
    if not isinstance(section, dict) or set(section) - {"page", "kinds"}:
        raise _refused("it is an object with page and kinds")
    page, kinds = section.get("page", {}), section.get("kinds", {})
    own = kinds.get(name, {}) if isinstance(kinds, dict) else None
    if not isinstance(page, dict) or not isinstance(own, dict) or (set(page) | set(own)) - _MEMBERS:
        raise _refused(f"page and kinds.{name} hold {', '.join(sorted(_MEMBERS))}")
    chosen = {**page, **own}
    rows, says = chosen.get("rows"), chosen.get("says")
    found = _templates(files, chosen)
    return Look(
        _names(chosen.get("title", []), "title"), None if rows is None else _names(rows, "rows"), *_accent(chosen.get("accent")),
        _image(files, chosen.get("logo"), "logo"), _image(files, chosen.get("seal"), "seal"),
        None if says is None else labels(says, "render.json: says"),
        MappingProxyType({form: artwork(data, template=True) for form, data in found.items()}),
        MappingProxyType({form: digest_of(data) for form, data in found.items()}), chosen.get("published", False) is True,
    )  # fmt: skip


def install(folder: Path, pack: Pack) -> None:
    """Keep the look of a pack in a desk's folder; nothing is kept of a pack that is refused.

    Every kind of the pack is read first, and its templates may name nothing but its claims.
    """
    kinds = {str(_named(schema)): schema for schema in pack.folder("schemas").values()}
    for name, schema in kinds.items():
        look, claims = read_look(pack.files, name), schema.get("properties")
        for form, art in look.templates.items():
            unknown = unknown_names(art, claims if isinstance(claims, dict) else ())
            if unknown:
                raise _refused(f"the {form} of {name} names {unknown[0]}, which is nothing")
    section = pack.section("render")
    kept = {"render.json": jcs(section), **{path: pack.files[path] for path in sorted(_paths(section))}}
    # Under its digest a template stays for good: files that name it outlive the look.
    kept |= {f"named/{digest_of(data)}.svg": data for path, data in kept.items() if path.startswith("templates/")}
    place = folder / "papers"
    for path, data in kept.items():
        target = place / path
        fresh = target.with_name(target.name + ".new")
        private_file(fresh)
        fresh.write_bytes(data)
    for path in reversed(kept):  # render.json last: it names the others by digest
        os.replace((place / path).with_name((place / path).name + ".new"), place / path)


def unknown_names(art: Artwork, claims: Iterable[str]) -> tuple[str, ...]:
    """What a template names that a certificate with these claims does not have."""
    from issuer_app.papers.content import known_names

    return tuple(sorted({gap for box in art.boxes for gap in box.gaps} - known_names(claims)))


def look_of(folder: Path, schema: Schema) -> Look:
    """The look that a desk's folder holds for a schema; the drawn one where it holds none."""
    path = folder / "papers" / "render.json"
    if not path.exists():
        return Look()
    held = path.stat()
    return _kept(folder / "papers", schema.name, held.st_mtime_ns, held.st_size)


def published_templates(folder: Path, schema: Schema) -> tuple[str, ...]:
    """The digests that new files of a schema name; none where the pack does not publish its templates."""
    look = look_of(folder, schema)
    return tuple(look.digests[form] for form in FORMS if form in look.digests) if look.published else ()


def template_named(folder: Path, digest: str) -> bytes | None:
    """A template that a desk ever took over, by its digest."""
    path = folder / "papers" / "named" / f"{digest}.svg"
    return path.read_bytes() if _DIGEST.fullmatch(digest) and path.exists() else None


@lru_cache(maxsize=64)
def _kept(place: Path, name: str, stamp: int, size: int) -> Look:
    section = parse_json((place / "render.json").read_bytes())
    files = {"render.json": (place / "render.json").read_bytes()}
    for path in _paths(section if isinstance(section, dict) else {}):
        files[path] = (place / path).read_bytes()
    return read_look(files, name)


def _paths(section: Mapping[str, JSON]) -> set[str]:
    """The files that a render section names; plain paths below the pack only."""
    kinds = section.get("kinds", {})
    pages = [section.get("page", {}), *(kinds.values() if isinstance(kinds, dict) else ())]
    found = {path for page in pages if isinstance(page, dict) for path in files_of(page)}
    for path in found:
        _plain(path)
    return found


def files_of(page: Mapping[str, JSON]) -> Iterator[str]:
    """The files that a page names, as it writes them."""
    by = page.get("languages")
    inside = [forms for forms in by.values() if isinstance(forms, dict)] if isinstance(by, dict) else []
    for part in (page, *inside):
        yield from (str(item["file"]) for item in part.values() if isinstance(item, dict) and "file" in item)


def _plain(path: JSON) -> str:
    parts = path.split("/") if isinstance(path, str) else [""]
    good = all(part and not part.startswith(".") and part.isascii() and part.isprintable() for part in parts)
    if not good or "\\" in str(path) or len(str(path)) > 120 or parts[0] not in ("images", "templates"):
        raise _refused(f"{str(path)[:60]!r} is not a file in images/ or templates/")
    return str(path)


def _templates(files: Mapping[str, bytes], chosen: Mapping[str, JSON]) -> dict[str, bytes]:
    """The templates by form, and by form and language where a paper in that language has its own."""
    found = {form: _file(files, chosen[form], form) for form in FORMS if form in chosen}
    by = chosen.get("languages", {})
    if not isinstance(by, dict) or set(by) - set(LANGUAGES):
        raise _refused(f"languages has templates for some of {', '.join(LANGUAGES)}")
    for language, forms in by.items():
        if not isinstance(forms, dict) or not forms or set(forms) - set(FORMS):
            raise _refused(f"languages.{language} has some of {', '.join(FORMS)}")
        found |= {f"{form}.{language}": _file(files, forms[form], form) for form in FORMS if form in forms}
    return found


def _file(files: Mapping[str, bytes], value: JSON, member: str) -> bytes:
    if not isinstance(value, dict) or set(value) != {"file", "digest"}:
        raise _refused(f"{member} gives file and digest")
    path = _plain(value["file"])
    data = files.get(path)
    if data is None:
        raise _refused(f"there is no {path}")
    if digest_of(data) != value["digest"]:
        raise _refused(f"{path} has the digest {digest_of(data)}, not the one given", "digest-mismatch")
    return data


def _image(files: Mapping[str, bytes], value: JSON, member: str) -> str | None:
    """A logo or seal as SVG text: SVG as it is, PNG and JPEG drawn anew (which drops what else they carry) and wrapped."""
    if value is None:
        return None
    data = _file(files, value, member)
    if data.lstrip()[:1] == b"<":
        return artwork(data, template=False).art
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_IMAGE:
        raise MalformedError(f"{member}: a picture has at most {MAX_IMAGE} bytes", code="too-large")
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > MAX_SIDE:
                raise MalformedError(f"{member}: a picture is at most {MAX_SIDE} pixels wide and high", code="too-large")
            out = BytesIO()
            picture.convert("RGBA").save(out, format="PNG")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise _refused(f"{member} is not an SVG, PNG or JPEG that can be read") from error
    width, height = picture.size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'href="data:image/png;base64,{b64(out.getvalue())}"/></svg>'
    )


def _names(value: JSON, member: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _refused(f"{member} lists claims by name")
    return tuple(str(name) for name in value)


def _accent(value: JSON) -> tuple[str, tuple[str, Mapping[str, str]] | None]:
    """One colour, or {"by": claim, "values": {value: colour}} with the drawn one for every other value."""
    if value is None:
        return ACCENT, None
    if isinstance(value, str):
        return _colour(value), None
    claim, values = (value.get("by"), value.get("values")) if isinstance(value, dict) else (None, None)
    if (
        not isinstance(value, dict)
        or set(value) != {"by", "values"}
        or not isinstance(claim, str)
        or not isinstance(values, dict)
    ):
        raise _refused("accent is a colour like #1d4f6e, or by and values")
    return ACCENT, (claim, MappingProxyType({name: _colour(colour) for name, colour in values.items()}))


def _colour(value: JSON) -> str:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise _refused(f"{str(value)[:20]!r} is not a colour like {ACCENT}")
    return value


def _named(schema: Mapping[str, JSON]) -> JSON:
    head = schema.get("x-weid")
    return head.get("name") if isinstance(head, dict) else None


def _refused(words: str, code: str = "bad-look") -> MalformedError:
    return MalformedError(f"render.json: {words}", code=code)
