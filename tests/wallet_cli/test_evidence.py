"""Anchoring files and checking them offline, by command; updates of trust bundles carried by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.delta import is_delta
from tests.wallet_cli.test_committee import Place, place  # noqa: F401 (a fixture)
from tests.wallet_cli.test_voting import run
from wallet_cli.__main__ import cli


def weid(*words: object) -> tuple[int, str]:
    made = CliRunner().invoke(cli, [str(word) for word in words])
    return made.exit_code, made.output


def test_files_are_anchored_and_checked_offline(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home-of-a-stranger"))
    files = []
    for n in range(5):
        files.append(tmp_path / f"photo-{n}.jpg")
        files[-1].write_bytes(b"photo %d" % n)
    made = run(place, place.folder, "anchor", *map(str, files), "-o", str(tmp_path / "proofs"))
    assert made.exit_code == 0, made.output
    again = run(place, place.folder, "anchor", str(files[0]), "-o", str(tmp_path / "proofs"))
    assert again.exit_code == 1 and (tmp_path / "proofs" / "seed").stat().st_mode & 0o077 == 0

    proofs = sorted((tmp_path / "proofs").glob("*.proof"))
    assert weid("trust", "check-evidence", files[0], proofs[0])[0] == 3
    place.made.commit()
    bundle = tmp_path / "bundle"
    bundle.write_bytes(place.made.bundle())
    assert weid("trust", "add", place.folder / "genesis.json")[0] == 0
    assert weid("trust", "check-evidence", files[0], proofs[0])[0] == 3
    assert weid("trust", "import", bundle)[0] == 0
    for file, proof in zip(files, proofs, strict=True):
        code, said = weid("trust", "check-evidence", file, proof)
        assert code == 0 and "Anchored by" in said
    assert weid("trust", "check-evidence", files[0], proofs[1])[0] == 1
    files[0].write_bytes(b"photo 0 retouched")
    assert weid("trust", "check-evidence", files[0], proofs[0])[0] == 1


def test_an_update_is_carried_by_hand(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "stranger"))
    place.made.commit()
    old = tmp_path / "old"
    old.write_bytes(place.made.bundle())
    place.made.tick(place.made.state.now + 1)
    place.made.commit()
    update = tmp_path / "update"
    update.write_bytes(place.made.bundle(base=bytes.fromhex(place.made.state.commits[0].map.root.hex())))
    assert is_delta(update.read_bytes()) and update.stat().st_size < old.stat().st_size
    assert weid("trust", "add", place.folder / "genesis.json")[0] == 0
    assert weid("trust", "import", update)[0] != 0
    assert weid("trust", "import", old)[0] == 0
    assert weid("trust", "import", update)[0] == 0
