"""Type Metadata of SD-JWT VCs: handed in, never fetched (draft-ietf-oauth-sd-jwt-vc-25, "SD-JWT VC Type Metadata").

A type may extend another: the documents of the whole chain must be at hand, each with the digest that was signed for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from weid.canon import JSON, parse_json
from weid.codec import unb64
from weid.errors import MalformedError
from weid.hashes import SHA256, SHA384, SHA512, Hash

__all__ = ["ClaimMetadata", "ClaimPath", "TypeMetadata", "check_integrity", "resolve_type"]

ClaimPath: TypeAlias = tuple[str | int | None, ...]

MAX_BYTES: Final = 1 << 18
MAX_CHAIN: Final = 8
MAX_CLAIMS: Final = 512
_SVG_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_LOCALE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*\Z", re.ASCII)
_STRENGTH: Final[Mapping[str, Hash]] = {"sha512": SHA512, "sha384": SHA384, "sha256": SHA256}  # the strongest first
_SD: Final = ("always", "allowed", "never")


@dataclass(frozen=True, slots=True)
class ClaimMetadata:
    """What a type says of the claims at one path; None in the path stands for every element of an array."""

    path: ClaimPath
    mandatory: bool
    sd: str
    display: tuple[Mapping[str, JSON], ...]
    svg_id: str | None


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """A type with all that it inherits; `chain` names the types from itself to the outermost it extends."""

    chain: tuple[str, ...]
    name: str | None
    description: str | None
    display: tuple[Mapping[str, JSON], ...]
    claims: tuple[ClaimMetadata, ...]


def resolve_type(vct: str, documents: Mapping[str, bytes], *, integrity: JSON = None) -> TypeMetadata:
    """The metadata of `vct` out of the documents at hand, by type; `integrity` is the signed `vct#integrity`.

    MalformedError: `type-metadata-missing` for a document of the chain that is not here, which says nothing about the
    credential; `type-metadata-integrity`, `type-metadata-circular`, `type-metadata-extends`, `type-metadata` for the rest.
    """
    found: list[Mapping[str, JSON]] = []
    chain: list[str] = []
    name: JSON = vct
    while name is not None:
        if not isinstance(name, str) or name in chain or len(chain) == MAX_CHAIN:
            raise MalformedError("types extend each other in a circle, or too deeply", code="type-metadata-circular")
        document = _document(name, documents, integrity)
        chain.append(name)
        found.append(document)
        name, integrity = document.get("extends"), document.get("extends#integrity")
    display: tuple[Mapping[str, JSON], ...] = next((_display(item["display"], "name") for item in found if "display" in item), ())
    return TypeMetadata(
        tuple(chain), _text(found[0], "name"), _text(found[0], "description"), display, _merged(reversed(found))
    )  # fmt: skip


def check_integrity(data: bytes, integrity: JSON) -> None:
    """MalformedError `type-metadata-integrity` unless the bytes are those of the integrity metadata (W3C SRI 3).

    Of several expressions those of the strongest hash count, and one of them must be right.
    """
    expressions = integrity.split() if isinstance(integrity, str) else []
    parted = [item.partition("?")[0].partition("-") for item in expressions]
    for name, hash in _STRENGTH.items():
        digests = [unb64(digest) for known, _, digest in parted if known == name]
        if digests:
            if hash(data) not in digests:
                raise MalformedError("the document is not the one that was signed", code="type-metadata-integrity")
            return
    raise MalformedError("integrity metadata without a hash that is known here", code="type-metadata-integrity")


def _document(name: str, documents: Mapping[str, bytes], integrity: JSON) -> Mapping[str, JSON]:
    data = documents.get(name)
    if data is None:
        raise MalformedError(f"the metadata of the type {name[:200]} is not at hand", code="type-metadata-missing")
    if len(data) > MAX_BYTES:
        raise MalformedError(f"type metadata is over {MAX_BYTES} bytes", code="too-large")
    if integrity is not None:
        check_integrity(data, integrity)
    value = parse_json(data)
    if not isinstance(value, dict) or value.get("vct") != name:
        raise _refused("the document is not of this type")
    return value


def _merged(documents: reversed[Mapping[str, JSON]]) -> tuple[ClaimMetadata, ...]:
    """The claims of a chain, the outermost type first; each type may say more about a path, and never less."""
    known: dict[ClaimPath, dict[str, JSON]] = {}
    for document in documents:
        for path, said in _claims(document).items():
            before = known.get(path, {})
            if before.get("sd", "allowed") != "allowed" and said.get("sd", before["sd"]) != before["sd"]:
                raise MalformedError("an extending type may not change sd", code="type-metadata-extends")
            if before.get("mandatory") is True and said.get("mandatory", True) is not True:
                raise MalformedError("an extending type may not make a claim optional", code="type-metadata-extends")
            known[path] = {**before, **said}
    claims = tuple(_claim(path, said) for path, said in known.items())
    ids = [claim.svg_id for claim in claims if claim.svg_id is not None]
    if len(set(ids)) != len(ids):
        raise _refused("an svg_id stands there twice")
    return claims


def _claims(document: Mapping[str, JSON]) -> dict[ClaimPath, dict[str, JSON]]:
    value = document.get("claims", [])
    if not isinstance(value, list) or len(value) > MAX_CLAIMS:
        raise _refused(f"claims is a list of at most {MAX_CLAIMS}")
    found: dict[ClaimPath, dict[str, JSON]] = {}
    for item in value:
        if not isinstance(item, dict):
            raise _refused("each of the claims is an object")
        path = _path(item.get("path"))
        if path in found:
            raise _refused("a path stands there twice")
        _claim(path, item)
        found[path] = {name: item[name] for name in ("mandatory", "sd", "display", "svg_id") if name in item}
    return found


def _claim(path: ClaimPath, said: Mapping[str, JSON]) -> ClaimMetadata:
    mandatory, sd, svg_id = said.get("mandatory", False), said.get("sd", "allowed"), said.get("svg_id")
    if type(mandatory) is not bool or not isinstance(sd, str) or sd not in _SD:
        raise _refused(f"mandatory is true or false, sd is one of {', '.join(_SD)}")
    if svg_id is not None and (not isinstance(svg_id, str) or not _SVG_ID.match(svg_id)):
        raise _refused("an svg_id is letters, digits and underscores")
    return ClaimMetadata(path, mandatory, sd, _display(said["display"], "label") if "display" in said else (), svg_id)


def _path(value: JSON) -> ClaimPath:
    if not isinstance(value, list) or not value:
        raise _refused("a path is a list that is not empty")
    steps: list[str | int | None] = []
    for step in value:
        if not (step is None or isinstance(step, str) or (type(step) is int and step >= 0)):
            raise _refused("a step of a path is a text, null or a whole number")
        steps.append(step)
    return tuple(steps)


def _display(value: JSON, label: str) -> tuple[Mapping[str, JSON], ...]:
    """What people are shown, one object for each language."""
    found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(found) != len(value):
        raise _refused("display is a list of objects")
    for item in found:
        locale = item.get("locale")
        if not isinstance(locale, str) or not _LOCALE.match(locale) or not isinstance(item.get(label), str):
            raise _refused(f"a display has a locale and a {label}")
        if not isinstance(item.get("description", ""), str) or not isinstance(item.get("rendering", {}), dict):
            raise _refused("description is text, rendering an object")
    return tuple(found)


def _text(document: Mapping[str, JSON], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise _refused(f"{name} is text")
    return value


def _refused(reason: str) -> MalformedError:
    return MalformedError(reason, code="type-metadata")
