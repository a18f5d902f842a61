"""The story's verbs for assets and uses, each by the command that an institution would type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wallet_cli.live import Live, StartError
from wallet_cli.world_assets import group_file, machine_digest
from weid.canon import jcs

__all__ = ["VERBS"]

Come = tuple[str, dict[str, Any]]


def register_asset(live: Live, step: Mapping[str, Any]) -> Come:
    """The issuer's command over the file of the certificate."""
    digest = machine_digest(live.made, step["machine"]).hex()
    thing, salt = _file(live, step["what"]), live.home(step["by"])
    salt.mkdir(parents=True, exist_ok=True)
    holder = () if step.get("holder") is None else ("--holder", _did(live, step["holder"]))
    words = (
        "asset",
        "register",
        str(live.premises(step["by"])),
        digest,
        str(thing),
        *holder,
        "-o",
        str(salt / f"{step['as']}.salt"),
    )
    live.things[step["as"]] = _run(live, step["by"], *words).strip()
    return f"fingerprint {live.things[step['as']][:16]}…", {}


def move_asset(live: Live, step: Mapping[str, Any]) -> Come:
    """A party's command."""
    target = () if step.get("target") is None else ("--target", _did(live, step["target"]))
    _run(live, step["by"], "asset", "move", str(live.premises(step["by"])), live.things[step["asset"]], step["move"], *target)
    return f"{step['move']}: on the log", {}


def show_asset(live: Live, step: Mapping[str, Any]) -> Come:
    """Anybody's command; the proof is checked before it prints."""
    said = json.loads(_run(live, step["by"], "asset", "show", str(live.premises(step["by"])), live.things[step["asset"]]))
    return f"{said['state']}, proven against the signed state", {"answer": said["state"]}


def claim_use(live: Live, step: Mapping[str, Any]) -> Come:
    """The claimer's command writes a request; the register's owner sends it."""
    receipt, request = _secret(live, step["by"], f"{step['as']}.receipt"), _secret(live, step["by"], f"{step['as']}.request")
    words = ("use", "claim", str(live.premises(step["by"])), *_what(live, step), "-o", str(receipt))
    if "through" not in step:
        _run(live, step["by"], *words)
    else:
        _run(live, step["by"], *words, "--hand-in", str(request))
        _run(live, step["through"], "use", "send", str(live.premises(step["through"])), str(request))
    live.things[step["as"]] = receipt
    return "marked as used; the receipt stays with the claimer", {}


def release_use(live: Live, step: Mapping[str, Any]) -> Come:
    """The same the other way."""
    receipt: Path = live.things[step["claim"]]
    words = ("use", "release", str(live.premises(step["by"])), str(receipt))
    if "through" not in step:
        _run(live, step["by"], *words)
    else:
        request = _secret(live, step["by"], f"{step['claim']}.release")
        _run(live, step["by"], *words, "--hand-in", str(request))
        _run(live, step["through"], "use", "send", str(live.premises(step["through"])), str(request))
    return "given back", {}


def check_use(live: Live, step: Mapping[str, Any]) -> Come:
    """A claimer's question leaves nothing on the log."""
    answer = _run(live, step["by"], "use", "check", str(live.premises(step["by"])), *_what(live, step)).strip()
    return f"{answer}, proven against the signed state", {"answer": answer}


def prove_use(live: Live, step: Mapping[str, Any]) -> Come:
    """The claimer's command writes a proof; the auditor's checks it."""
    proof = _secret(live, step["by"], f"{step['claim']}.proof")
    _run(
        live,
        step["claimer"],
        "use",
        "reveal",
        str(live.premises(step["claimer"])),
        str(live.things[step["claim"]]),
        "-o",
        str(proof),
    )
    said = _run(live, step["by"], "use", "prove", str(live.premises(step["by"])), str(proof)).strip()
    return f"claimed by {said}", {"answer": "claimed" if said == _did(live, step["claimer"]) else "not-theirs"}


def _what(live: Live, step: Mapping[str, Any]) -> tuple[str, ...]:
    register, place = step["register"], _secret(live, step["by"], "fields.json")
    place.write_bytes(jcs(step["fields"]))
    key = live.pack.section("assets")["registers"][register]["key"]  # type: ignore[index, call-overload]
    group = group_file(live.made, register)
    return (
        live.made.things[f"register:{register}"],
        str(place),
        "--group",
        str(group),
        "--pack",
        str(live.source),
        "--key",
        str(key),
    )


def _run(live: Live, who: str, *words: str) -> str:
    return live.run(who, "registry", *words).stdout


def _did(live: Live, party: str) -> str:
    return str(live.made.party(party).did)


def _secret(live: Live, who: str, name: str) -> Path:
    home = live.home(who)
    home.mkdir(parents=True, exist_ok=True)
    return home / name


def _file(live: Live, name: str) -> Path:
    path = live.folder / "files" / f"{name}.json"
    if not path.exists():
        raise StartError(f"the story has no file {name}")
    return path


VERBS: Mapping[str, Callable[[Live, Mapping[str, Any]], Come]] = {
    "register-asset": register_asset, "move-asset": move_asset, "show-asset": show_asset, "claim-use": claim_use,
    "release-use": release_use, "check-use": check_use, "prove-use": prove_use,
}  # fmt: skip
