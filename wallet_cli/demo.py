"""`weid demo`: every pack's story through the real front doors, told step by step, with pictures and a report."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.options import HELD, PLACE

if TYPE_CHECKING:
    from wallet_cli.live import Live
    from wallet_cli.report_page import Told
    from weid.pack import Pack

MARK = ".weid-demo"
FIRST = ("health-code", "certificate-authority", "warehouse-pledge")
"""The stories that tell most; the others are for whoever asks for them."""


@click.command()
@click.option("--out", default="demo", show_default=True, type=PLACE)
@click.option("--pack", "packs", multiple=True, type=HELD)
@click.option("--all", "every", is_flag=True, help="All packs here, not only the first three stories.")
@click.option("--lang", default="en", show_default=True, help="zh-Hans, zh-Hant, en or pt.")
@click.option("--serve", is_flag=True, help="Leave the apps up afterwards and say where to click.")
def demo(out: Path, packs: tuple[Path, ...], every: bool, lang: str, serve: bool) -> None:
    """Run the stories: registries, desks, wallets and verifiers as separate processes on this machine."""
    from wallet_cli.live import start
    from wallet_cli.pack import load_pack
    from wallet_cli.report_page import write_report

    began = time.monotonic()
    # Asked to end, it ends what it started: without this its servers would stay behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    _clear(out)
    sources = packs or _own_packs(every)
    lives: list[Live] = []
    chapters: list[tuple[Pack, list[Told], Live]] = []
    try:
        for source in sources:
            pack = load_pack(source)
            click.echo(f"\n{pack.title[lang]}")
            click.echo("  starting registries, desks, offices and verifiers ...")
            live = start(pack, source.resolve(), out.resolve() / pack.id, lang=lang)
            lives.append(live)
            chapters.append((pack, tell(live, _story(pack), lang), live))
        report = write_report(out, chapters, lang)
        problems = sum(len(told.problems) for _, story, _ in chapters for told in story)
        click.echo(f"\n{'All steps came out as told.' if not problems else f'{problems} things came out otherwise.'}")
        click.echo(f"Report: {report}   pictures, files and bundles beside it   {time.monotonic() - began:.0f} s")
        if serve:
            _stay(lives)
    finally:
        for live in lives:
            live.stop()
    sys.exit(1 if problems else 0)


def tell(live: Live, steps: list[dict[str, Any]], lang: str) -> list[Told]:
    """Run the steps one by one and print each with what came out."""
    from wallet_cli.live_steps import run_live
    from wallet_cli.report_page import Told

    story = []
    for number, step in enumerate(steps, 1):
        before = len(live.pictures)
        came, problems = run_live(live, step)
        pictures = tuple(path for _, path in live.pictures[before:])
        story.append(Told(step["say"][lang], step["do"], came, tuple(problems), pictures))
        click.echo(f"  {number:>2}. {step['say'][lang]}")
        click.echo(f"      {'ok ' if not problems else 'NO '} {came}")
        for problem in problems:
            click.echo(f"      !! {problem}")
        if problems:
            break
    return story


def _story(pack: Pack) -> list[dict[str, Any]]:
    steps: Any = pack.section("story").get("steps")
    if not isinstance(steps, list):
        raise click.UsageError(f"the pack {pack.id} tells no story (story.json)")
    return steps


def _own_packs(every: bool) -> tuple[Path, ...]:
    root = Path(__file__).resolve().parents[1] / "packs"
    found = tuple(sorted((path.parent for path in root.glob("*/pack.json")), reverse=True))
    if not every:
        found = tuple(root / name for name in FIRST if root / name in found)
    if not found:
        raise click.UsageError("no packs beside this installation; name one with --pack")
    return found


def _clear(out: Path) -> None:
    """Only a folder that an earlier demo made is emptied."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise click.UsageError(f"{out} is not empty and not of an earlier demo; choose another --out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARK).touch()


def _stay(lives: list[Live]) -> None:
    click.echo("\nThe apps are up. Sign in as shown; stop with Ctrl-C.")
    for live in lives:
        click.echo(f"\n{live.pack.title['en']}")
        for name, service in live.services.items():
            who = f"   sign in: {live.people[name]}" if name in live.people else ""
            path = service.ready if name in live.made.registries else "/"
            click.echo(f"  {_title(live, name)}\n      {service.url}{path}{who}")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("stopped")


def _title(live: Live, name: str) -> str:
    trust: Any = live.pack.section("trust")
    for kind in ("registries", "parties", "verifiers"):
        if name in trust[kind]:
            return str(trust[kind][name]["names"][live.lang])
    return name
