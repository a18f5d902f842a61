"""`weid` at the hands of strangers: exit codes (R26), terminals (R28), files and secrets."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from credentials.binding import NO_BINDING
from credentials.carrier import to_digits, to_text
from credentials.compact import read_compact
from credentials.picture import draw, png
from credentials.presentation import Challenge
from registry import operations as ops
from registry.genesis import print_genesis
from tests.registry.world import World
from tests.verifier_app.places import CERTIFICATE, Place
from tests.wallet_cli.test_holder import Weid
from weid.codec import rfc3339

ESCAPE = "\u001b]0;owned\u0007\u001b[2J\u009b31mVALID\u202e"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place"), "certificate-authority", "skill-certificate", pinned=False)
    yield made
    made.close()


@pytest.fixture
def weid(place: Place, tmp_path: Path) -> Weid:
    """A command whose trust is as of now."""
    command = Weid(tmp_path / "user")
    (tmp_path / "genesis.json").write_bytes(print_genesis(place.world.genesis))
    (tmp_path / "home.bundle").write_bytes(place.bundle())
    command("trust", "add", str(tmp_path / "genesis.json"))
    command("trust", "import", str(tmp_path / "home.bundle"), "--at", rfc3339(place.now))
    return command


def said(weid: Weid, what: str, at: int, code: int, *more: str) -> str:
    return weid("verify", what, "--at", rfc3339(at), *more, code=code).stdout.strip()


def test_r26_exit_codes(place: Place, weid: Weid, tmp_path: Path) -> None:
    """0 valid, 1 tampered, expired, specimen or no credential, 3 stale or no root: each with its verdict."""
    made = place.issue(CERTIFICATE, minutes=20_000)
    text, now = place.text(made), place.now
    assert said(weid, text, now, 0) == "valid-bearer"
    assert said(weid, text[:-1] + ("1" if text[-1] != "1" else "2"), now, 1) in ("tampered", "not-a-credential")
    assert said(weid, text, now + 11_000, 3) == "stale"
    assert said(weid, text, now + 20_001, 1) == "expired"
    assert said(weid, place.text(place.issue(CERTIFICATE, specimen=True)), now, 1) == "specimen"
    file = tmp_path / "changed.json"
    document = json.loads(made.file)
    document["credentialSubject"]["grade"] = "100"
    file.write_text(json.dumps(document))
    assert said(weid, str(file), now, 1) == "tampered"
    nobody = Weid(tmp_path / "nobody")
    assert said(nobody, text, now, 3) == "undecided"
    assert "`weid trust add GENESIS`" in nobody("verify", text, "--at", rfc3339(now), code=3).stderr


def test_r26_revoked(place: Place, weid: Weid, tmp_path: Path) -> None:
    """Revoked: exit 1, and the words say when, why and by whom."""
    made = place.issue(CERTIFICATE, minutes=9_000)
    place.revoke(made.leaf.index if made.leaf else 0)
    (tmp_path / "later.bundle").write_bytes(place.bundle())
    weid("trust", "import", str(tmp_path / "later.bundle"), "--at", rfc3339(place.now))
    assert said(weid, place.text(made), place.now, 1) == "revoked"
    assert "error-in-data, issuer) [revoked]" in weid("verify", place.text(made), "--at", rfc3339(place.now), code=1).stderr


def test_r26_back_dated(tmp_path: Path) -> None:
    """Issued after the right was taken away, under an earlier date: exit 3 while nothing proves it, then 1.

    A certificate that stands in the register from before that end is valid as soon as the register is there.
    """
    (tmp_path / "own").mkdir()
    place, weid = Place(tmp_path / "own", "certificate-authority", "skill-certificate", pinned=False), Weid(tmp_path / "v")
    world, before = place.world, place.now
    honest = place.issue(CERTIFICATE, minutes=20_000)
    place.publish()
    register = list(place.leaves)
    world.tick(10)
    world.submit(ops.issuer_remove(world.author(world.admin), place.issuer.did, "fraud"))
    rogue = place.issue(CERTIFICATE, start=before, minutes=20_000)
    (tmp_path / "genesis.json").write_bytes(print_genesis(world.genesis))
    weid("trust", "add", str(tmp_path / "genesis.json"))

    def carry() -> None:
        world.tick()
        (tmp_path / "now.bundle").write_bytes(place.bundle())
        weid("trust", "import", str(tmp_path / "now.bundle"), "--at", rfc3339(place.now))

    carry()
    for made in (honest, rogue):
        assert said(weid, place.text(made), place.now, 3) == "undecided"
    world.registry.put_register(f"{place.issuer.did}/status/1", register)
    carry()
    assert said(weid, place.text(honest), place.now, 0) == "valid-bearer"
    refused = weid("verify", place.text(rogue), "--at", rfc3339(place.now), code=1)
    assert refused.stdout.strip() == "issuer-key-ended" and "[not-in-register]" in refused.stderr
    place.close()


def test_r26_a_clock_behind_the_trust_data_is_three_with_a_sentence(place: Place, weid: Weid) -> None:
    """A dead battery: the trust store refuses to speak, and that is "cannot decide", neither a crash nor a no."""
    text = place.text(place.issue(CERTIFICATE))
    done = weid("verify", text, "--at", rfc3339(place.now - 600), code=3)
    assert (done.stdout.strip(), "clock" in done.stderr) == ("undecided", True)
    report = json.loads(said(weid, text, place.now - 600, 3, "--json"))
    assert (report["verdict"], report["exitCode"], report["reason"]) == ("undecided", 3, "future-bundle")


def test_r26_trust_that_cannot_be_read_is_three(place: Place, weid: Weid) -> None:
    """A damaged trust file says nothing about the credential."""
    path = weid.folder / "home" / "trust.bin"
    path.write_bytes(path.read_bytes()[:-1])
    assert said(weid, place.text(place.issue(CERTIFICATE)), place.now, 3) == "undecided"


def test_r26_unreadable_is_two(place: Place, weid: Weid, tmp_path: Path) -> None:
    """A misspelled file name, a folder, a file one may not read, a time that is none: usage, not a verdict."""
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    secret.chmod(0)
    wrong = ["certificate.json", str(tmp_path / "nothing"), str(tmp_path), *([] if os.geteuid() == 0 else [str(secret)])]
    for what in wrong:
        assert said(weid, what, place.now, 2) == ""
    weid("verify", "123", "--at", "yesterday", code=2)
    noise = tmp_path / "noise.bin"
    noise.write_bytes(b"\xff\xfe\x00")
    for challenge in (str(noise), "12", str(tmp_path / "none.png")):
        weid("verify", "123", "--challenge", challenge, code=2)


def test_r26_of_several_codes_the_worst_decides(place: Place, weid: Weid, tmp_path: Path) -> None:
    """A picture with a code that is not valid and one that cannot be decided: 1, not 3 because 3 is a larger number."""
    from io import BytesIO

    from PIL import Image

    old, fresh = place.issue(CERTIFICATE, minutes=100), place.issue(CERTIFICATE, minutes=50_000)
    parts = [Image.open(BytesIO(png(draw(made.compact, host="weid.app")))) for made in (old, fresh)]
    both = Image.new("L", (sum(part.width for part in parts), max(part.height for part in parts)), 255)
    both.paste(parts[0], (0, 0))
    both.paste(parts[1], (parts[0].width, 0))
    both.save(tmp_path / "two.png")
    found = said(weid, str(tmp_path / "two.png"), place.now + 11_000, 1).split()
    assert sorted(found) == ["expired", "stale"]


def test_r28_no_escape_sequence_reaches_the_terminal(place: Place, weid: Weid, tmp_path: Path) -> None:
    """Claims, labels and challenge names with terminal commands are shown as text by verify, receive, list, show."""
    hostile = hostile_code(place)
    weid("init")
    outputs = [
        weid("verify", hostile, "--at", rfc3339(place.now), "--explain", code=1),
        weid("verify", hostile, "--at", rfc3339(place.now), "--json", code=1),
        weid("receive", hostile, "--at", rfc3339(place.now)),
        weid("list"),
    ]
    name = outputs[2].stdout.strip()
    outputs += [weid("show", name[:8]), weid("qr", name[:8]), weid("show", ESCAPE.replace("\0", ""), code=1)]
    for done in outputs:
        assert not set("\u001b\u0007\u009b\u202e") & set(done.stdout + done.stderr), done.args
    assert "\\u001b" in outputs[0].stderr
    assert json.loads(outputs[1].stdout)["credential"]["claims"]["holderName"] == ESCAPE


def test_r28_a_challenge_cannot_lie_to_the_wallet() -> None:
    """A verifier's name with control or bidi characters is no challenge at all."""
    from credentials.presentation import read_challenge
    from weid.errors import MalformedError

    good = Challenge("gate-3", "Gate 3", "entry", bytes(32), 1, bytes(16), 100)
    for change in ({"name": ESCAPE}, {"verifier": "gate\u200b-3"}, {"purpose": "entry\nPolice"}):
        with pytest.raises(MalformedError):
            read_challenge(replace(good, **change).to_bytes())  # type: ignore[arg-type]


