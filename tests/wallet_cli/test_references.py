"""From the issuing desk over HTTPS to the verifier: lists are brought by an update, checks never ask anybody."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from credentials.bitstring_list import BitstringStatusList
from tests.credentials.test_foreign import document, key_signer
from tests.credentials.world import NOW, Seeded, make_signer
from wallet_cli.references import fetch
from wallet_cli.trust import trust
from wallet_cli.verify import verify
from weid.codec import rfc3339
from weid.did import did_key
from weid.errors import MalformedError
from weid.keys import LocalSigner

URL = "https://issuer.example/status/1"
VALUE = {
    "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "id": "urn:uuid:7",
    "credentialSubject": {"id": "did:example:x"},
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Callable[[str, Any], Any], Path]]:
    """A bench over TLS: (post to a path of the instance, its certificate)."""
    command = [sys.executable, "-m", "wallet_cli", "vc-api", "--tls", "--port", "0", "--folder", str(tmp_path / "tls")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        places = json.loads("".join(lines))
        base = next(item["endpoint"] for item in places["issuers"] if "/status-list/" in item["endpoint"])
        certificate = tmp_path / "tls" / "certificate.pem"
        trusted = ssl.create_default_context(cafile=str(certificate))

        def post(path: str, body: Any) -> Any:
            target = base.replace("credentials/issue", path)
            request = urllib.request.Request(target, json.dumps(body).encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, context=trusted, timeout=20) as answer:
                return json.load(answer)

        yield post, certificate
    finally:
        process.terminate()
        process.wait(10)


def update(*words: str) -> Result:
    return CliRunner().invoke(trust, ["update", *words])


def check(path: Path, *words: str) -> Result:
    return CliRunner().invoke(verify, [str(path), "--proof-only", *words])


def test_from_the_desk_to_the_verifier(
    desk: tuple[Callable[[str, Any], Any], Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, then good after an update, revoked after the next; between them nothing leaves the machine."""
    post, certificate = desk
    made = post("credentials/issue", {"credential": VALUE})["verifiableCredential"]
    path = tmp_path / "credential.json"
    path.write_text(json.dumps(made))
    urls = [entry["statusListCredential"] for entry in made["credentialStatus"]]
    assert urls[0].startswith("https://localhost:")
    unknown = check(path)
    assert (unknown.exit_code, "[status-unknown]" in unknown.stderr) == (3, True)
    refused = update(urls[0])  # nobody vouches for the certificate
    assert (refused.exit_code, "[unreachable]" in refused.stderr) == (1, True)
    brought = update(*urls, "--ca", str(certificate))
    assert (brought.exit_code, brought.stdout.count("status-list https://localhost")) == (0, 2), brought.output
    good = check(path)
    assert good.exit_code == 0, good.output
    assert "status as of 0 minutes ago" in good.stderr or "status as of 1 minutes ago" in good.stderr

    post("credentials/status", {
        "credentialId": "urn:uuid:7", "status": True,
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
    })  # fmt: skip
    with monkeypatch.context() as no_network:
        no_network.setattr("socket.socket.connect", lambda *_: pytest.fail("a check asked the network"))
        assert check(path).exit_code == 0  # nobody was asked
    assert update("--ca", str(certificate)).exit_code == 0  # everything kept, again
    with monkeypatch.context() as no_network:
        no_network.setattr("socket.socket.connect", lambda *_: pytest.fail("a check asked the network"))
        revoked = check(path)
    assert (revoked.exit_code, revoked.stdout.strip()) == (1, "revoked")


def published(value: int = 0, *, issued: int = NOW - 60, until: int = NOW + 600, ttl: int | None = None) -> tuple[bytes, Any]:
    """(a list of the issuer of `document`, the entry of a place in it)."""
    listed, (index,) = BitstringStatusList(URL, "revocation", ttl=ttl).allocate(random=Seeded("list"))
    signer = key_signer()
    made = listed.set(index, value).credential(signer, issuer=signer.kid.split("#")[0], issued=issued, until=until)
    return json.dumps(made).encode(), listed.entry(index)


def did_key_signer(signer: LocalSigner) -> LocalSigner:
    """The same kind of key under a name that spells it."""
    kid = f"{did_key(signer.public_key)}#{signer.public_key.multikey()}"
    return make_signer("p256", "assert", "other", kid)


def given(tmp_path: Path, data: bytes, entry: Any) -> tuple[Path, Path]:
    credential, listed = tmp_path / "credential.json", tmp_path / "list.json"
    credential.write_text(json.dumps(document(credentialStatus=entry)))
    listed.write_bytes(data)
    return credential, listed


def at(minute: int = NOW) -> tuple[str, str]:
    return "--at", rfc3339(minute)


