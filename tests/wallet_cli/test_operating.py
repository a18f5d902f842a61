"""A registry from day to day by commands: served with its explorer, a proof checked, backed up, lost, restored, gone on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from html import unescape
from pathlib import Path

import pytest

from tests.wallet_cli.test_holder import Weid
from tests.wallet_cli.test_registry import free_port, make, served


@pytest.fixture
def weid(tmp_path: Path) -> Weid:
    return Weid(tmp_path / "operator")


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_pages_commands_check_what_the_pages_say(weid: Weid, tmp_path: Path) -> None:
    """The printed commands, run as printed in a folder with the pinned genesis: exit 0, and 1 for another registry's."""
    folder, port = tmp_path / "ca", free_port()
    make(weid, folder)
    weid("registry", "tick", str(folder))
    node = f"http://127.0.0.1:{port}"
    with served(weid, "registry", "serve", str(folder), "--port", str(port), ready=f"{node}/readyz"):
        assert re.search("^weid_log_size [23]$", read(f"{node}/metrics"), re.M)  # a minute may begin meanwhile
        for number, page in enumerate(("/operations/0", f"/dids/{_member(folder)}", "/governance")):
            text = read(f"{node}{page}")
            place = tmp_path / str(number)
            place.mkdir()
            shutil.copy(folder / "genesis.json", place)
            fetch, check = unescape(re.search(r'<pre class="command" tabindex="0"><code>(curl[^<]*)</code>', text)[1]).split("\n")  # type: ignore[index]
            subprocess.run(fetch, shell=True, cwd=place, check=True)
            words = check.replace("genesis.json", str(place / "genesis.json")).split()
            words[3] = str(place / words[3])
            done = weid(*words[1:])
            assert "signed" in done.stderr and json.loads(done.stdout)
    make(weid, tmp_path / "other", chain="8602", name="other")
    other = weid("registry", "check-proof", str(tmp_path / "0" / "operation-0.tlog-proof"), "--genesis",
                 str(tmp_path / "other" / "genesis.json"), code=1)  # fmt: skip
    assert "[no-signature]" in other.stderr


def _member(folder: Path) -> str:
    return str(json.loads((folder / "genesis.json").read_text())["committee"][0]["did"])


@pytest.mark.long
def test_lost_and_found(weid: Weid, tmp_path: Path) -> None:
    """A backup, then more entries, then a lost database: refused while it is old, caught up from a mirror, gone on."""
    folder, file, mirror, port = tmp_path / "ca", tmp_path / "ca.backup", tmp_path / "mirror", free_port()
    make(weid, folder)
    done = weid("registry", "backup", str(folder), "-o", str(file))
    assert "keys/" in done.stderr and "high-water" in done.stderr
    weid("registry", "tick", str(folder), "--at", "2099-01-01T00:00:00Z")
    shutil.copytree(folder, mirror)
    assert "[already-exists]" in weid("registry", "restore", str(file), str(folder), code=1).stderr
    for name in ("registry.db", "registry.db-wal", "registry.db-shm"):
        (folder / name).unlink(missing_ok=True)
    refused = weid("registry", "restore", str(file), str(folder), code=1)
    assert "[older-log]" in refused.stderr and "--from URL" in refused.stderr
    assert "[older-log]" in weid("registry", "tick", str(folder), code=1).stderr
    node = f"http://127.0.0.1:{port}"
    with served(weid, "registry", "serve", str(mirror), "--port", str(port), ready=f"{node}/v1/health"):
        done = weid("registry", "restore", str(file), str(folder), "--from", node)
        assert "2 entries pulled" in done.stderr
        lost = tmp_path / "lost"
        assert "--new-mark" in weid("registry", "restore", str(file), str(lost), "--from", node).stderr
        weid("registry", "restore", str(file), str(lost), "--from", node, "--new-mark")
        assert "needs --from" in weid("registry", "restore", str(file), str(lost), "--new-mark", code=2).stderr
    weid("registry", "tick", str(folder), "--at", "2099-01-02T00:00:00Z")
    assert "sound" in weid("registry", "fsck", str(folder)).stderr
    shutil.copytree(folder / "keys", lost / "keys")
    weid("registry", "tick", str(lost), "--at", "2099-01-02T00:00:00Z")
    acts = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert [(line["act"], line["result"]) for line in acts] == [
        ("command init", "done"), ("command backup", "done"), ("command tick", "done"), ("command restore", "already-exists"),
        ("command restore", "older-log"), ("command tick", "older-log"), ("command restore", "done"), ("command tick", "done"),
        ("command fsck", "done"),
    ]  # fmt: skip


def test_where_settings_come_from(weid: Weid, tmp_path: Path) -> None:
    """config prints each value with its source and its variable."""
    make(weid, tmp_path / "ca")
    (tmp_path / "ca" / "registry.toml").write_text("[node]\nport = 9000\n[other]\nx = 1\n")
    weid.env["WEID_REGISTRY_HOST"] = "0.0.0.0"
    lines = dict(line.split("\t", 1) for line in weid("registry", "config", str(tmp_path / "ca")).stdout.splitlines())
    assert lines["port = 9000"].startswith("registry.toml\tWEID_REGISTRY_PORT")
    assert lines["host = 0.0.0.0"].startswith("WEID_REGISTRY_HOST\t")
    assert lines["every = 1"].startswith("default\t")
    (tmp_path / "ca" / "registry.toml").write_text("[node]\nprot = 9000\n")
    assert "[bad-config]" in weid("registry", "config", str(tmp_path / "ca"), code=1).stderr


@pytest.mark.long
def test_two_registries_on_one_port_and_one_of_them_private(weid: Weid, tmp_path: Path) -> None:
    """`--group` serves another folder below /groups; a folder with readers answers who sends a key."""
    port = free_port()
    make(weid, tmp_path / "open")
    make(weid, tmp_path / "closed", chain="8602", name="closed")
    key = weid("registry", "reader", str(tmp_path / "closed"), "add", "clinic").stdout.strip()
    node = f"http://127.0.0.1:{port}"
    group = f"quiet={tmp_path / 'closed'}"
    serve = ("registry", "serve", str(tmp_path / "open"), "--port", str(port), "--group", group)
    with served(weid, *serve, ready=f"{node}/readyz"):
        listed = json.loads(read(f"{node}/groups/"))
        assert listed == {"groups": [{"name": "quiet", "private": True}]}
        assert json.loads(read(f"{node}/v1/health"))["size"] == 1
        with pytest.raises(urllib.error.HTTPError) as caught:
            read(f"{node}/groups/quiet/v1/health")
        assert caught.value.code == 401
        caught.value.close()
        asked = urllib.request.Request(f"{node}/groups/quiet/v1/health", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert json.load(answer)["size"] == 1
    assert weid("registry", "reader", str(tmp_path / "closed"), "list").stdout == "clinic\n"
    weid("registry", "reader", str(tmp_path / "closed"), "end", "clinic")
    weid("registry", "reader", str(tmp_path / "closed"), "end", "clinic", code=1)