def test_r28_rejected_operations_are_shown_as_text(tmp_path: Path) -> None:
    """The log keeps what anybody registered sent, escape sequences too; `registry show` prints none."""
    import subprocess
    import sys

    from registry import operations as ops

    world = World(tmp_path)
    actor = world.register(world.actor())
    names = tuple((language, ESCAPE) for language in ("en", "pt", "zh-Hans", "zh-Hant"))
    world.submit(ops.issuer_apply(world.author(actor), names, [bytes(32)]), "bad-name")
    world.registry.close()
    (tmp_path / "home.db").rename(tmp_path / "registry.db")
    command = [sys.executable, "-m", "wallet_cli", "registry", "show", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\\u001b" in done.stdout
    assert not set("\u001b\u009b\u202e") & set(done.stdout)


def test_wallet_files_are_private_and_secrets_stay_off_the_command_line(place: Place, weid: Weid, tmp_path: Path) -> None:
    """Folder 0700, wallet and backup 0600, whatever the umask; a wrong or unreadable passphrase is no stack."""
    before = os.umask(0)
    try:
        weid("init")
        weid("request")
        weid("backup", str(tmp_path / "copy.json"))
    finally:
        os.umask(before)
    home = weid.folder / "home"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in (home / "wallet.json", tmp_path / "copy.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"secret" not in path.read_bytes()
    (weid.folder / "pass").write_bytes(b"\xff\xfe")
    weid("list", code=2)
    (weid.folder / "pass").write_text("wrong")
    assert "passphrase" in weid("list", code=1).stderr


def test_a_backup_that_was_changed_is_not_restored(weid: Weid, tmp_path: Path) -> None:
    """Any changed byte of a backup is refused, and nothing is written."""
    weid("init")
    weid("backup", str(tmp_path / "copy.json"))
    data = bytearray((tmp_path / "copy.json").read_bytes())
    data[data.index(b'"box":"') + 20] ^= 1
    (tmp_path / "changed.json").write_bytes(data)
    (weid.folder / "home" / "wallet.json").unlink()
    weid("restore", str(tmp_path / "changed.json"), code=1)
    assert not (weid.folder / "home" / "wallet.json").exists()


def test_r16_a_code_is_never_fetched(place: Place, weid: Weid) -> None:
    """The host in the text names nobody: bare digits say the same."""
    data = place.issue(CERTIFICATE).compact
    for text in (to_digits(data), to_text(data, "a.invalid")):
        assert said(weid, text, place.now, 0) == "valid-bearer"


def hostile_code(place: Place) -> str:
    """A credential with terminal commands in a claim, signed by the issuer's own registered key."""
    from credentials import compact
    from weid.records import status_list_id

    value = read_compact(place.issue(CERTIFICATE, bind=NO_BINDING).compact)
    first = place.schema.names.index("holderName")
    items = tuple(ESCAPE if index == first else item for index, item in enumerate(value.items))
    value = replace(value, items=items)
    signed = compact.preimage(
        value, compact.tree_root(value), origin=place.world.origin, genesis=place.world.pin, issuer=place.issuer.did,
        key_hash=place.issuer.issuing.public_key.hash32(), schema=place.schema.digest, mandatory=place.schema.mandatory,
        status_list=status_list_id(place.issuer.did, 1),
    )  # fmt: skip
    signature = place.issuer.issuing.sign(compact.CONTEXT, signed)
    return to_text(compact.encode_compact(replace(value, signature=signature)), "weid.app")
