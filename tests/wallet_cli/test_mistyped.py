"""What is mistyped is told in one sentence with exit code 2, before anything is opened, written or asked; no tracebacks.

The command's own entry is called, so that what it makes of errors is tested too.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from wallet_cli.__main__ import cli, main
from wallet_cli.registry_folder import create_registry
from weid.codec import minutes

HUGE = "9" * 40
NO_URL = (
    "https://[x",
    "http://127.0.0.1:99999",
    "http://a..b/",
    "http://a b/",
    "ftp://a/",
    "nowhere",
    "",
    "http://\u65e5\u672c/",
)


class Entry:
    """`weid` in this process: (exit code, standard error). An exception that escapes fails the test by itself."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys
        (folder / "words").write_text("x\n")
        monkeypatch.setenv("WEID_HOME", str(folder / "home"))
        monkeypatch.setenv("WEID_PASSPHRASE_FILE", str(folder / "words"))

    def __call__(self, *words: str) -> tuple[int, str]:
        self._monkeypatch.setattr("sys.argv", ["weid", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, self._capsys.readouterr().err

    def refuses(self, *words: str) -> str:
        """What is said, last line, to a command that must be refused as mistyped."""
        code, said = self(*words)
        assert code == 2, (words, code, said)
        return said.strip().splitlines()[-1]


@pytest.fixture
def weid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Entry:
    create_registry(
        tmp_path / "ca", origin="registry.example/1", chain=9, profile="intl", members={"committee": 1}, passphrase="x",
        minute=minutes(datetime.now(UTC)), random=secrets.token_bytes, cost=10,
    ).close()  # fmt: skip
    return Entry(tmp_path, monkeypatch, capsys)


def every(command: click.Command, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        return [item for name, child in inner if child is not None for item in every(child, *path, name)]
    return [(path, command)]


def test_every_whole_number_of_every_command_has_bounds() -> None:
    """A number without bounds ends as an overflow wherever it is first used: ports, days, votes, slots."""
    numbers = [
        (path, option) for path, command in every(cli) for option in command.params
        if option.type.name.startswith("integer") and (path, option.name) not in WITHOUT_END
    ]  # fmt: skip
    assert len(numbers) > 20
    for path, option in numbers:
        bounds = option.type
        assert isinstance(bounds, click.IntRange) and None not in (bounds.min, bounds.max), (path, option.name)


WITHOUT_END = {((*path,), "days") for path in (
    ("registry", "grant"), ("registry", "approve"), ("registry", "delegate"), ("registry", "recognise"),
)}  # fmt: skip
"""Days are bounded by the calendar: the sentence says so."""


@pytest.mark.parametrize("days", ["3000000", "99999999999", HUGE])
def test_days_end_with_the_calendar(weid: Entry, days: str) -> None:
    folder, did = str(weid.folder / "ca"), json.loads((weid.folder / "ca" / "genesis.json").read_text())["committee"][0]["did"]
    for words in (("grant", folder, did, "auditor"), ("approve", folder, did, "00" * 32), ("delegate", folder, did, "00" * 32)):
        assert "after the year 9999" in weid.refuses("registry", *words, "--days", days)


def test_numbers_out_of_bounds(weid: Entry) -> None:
    folder = str(weid.folder / "ca")
    for option in ("--agree", "--delay", "--period"):
        assert "is not in the range" in weid.refuses("registry", "set-rule", folder, "role", option, HUGE)
    for port in ("-1", "99999", HUGE):
        for serve in (("registry", "serve", folder), ("registry", "mirror-serve", folder), ("registry", "witness", "serve", folder),
                      ("issuer", "serve", folder), ("verifier", "serve"), ("vc-api",)):  # fmt: skip
            assert "is not in the range" in weid.refuses(*serve, "--port", port)
    assert "is not in the range" in weid.refuses("request", "--chain", HUGE)
    assert "is not in the range" in weid.refuses("registry", "init", str(weid.folder / "new"), "--origin", "x", "--chain", HUGE)
    assert not (weid.folder / "new").exists()
    assert weid("registry", "init", str(weid.folder / "new"), "--origin", "two words", "--chain", "7")[0] == 1
    assert not (weid.folder / "new").exists()


@pytest.mark.parametrize("url", NO_URL)
def test_addresses_that_are_none(weid: Entry, url: str) -> None:
    """A node, a mirror's source, an engine: told by what was typed, and nothing is left behind."""
    folder, genesis = str(weid.folder / "ca"), str(weid.folder / "ca" / "genesis.json")
    assert "no such address" in weid.refuses("registry", "members", folder, "--node", url)
    assert "no such address" in weid.refuses("registry", "join", str(weid.folder / "two"), genesis, "--node", url)
    assert "no such address" in weid.refuses("issuer", "init", str(weid.folder / "desk"), "--genesis", genesis, "--node", url)
    assert not (weid.folder / "two").exists() and not (weid.folder / "desk").exists()
    if url.startswith("http"):
        copy = str(weid.folder / "copy")
        assert "no such address" in weid.refuses("registry", "mirror", copy, "--from", url, "--genesis", genesis)
        assert not (weid.folder / "copy").exists()
    if "://" in url:
        weid.refuses("trust", "update", url)
        move = ("registry", "move", folder, "--to", "etcd", "--endpoint", url)
        assert "no such address" in weid.refuses(*move)


def test_other_things_mistyped(weid: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(weid.folder / "ca")
    assert "port over 65535" in weid.refuses("trust", "document", "fetch", "did:web:localhost%3A99999", "--loopback")
    assert "no address to listen on" in weid.refuses("registry", "serve", folder, "--host", "a..b")
    assert "not UTF-8" in weid.refuses("trust", "document", "remove", "\udcff")
    monkeypatch.setenv("WEID_NODE_KEY", "two words\n")
    assert "reader's key" in weid.refuses("registry", "members", folder)
