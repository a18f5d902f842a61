"""Anchoring files and checking them offline, by command; updates of trust bundles carried by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.delta import is_delta
from tests.wallet_cli.test_committee import Place, made, place  # noqa: F401 (a fixture)
from tests.wallet_cli.test_voting import run
from wallet_cli.__main__ import cli
from weid.codec import rfc3339


def weid(*words: object) -> tuple[int, str]:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    return ran.exit_code, ran.output


def test_files_are_anchored_and_checked_offline(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home-of-a-stranger"))
    files = []
    for n in range(5):
        files.append(tmp_path / f"photo-{n}.jpg")
        files[-1].write_bytes(b"photo %d" % n)
    done = run(place, place.folder, "anchor", *map(str, files), "-o", str(tmp_path / "proofs"))
    assert done.exit_code == 0, done.output
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
    code, said = weid("trust", "check-evidence", files[0], proofs[1])
    assert code == 3 and "Not anchored as of" in said
    files[0].write_bytes(b"photo 0 retouched")
    assert weid("trust", "check-evidence", files[0], proofs[0])[0] == 3


def test_what_was_anchored_after_the_bundle_is_unknown_until_a_newer_one(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    """Absent from old trust data is not a "no": exit 3 with the time it is about, and 0 with the next bundle."""
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "stranger"))
    file, bundle = tmp_path / "deed.pdf", tmp_path / "bundle"
    file.write_bytes(b"a deed")
    assert run(place, place.folder, "anchor", str(file), "-o", str(tmp_path / "first")).exit_code == 0
    place.made.commit()
    bundle.write_bytes(place.made.bundle())
    file.write_bytes(b"a later deed")
    assert run(place, place.folder, "anchor", str(file), "-o", str(tmp_path / "second")).exit_code == 0
    (proof,) = (tmp_path / "second").glob("*.proof")
    assert weid("trust", "add", place.folder / "genesis.json")[0] == 0
    assert weid("trust", "import", bundle)[0] == 0
    code, said = weid("trust", "check-evidence", file, proof)
    assert code == 3 and f"Not anchored as of {rfc3339(place.made.state.now)}; a newer bundle may know it." in said
    place.made.commit()
    bundle.write_bytes(place.made.bundle())
    assert weid("trust", "import", bundle)[0] == 0
    assert weid("trust", "check-evidence", file, proof)[0] == 0


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


def test_one_registrys_checkpoint_is_anchored_in_another(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    """Upstream anchoring: whoever trusts the other registry knows that this log stood there by then."""
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "stranger"))
    below = made(tmp_path / "below", "registry.below.example/1", 2)
    below.close()
    note = tmp_path / "checkpoint.txt"
    assert weid("registry", "checkpoint", tmp_path / "below", "-o", note)[0] == 0
    assert note.read_text().startswith("registry.below.example/1\n")
    anchored = run(place, place.folder, "anchor", str(note), "-o", str(tmp_path / "proofs"))
    assert anchored.exit_code == 0, anchored.output
    place.made.commit()
    bundle = tmp_path / "bundle"
    bundle.write_bytes(place.made.bundle())
    assert weid("trust", "add", place.folder / "genesis.json")[0] == 0
    assert weid("trust", "import", bundle)[0] == 0
    (proof,) = (tmp_path / "proofs").glob("*.proof")
    assert weid("trust", "check-evidence", note, proof)[0] == 0


def test_a_list_of_trusted_entities_is_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "stranger"))
    scheme, bundle, output = tmp_path / "scheme.json", tmp_path / "bundle", tmp_path / "list.json"
    scheme.write_text(json.dumps({"operator": {"en": "A"}, "name": {"en": "B"}, "territory": "MO", "uri": "https://x.example/"}))
    place.made.commit()
    bundle.write_bytes(place.made.bundle())
    assert weid("trust", "lote", scheme, "-o", output)[0] != 0
    assert weid("trust", "add", place.folder / "genesis.json")[0] == 0
    assert weid("trust", "import", bundle)[0] == 0
    assert weid("trust", "lote", scheme, "-o", output)[0] == 0
    assert json.loads(output.read_text())["LoTE"]["ListAndSchemeInformation"]["SchemeTerritory"] == "MO"
