"""`weid trust prove-issue`: a graduate fetches proof while all is well, and it carries her over a theft at the issuer (R8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from registry.bundle import parse_bundle, print_bundle
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests.browser import serving
from wallet_cli.cases import read_cases
from wallet_cli.pack import load_pack
from wallet_cli.steps import run_step
from wallet_cli.trust import trust
from wallet_cli.verify import verify
from wallet_cli.world import World, world
from weid.codec import rfc3339

PACK = Path(__file__).parents[2] / "packs" / "certificate-authority"


def at(here: World) -> str:
    return rfc3339(here.minute)


def bundle(here: World, path: Path, **parts: Any) -> str:
    """A fresh bundle in a file, with these parts in place of its own."""
    path.write_bytes(print_bundle(replace(parse_bundle(here.bundle("ca")), **parts)))
    return str(path)


def run(group: Any, *words: str) -> Result:
    return CliRunner().invoke(group, list(words))


def test_a_proof_of_issue_outlives_a_theft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undecided where the register did not come along, valid with the proof; another certificate's proof changes nothing."""
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "stranger"))
    loaded = load_pack(PACK)
    golden = read_cases(loaded)["golden"]
    with world(loaded, golden.clock) as here:
        steps = [step for step in golden.steps if step["do"] in ("apply", "approve", "issue") and step.get("by") != "school"]
        for step in steps[:4]:
            run_step(here, step, lambda line: None)
        genesis, file, proof = tmp_path / "genesis.json", tmp_path / "mine.json", tmp_path / "mine.proof"
        genesis.write_bytes(print_genesis(here.registries["ca"].genesis))
        file.write_bytes(here.things["cert"].file)
        other = tmp_path / "other.proof"
        assert run(trust, "add", str(genesis)).exit_code == 0
        assert run(trust, "import", bundle(here, tmp_path / "first"), "--at", at(here)).exit_code == 0
        with serving(create_node(here.registries["ca"])) as node:
            made = run(trust, "prove-issue", str(file), "--node", node, "--at", at(here), "-o", str(proof))
            assert made.exit_code == 0, made.output
        assert f"published at {at(here)}" in made.output
        here.wait(30)
        run_step(here, {"do": "end-key", "by": "association", "role": "assert", "state": "compromised", "since": -10}, print)
        bare = bundle(here, tmp_path / "bare", registers=())
        assert run(trust, "import", bare, "--at", at(here)).exit_code == 0
        undecided = run(verify, str(file), "--at", at(here))
        assert (undecided.exit_code, "issue-time-unproven" in undecided.output) == (3, True)
        carried = run(verify, str(file), "--at", at(here), "--issue-proof", str(proof))
        assert carried.exit_code == 0, carried.output
        other.write_bytes(proof.read_bytes().replace(b'"index":', b'"index":1'))
        refused = run(verify, str(file), "--at", at(here), "--issue-proof", str(other))
        assert refused.exit_code == 2 and "other.proof" in refused.output
