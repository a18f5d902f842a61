"""A pack: one system as data, a mapping from file name to bytes (design section 5).

This module knows the shape of the folder and its head; each room parses its own section with
`section()`, so nothing here knows what any scenario is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from weid.canon import JSON, parse_json
from weid.errors import MalformedError

LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")
MAX_FILES = 400
MAX_TOTAL = 8 << 20


@dataclass(frozen=True, slots=True)
class Pack:
    """The files of a pack, and the titles from its pack.json."""

    id: str
    version: int
    title: Mapping[str, str]
    files: Mapping[str, bytes]

    def section(self, name: str) -> dict[str, JSON]:
        """The JSON object `<name>.json`; an empty object where the pack has none."""
        data = self.files.get(f"{name}.json")
        return {} if data is None else _object(data, f"{name}.json")

    def folder(self, name: str) -> dict[str, dict[str, JSON]]:
        """Every `<name>/<item>.json` as item → object, in name order."""
        start = f"{name}/"
        return {
            path[len(start) : -5]: _object(self.files[path], path)
            for path in sorted(self.files)
            if path.startswith(start) and path.endswith(".json")
        }


def read_pack(files: Mapping[str, bytes]) -> Pack:
    """The pack of these files; MalformedError names the file and member that is wrong."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_TOTAL:
        raise MalformedError(f"a pack has at most {MAX_FILES} files and {MAX_TOTAL} bytes", code="too-large")
    if "pack.json" not in files:
        raise MalformedError("a pack needs a pack.json")
    if any(path.endswith(".py") for path in files):
        raise MalformedError("a pack is data: it holds no Python")
    head = _object(files["pack.json"], "pack.json")
    name, version = head.get("id"), head.get("version")
    if not isinstance(name, str) or not name or type(version) is not int:
        raise MalformedError("pack.json: needs id (text) and version (integer)")
    title = labels(head.get("title"), "pack.json: title")
    return Pack(name, version, title, MappingProxyType(dict(files)))


def labels(value: JSON, place: str) -> Mapping[str, str]:
    """Text in the four languages; MalformedError names the language that is missing."""
    if not isinstance(value, dict):
        raise MalformedError(f"{place} must give the text in {', '.join(LANGUAGES)}")
    for language in LANGUAGES:
        text = value.get(language)
        if not isinstance(text, str) or not text.strip():
            raise MalformedError(f"{place} has no text in {language}")
    extra = set(value) - set(LANGUAGES)
    if extra:
        raise MalformedError(f"{place} has an unknown language {min(extra)}")
    return MappingProxyType({language: str(value[language]) for language in LANGUAGES})


def _object(data: bytes, path: str) -> dict[str, JSON]:
    try:
        value = parse_json(data)
    except MalformedError as error:
        raise MalformedError(f"{path}: {error}", code=error.code) from error
    if not isinstance(value, dict):
        raise MalformedError(f"{path} must hold a JSON object")
    return value
