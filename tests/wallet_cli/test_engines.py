"""`weid registry move` and `registry.toml`: the node's settings and the engine in one file, and targets that are none."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.engines.config import EtcdConfig, read_config, with_engine
from registry.node.backup import alone
from tests.wallet_cli.test_committee import ROOT, made
from wallet_cli import engines
from wallet_cli.registry import registry as command
from wallet_cli.registry_folder import open_registry
from weid.errors import ConflictError, MalformedError

EVM = ("--to", "evm", "--url", "http://127.0.0.1:1", "--chain", "7")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made(tmp_path / "ca", "registry.ca.example/1", 1).close()
    (tmp_path / "words").write_text("x\n", encoding="utf-8")
    return tmp_path / "ca"


def run(name: str, folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [name, str(folder), "--passphrase-file", str(folder.parent / "words"), *words])


def printed() -> str:
    """The file as the operator's page shows it."""
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "howto" / "operator.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_a_registry_opens_with_the_settings_that_the_page_prints(folder: Path) -> None:
    (folder / "registry.toml").write_text(printed(), encoding="utf-8")
    assert read_config(folder) is None
    done = run("tick", folder)
    assert done.exit_code == 0, done.output + str(done.exception)


def test_moving_keeps_the_nodes_settings(folder: Path) -> None:
    """The engine's table is replaced or taken out; every other letter stays."""
    (folder / "registry.toml").write_text(printed(), encoding="utf-8")
    (folder / "registry.toml.next").write_text("of another kind", encoding="utf-8")
    assert run("move", folder, "--to", "sqlite").exit_code == 0
    assert (folder / "registry.toml").read_text("utf-8") == printed()
    assert not (folder / "registry.toml.next").exists()
    there = EtcdConfig(("http://127.0.0.1:1",), "/weid/x")
    moved = with_engine(printed().encode(), there)
    (folder / "registry.toml").write_bytes(moved)
    assert read_config(folder) == there and printed().encode() in moved
    assert with_engine(moved, None).decode() == printed()
    assert with_engine(b"", there) == with_engine(with_engine(b"", there), there)
    with pytest.raises(MalformedError):
        with_engine(b'engine = {name = "sqlite"}\n', there)
    assert run("move", folder, "--to", "sqlite").exit_code != 0  # the etcd it names is not there: nothing is changed
    assert read_config(folder) == there


def test_nobody_writes_while_a_log_is_moved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that came in between would be in the old place alone; where a node runs nothing is moved."""
    monkeypatch.setattr("registry.engines.alone._PATIENCE", 0.05)
    plain, refused = engines._embedded, list[str]()

    def meanwhile(place: Path) -> None:
        other = open_registry(folder, None, random=secrets.token_bytes)
        with pytest.raises(ConflictError) as found, other.engine.alone():
            pass
        other.close()
        refused.append(found.value.code)
        plain(place)

    monkeypatch.setattr(engines, "_embedded", meanwhile)
    assert run("move", folder, "--to", "sqlite").exit_code == 0 and refused == ["other-writer"]
    node = open_registry(folder, "x", random=secrets.token_bytes)
    stopped = run("move", folder, "--to", "sqlite")
    assert getattr(stopped.exception, "code", None) == "other-writer" and len(refused) == 1
    node.close()
    assert run("move", folder, "--to", "sqlite").exit_code == 0


def test_nobody_writes_while_a_log_is_restored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is restored, caught up and marked is one log from the first step to the last."""
    monkeypatch.setattr("registry.engines.alone._PATIENCE", 0.05)
    file, place = folder.parent / "ca.backup", folder.parent / "again"
    restore = ["restore", str(file), str(place)]
    assert CliRunner().invoke(command, ["backup", str(folder), "-o", str(file)]).exit_code == 0
    with alone(place):
        for words in (restore, [*restore, "--from", "http://127.0.0.1:1"]):
            refused = CliRunner().invoke(command, words)
            assert getattr(refused.exception, "code", None) == "other-writer"
        assert not (place / "registry.db").exists()
    assert CliRunner().invoke(command, restore).exit_code == 0
    with alone(place):  # and what is there already is not caught up
        assert getattr(CliRunner().invoke(command, [*restore, "--from", "http://x:1"]).exception, "code", None) == "other-writer"


@pytest.mark.parametrize(
    "words",
    [
        (*EVM, "--finality", "²"), (*EVM, "--finality", "soon"), (*EVM, "--contract", "0x12"), (*EVM, "--price", "-1"),
        ("--to", "evm", "--url", "http://[x", "--chain", "7"), ("--to", "evm", "--url", "http://x:99999", "--chain", "7"),
        ("--to", "etcd", "--endpoint", "ftp://x"),
    ],
)  # fmt: skip
def test_a_bad_target_leaves_nothing_behind(folder: Path, words: tuple[str, ...]) -> None:
    refused = run("move", folder, *words)
    assert getattr(refused.exception, "code", None) in ("bad-config", "bad-url", "bad-address", 2)
    assert not (folder / "registry.toml.next").exists() and not (folder / "registry.toml").exists()


def test_what_an_earlier_move_left_does_not_block_the_next(folder: Path) -> None:
    """A `.next` that cannot be read is replaced: the move fails on the engine that is not there, not on the file."""
    (folder / "registry.toml.next").write_text('[engine]\nname = "evm"\nchain = "x"\n', encoding="utf-8")
    refused = run("move", folder, "--to", "etcd", "--endpoint", "http://127.0.0.1:1")
    assert getattr(refused.exception, "code", None) == "unreachable"
    assert isinstance(read_config(folder, "registry.toml.next"), EtcdConfig)
