"""Every case of every pack, through desks, offices, the node's service and the pipeline; and each case can fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from credentials.requests import read_request
from wallet_cli.cases import read_cases, run_case, run_flipped
from wallet_cli.pack import load_pack
from wallet_cli.pack import pack as pack_command
from weid.errors import MalformedError
from weid.pack import read_pack

FOLDER = Path(__file__).parents[2] / "packs"
PACKS = {folder.name: load_pack(folder) for folder in sorted(FOLDER.iterdir())}
EVERY_TIME = ("certificate-authority", "health-code", "joint-recognition", "warehouse-pledge")
"""Packs whose cases are all short and run each time; of the others the golden path does, and the rest in the long run."""


def _cases(flipped: bool) -> list[Any]:
    made = []
    for name, pack in PACKS.items():
        for case in read_cases(pack):
            short = (name in EVERY_TIME or case == "golden") and not flipped
            made.append(pytest.param(name, case, marks=() if short else pytest.mark.long, id=f"{name}-{case}"))
    return made


@pytest.mark.parametrize(("pack", "case"), list(_cases(flipped=False)))
def test_case(pack: str, case: str) -> None:
    assert run_case(PACKS[pack], read_cases(PACKS[pack])[case]) == []


@pytest.mark.parametrize(("pack", "case"), list(_cases(flipped=True)))
def test_case_can_fail(pack: str, case: str) -> None:
    """R29: with its last expectation turned round, the same case does not pass."""
    assert run_flipped(PACKS[pack], read_cases(PACKS[pack])[case]) == []


def changed(tmp_path: Path, rule: dict[str, Any]) -> Path:
    """The health pack with its rule `green` changed, as a folder."""
    folder = tmp_path / "pack"
    shutil.copytree(FOLDER / "health-code", folder)
    rules = json.loads((folder / "rules.json").read_bytes())
    rules["rules"]["green"] |= rule
    (folder / "rules.json").write_text(json.dumps(rules))
    return folder


HIDEABLE = {"needs": [], "logic": {"===": [{"var": "payload.result"}, "NEGATIVE"]}}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (HIDEABLE, "absence-unsaid"),
        ({"needs": ["status", "result"]}, "absence-unsaid"),
        ({"logic": {"!": [{"var": "payload"}]}}, "absence-unsaid"),
        (HIDEABLE | {"absent": {"nameMasked": "fails"}}, "absence-unsaid"),
        (HIDEABLE | {"absent": {"result": "passes"}}, "bad-rule"),
        ({"logic": {"===": [{"var": "payload.statu"}, "GREEN"]}}, "malformed"),
    ],
)
def test_a_rule_over_a_claim_that_may_be_hidden_is_refused(tmp_path: Path, rule: dict[str, Any], code: str) -> None:
    """R12: `weid pack test` runs no case of a pack whose rule reads what may be hidden and does not say what that means."""
    done = CliRunner().invoke(pack_command, ["test", str(changed(tmp_path, rule)), "--case", "golden", "--no-flip"])
    assert isinstance(done.exception, MalformedError)
    assert (done.exception.code, done.stdout) == (code, "")


def test_a_rule_that_says_what_absence_means_is_taken(tmp_path: Path) -> None:
    """With `absent`, the same rule is read; where a schema lacks the claim, it is missing there too."""
    loaded = load_pack(changed(tmp_path, HIDEABLE | {"absent": {"result": "fails"}}))
    assert read_request(loaded, "entry").rules[0].absent == {"result": "fails"}
    with pytest.raises(MalformedError, match="no schema asked for has the claim result"):
        read_request(loaded, "venue")


@pytest.mark.parametrize("pack", sorted(PACKS))
def test_packs_are_data(pack: str) -> None:
    assert not [path for path in PACKS[pack].files if path.endswith(".py")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "pack.json"),
        ({"pack.json": b"{}"}, "id"),
        ({"pack.json": b'{"id":"a","version":1,"title":{"en":"x"}}'}, "pt"),
        ({"pack.json": b"[]"}, "object"),
        ({"pack.json": b'{"id":"a","version":1,"title":{}}', "x.py": b""}, "Python"),
    ],
)
def test_a_broken_pack_is_named(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read_pack(files)


def test_two_people_in_a_case() -> None:
    """A pack that asks for two people: its parties act with two, and a step by one alone is refused (the flip is not)."""
    pack = PACKS["certificate-authority"]
    section = json.loads(pack.files["issue.json"]) | {"twoPeople": ["issue", "revoke"]}
    golden = json.loads(pack.files["cases/golden.json"])
    step = next(step for step in golden["steps"] if step["do"] == "issue")
    golden["steps"].insert(golden["steps"].index(step), step | {"alone": True, "expect": {"error": "second-person"}})
    files = {**pack.files, "issue.json": json.dumps(section).encode(), "cases/golden.json": json.dumps(golden).encode()}
    strict = read_pack(files)
    assert run_case(strict, read_cases(strict)["golden"]) == []
    files["issue.json"] = pack.files["issue.json"]
    lax = read_pack(files)
    assert run_case(lax, read_cases(lax)["golden"]) != []


def test_what_one_certificate_stands_on_in_a_case() -> None:
    """A step brings it by name (`base`); without it, or once it is revoked, nothing is issued."""
    pack = PACKS["certificate-authority"]
    issue, present = (json.loads(pack.files[name]) for name in ("issue.json", "present.json"))
    issue["depends"] = {"skill-certificate": {"request": "trained", "same": {"holderName": "holderName"}}}
    present["requests"]["trained"] = {**present["requests"]["check"], "schemas": ["training-certificate"]}
    case = json.loads(pack.files["cases/golden.json"])
    steps = case["steps"][:4]  # applied, refused, approved, issued
    claims = {"holderName": steps[3]["claims"]["holderName"], "awardDate": "2026-01-01", "course": "Chains"}
    case["steps"] = [
        *steps[:3],
        {"do": "issue", "by": "academy", "schema": "training-certificate", "to": None, "claims": claims, "as": "training"},
        {**steps[3], "expect": {"error": "base-missing"}}, {**steps[3], "base": "training"},
        {"do": "revoke", "by": "academy", "what": "training", "reason": "fraud"},
        {**steps[3], "base": "training", "as": "second", "expect": {"error": "base-revoked"}},
    ]  # fmt: skip
    files = {**pack.files, "issue.json": json.dumps(issue).encode(), "present.json": json.dumps(present).encode(),
             "cases/golden.json": json.dumps(case).encode()}  # fmt: skip
    strict = read_pack(files)
    assert run_case(strict, read_cases(strict)["golden"]) == []
