"""How a node is set up: `registry.toml` in the folder, then WEID_REGISTRY_* in the environment, then the command's flags.

    [node]
    port = 8440
    explorer = true

The later wins. Tables of the file that are not `node` belong to others and are passed over; a word in `node` that means
nothing is refused, because a misspelled setting would otherwise silently not count. Nothing here is a secret.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weid.errors import MalformedError

__all__ = ["FILE", "SETTINGS", "Setting", "Value", "read_config"]

FILE: Final = "registry.toml"
_PREFIX: Final = "WEID_REGISTRY_"
_MAX_BYTES: Final = 1 << 16
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: its default says its type, `least` and `most` bound a number."""

    name: str
    default: str | int | bool
    help: str
    least: int = 0
    most: int = 1 << 40

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return _PREFIX + self.name.upper().replace("-", "_")


SETTINGS: Final = (
    Setting("host", "127.0.0.1", "address to listen on"),
    Setting("port", 8440, "port to listen on", 0, 65_535),
    Setting("every", 1, "tick and commit the state every so many minutes", 1, 1_440),
    Setting("explorer", True, "show pages to people at /"),
    Setting("metrics", True, "answer /metrics, /healthz and /readyz"),
    Setting("rate", 600, "operations a minute from one address", 1, 1_000_000),
    Setting("audit", True, "write audit.jsonl"),
    Setting("audit-bytes", 16 << 20, "size at which the audit log is rotated", 1 << 12),
    Setting("audit-files", 8, "rotated audit logs that are kept", 1, 1_000),
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it comes from: `default`, the file's name, the variable's name, or the flag."""

    value: Any
    source: str


def read_config(folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any]) -> dict[str, Value]:
    """Every setting with its source; flags that are None were not given. MalformedError `bad-config` names what is wrong."""
    held, found = _file(folder / FILE), {}
    for setting in SETTINGS:
        value = Value(setting.default, "default")
        if setting.name in held:
            value = Value(_checked(setting, held[setting.name], FILE), FILE)
        if setting.variable in environment:
            value = Value(_checked(setting, _spoken(setting, environment[setting.variable]), setting.variable), setting.variable)
        if flags.get(setting.name) is not None:
            value = Value(_checked(setting, flags[setting.name], f"--{setting.name}"), f"--{setting.name}")
        found[setting.name] = value
    return found


def _file(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    if len(data) > _MAX_BYTES:
        raise MalformedError(f"{FILE} is over {_MAX_BYTES} bytes", code="bad-config")
    try:
        table = tomllib.loads(data.decode("utf-8")).get("node", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedError(f"{FILE}: {error}", code="bad-config") from error
    if not isinstance(table, dict):
        raise MalformedError(f"{FILE}: node is a table", code="bad-config")
    unknown = sorted(set(table) - {setting.name for setting in SETTINGS})
    if unknown:
        raise MalformedError(f"{FILE}: node has no setting {unknown[0]!r}", code="bad-config")
    return table


def _spoken(setting: Setting, text: str) -> Any:
    if isinstance(setting.default, bool):
        return _WORDS.get(text.lower(), text)
    if isinstance(setting.default, int) and text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    return text


def _checked(setting: Setting, value: Any, source: str) -> Any:
    if type(value) is not type(setting.default):
        kind = {bool: "true or false", int: "a whole number", str: "text"}[type(setting.default)]
        raise MalformedError(f"{source}: {setting.name} is {kind}", code="bad-config")
    if type(value) is int and not setting.least <= value <= setting.most:
        raise MalformedError(f"{source}: {setting.name} is {setting.least} to {setting.most}", code="bad-config")
    return value
