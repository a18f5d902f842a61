"""Fonts for paper: those of the institution first, then the machine's, then what the typesetter carries itself.

They are looked up once a process and folder. A character that none of them has is refused, never printed as an empty box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typst import Fonts

__all__ = ["load", "stack"]

# Serif and sans by script; each list is tried in order and what is not installed is left out..
_WANTED: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "serif": {
        "zh-Hans": ("Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC", "Songti SC", "SimSun"),
        "zh-Hant": ("Noto Serif CJK HK", "Noto Serif CJK TC", "Noto Serif HK", "Noto Serif TC", "Source Han Serif HK",
                    "Songti TC", "PMingLiU"),
    },
    "sans": {
        "zh-Hans": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"),
        "zh-Hant": ("Noto Sans CJK HK", "Noto Sans CJK TC", "Noto Sans HK", "Noto Sans TC", "Source Han Sans HK",
                    "PingFang HK", "Microsoft JhengHei"),
    },
})  # fmt: skip
_LATIN = MappingProxyType({
    "serif": ("Libertinus Serif", "Noto Serif", "DejaVu Serif"), "sans": ("Noto Sans", "Liberation Sans", "DejaVu Sans"),
})  # fmt: skip


@lru_cache(maxsize=8)
def load(folder: Path | None) -> tuple[Fonts, frozenset[str], tuple[str, ...]]:
    """(the fonts, the names of all families, the families of `folder`); reading them takes a fifth of a second."""
    import typst

    own = [folder] if folder is not None and folder.is_dir() else []
    house = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(own)).families() if own else []
    every = typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=list(own))
    return every, frozenset(every.families()), tuple(sorted(house))


def stack(kind: str, language: str, families: frozenset[str], house: Sequence[str]) -> list[Any]:
    """The families for `serif` or `sans` text of a language, best first; the typesetter falls back to all others after them.

    In Chinese text the Latin font only takes letters and digits, so that quotation marks and dashes stay Chinese.
    """
    chinese = _WANTED[kind]
    first = chinese.get(language, ()) or chinese["zh-Hans"]
    latin = [name for name in (*house, *_LATIN[kind]) if name in families][:2]
    within = language.startswith("zh")
    held: list[Any] = [{"name": name, "covers": "latin-in-cjk"} if within and name not in house else name for name in latin]
    return held + [name for name in first if name in families][:1]
