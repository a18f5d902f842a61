"""The demo's report: one HTML file with everything in it, to be opened or passed on without a network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallet_cli.live import Live
    from weid.pack import Pack

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d5dae1;--good:#12703a;--bad:#a3241b;--quiet:#5b6470}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--paper:#14171b;--line:#333a44;--good:#5fd08e;--bad:#ff9188;--quiet:#9aa4b2}}
body{font:16px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--paper);
max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1.5rem}
ol{padding-left:2rem}li{margin:0 0 1.2rem}.came{font-family:ui-monospace,monospace;font-size:.85rem;color:var(--quiet);
overflow-wrap:anywhere}.ok{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}
img{display:block;width:11rem;max-width:100%;margin:.6rem 0;background:#fff;padding:.4rem;border:1px solid var(--line)}
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it was told: what happens, the verb, what came out, what was otherwise, and its pictures."""

    say: str
    verb: str
    came: str
    problems: tuple[str, ...]
    pictures: tuple[Path, ...]


def write_report(out: Path, chapters: Sequence[tuple[Pack, Sequence[Told], Live]], lang: str) -> Path:
    """Write `report.html`; its path."""
    body = "".join(_chapter(pack, story, live, lang) for pack, story, live in chapters)
    page = (
        f'<!doctype html><html lang="{escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>weid demo</title>'
        f"<style>{_STYLE}</style></head><body><h1>weid demo</h1>"
        "<p>Each step ran through the real programs: registry nodes, issuer and verifier apps and the command, as "
        f"separate processes on this machine. Nothing left it.</p>{body}</body></html>"
    )
    path = out / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _chapter(pack: Pack, story: Sequence[Told], live: Live, lang: str) -> str:
    about = pack.section("pack").get("about")
    words = str(about.get(lang, "")) if isinstance(about, dict) else ""
    steps = "".join(_step(told) for told in story)
    roots = ", ".join(escape(registry.genesis.origin) for registry in live.made.registries.values())
    return (
        f"<section><h2>{escape(pack.title[lang])}</h2><p>{escape(words)}</p>"
        f'<p class="came">registries: {roots}</p><ol>{steps}</ol></section>'
    )


def _step(told: Told) -> str:
    mark = '<span class="no">otherwise</span>' if told.problems else '<span class="ok">✓ as told</span>'
    pictures = "".join(
        f'<img alt="{escape(path.stem)}" src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'
        for path in told.pictures
    )
    problems = "".join(f'<p class="no">{escape(problem)}</p>' for problem in told.problems)
    return f"<li>{escape(told.say)}<br>{mark} <span class='came'>{escape(told.came)}</span>{problems}{pictures}</li>"