def test_lists_by_file_and_folder(home: Path, tmp_path: Path) -> None:
    """One file or all of a folder; the age decides, its period and its ttl."""
    data, entry = published(ttl=60 * 60_000)
    credential, listed = given(tmp_path, data, entry)
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "any name").write_bytes(data)
    assert check(credential, *at()).exit_code == 3
    for place in (listed, folder):
        assert check(credential, *at(), "--status-list", str(place)).exit_code == 0
    late = check(credential, *at(NOW + 600), "--status-list", str(listed), "--explain")
    assert (late.exit_code, "status-stale" in late.stderr) == (3, True)
    due = check(credential, *at(NOW + 30), "--status-list", str(listed), "--explain")
    assert (due.exit_code, "status-refresh-due" in due.stderr) == (0, True)
    listed.write_bytes(published(1)[0])
    assert check(credential, *at(), "--status-list", str(listed)).stdout.strip() == "revoked"


def test_a_file_that_cannot_be_used_is_named(home: Path, tmp_path: Path) -> None:
    """Which file, and why: never a check that silently goes without it."""
    data, entry = published()
    credential, listed = given(tmp_path, data, entry)
    value = json.loads(data)
    nameless = {name: item for name, item in value.items() if name != "id"}
    schema = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://s.example/a"}).encode()
    wrong = [
        (b"", "nothing"), (b"{", "JSON"), (json.dumps(document()).encode(), "neither"), (schema, "a schema, not a status-list"),
        (json.dumps(nameless).encode(), "without an id"), (b"{}", ""), (b"x" * ((1 << 20) + 1), "more than"),
        (json.dumps({**value, "credentialSubject": {**value["credentialSubject"], "encodedList": "uAAAA"}}).encode(), "gzip"),
    ]  # fmt: skip
    for content, reason in wrong:
        listed.write_bytes(content)
        answer = check(credential, *at(), "--status-list", str(listed))
        assert answer.exit_code == 2, answer.output
        assert "list.json" in answer.stderr
        assert reason in answer.stderr.replace("\n", " "), (reason, answer.stderr)
    listed.write_bytes(schema)
    assert check(credential, *at(), "--schema", str(listed)).exit_code == 3


def test_schemas_by_file(home: Path, tmp_path: Path) -> None:
    """What a credential is measured by comes as a file too."""
    name = "https://schemas.example/person"
    credential, schema = tmp_path / "credential.json", tmp_path / "schema.json"
    credential.write_text(json.dumps(document(credentialSchema={"id": name, "type": "JsonSchema"})))
    for needed, code in (("credentialSubject", 0), ("nothing of the kind", 1)):
        value = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, "type": "object", "required": [needed]}
        schema.write_text(json.dumps(value))
        assert check(credential, *at()).exit_code == 3
        assert check(credential, *at(), "--schema", str(schema)).exit_code == code


def test_what_an_update_refuses(home: Path, tmp_path: Path) -> None:
    """Older, unproven, from the future: named, exit 1, and what is here stays."""
    data, entry = published(1)
    credential, listed = given(tmp_path, data, entry)
    assert update(str(listed), *at()).exit_code == 0
    kept = next((home / "references").glob("*.reference")).read_bytes()
    forged = json.loads(data)
    forged["validFrom"] = rfc3339(NOW - 30)
    for content, reason in (
        (published(0, issued=NOW - 120)[0], "older"),
        (json.dumps(forged).encode(), "a proof is wrong"),
        (published(0, issued=NOW + 60)[0], "ahead of this machine's clock"),
    ):
        listed.write_bytes(content)
        answer = update(str(listed), *at())
        assert (answer.exit_code, reason in answer.stderr) == (1, True), answer.output
        assert next((home / "references").glob("*.reference")).read_bytes() == kept
    assert check(credential, *at()).stdout.strip() == "revoked"
    other = did_key_signer(make_signer("p256", "assert", "other"))
    moved = BitstringStatusList(URL, "revocation").credential(
        other, issuer=other.kid.split("#")[0], issued=NOW - 10, until=NOW + 600
    )  # fmt: skip
    listed.write_text(json.dumps(moved))
    assert update(str(listed), *at()).exit_code == 0  # beside, and never in place of what its issuer signed
    assert kept in [path.read_bytes() for path in (home / "references").glob("*.reference")]
    assert check(credential, *at()).stdout.strip() == "revoked"
    # beside a list that was named, the newest of the two counts
    listed.write_bytes(published(0, issued=NOW - 120)[0])
    assert check(credential, *at(), "--status-list", str(listed)).stdout.strip() == "revoked"


def test_only_https_is_fetched() -> None:
    """No plain http to elsewhere, no file, no other scheme."""
    for url in ("http://issuer.example/status/1", "file:///etc/passwd", "ftp://issuer.example/x", "https:/x"):
        with pytest.raises(MalformedError) as caught:
            fetch(url)
        assert caught.value.code in ("bad-url", "unreachable")
