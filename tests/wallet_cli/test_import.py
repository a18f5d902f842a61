"""`weid import`: data on standard output, words on standard error, and an exit code that says what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credentials.reissue import read_reissue, reissue_request
from credentials.report import Report
from credentials.verify import verify
from tests.credentials import old
from tests.credentials.old import OldIssuer
from tests.credentials.world import NOW, World, at
from tests.wallet_cli.test_holder import Weid
from weid.canon import jcs
from weid.codec import rfc3339
from weid.errors import MalformedError
from weid.facts import NoFacts

AT = ("--at", rfc3339(NOW))
ISSUER = OldIssuer()


@pytest.fixture
def weid(tmp_path: Path) -> Weid:
    return Weid(tmp_path / "holder")


def put(folder: Path, value: Any, name: str = "old.json") -> str:
    path = folder / name
    path.write_text(json.dumps(value, ensure_ascii=False))
    return str(path)


def test_a_request_keeps_the_bytes_and_names_what_is_unsigned(weid: Weid, tmp_path: Path) -> None:
    """The original is inside byte for byte; unsigned, hidden and ambiguous values are named on standard error."""
    path = put(tmp_path, old.hide(old.original(ISSUER), "name"))
    done = weid("import", path, *AT)
    request = read_reissue(done.stdout.encode())
    assert request.original == Path(path).read_bytes()
    for words in ("legacy-authentic", "not signed: proof.creator", "hidden, but not secret: name", "could be another value: age"):
        assert words in done.stderr
    marks = {item["path"]: item["ambiguous"] for item in json.loads(done.stdout)["confirm"]}
    assert marks == {"credits": True, "age": True, "address.city": False, "marks[0].a": True, "marks[1].a": True}


def test_an_expired_one_is_still_imported(weid: Weid, tmp_path: Path) -> None:
    """Most old credentials are over, which is why they are issued again."""
    done = weid("import", put(tmp_path, old.original(ISSUER)), "--at", rfc3339(NOW + 500 * 1440), "-o", str(tmp_path / "request"))
    assert done.stdout == "" and "expired" in done.stderr
    assert json.loads((tmp_path / "request").read_text())["checked"]["verdict"] == "expired"


@pytest.mark.long
def test_exit_codes(weid: Weid, tmp_path: Path) -> None:
    """1 not authentic, 2 another format or bad options, 3 cannot be decided; never data on standard output."""
    good = old.original(ISSUER)
    forged = {**good, "claim": {**good["claim"], "name": "Eve"}}
    typed = {**good, "claim": {**good["claim"], "age": "18"}}
    cpt, sm2 = put(tmp_path, old.CPT, "cpt.json"), OldIssuer("sm", suite_name="sm2")
    assert weid("import", put(tmp_path, forged), *AT, code=1).stdout == ""
    assert weid("import", put(tmp_path, typed), "--cpt", cpt, *AT, code=1).stdout == ""
    assert weid("import", put(tmp_path, old.original(sm2)), *AT, code=3).stdout == ""
    assert weid("import", put(tmp_path, {"a": 1}), *AT, code=2).stdout == ""
    assert weid("import", put(tmp_path, {**good, "more": 1}), *AT, code=2).stdout == ""
    assert weid("import", put(tmp_path, good), "--cpt", put(tmp_path, [], "no.json"), *AT, code=2).stdout == ""
    assert "verdict" in weid("import", put(tmp_path, good), "--cpt", cpt, "--salt-length", "5", *AT).stdout


def test_a_document_brings_the_key(weid: Weid, tmp_path: Path) -> None:
    """A credential by a later key is decided once the issuer's DID document is handed in."""
    rotated = OldIssuer("rotated")
    rotated.did = ISSUER.did
    value = old.original(rotated)
    value["proof"]["creator"] = f"{ISSUER.did}#keys-1"
    key = str(int.from_bytes(rotated.key.xy(), "big"))
    document = put(tmp_path, {"id": ISSUER.did, "publicKey": [{"type": "Secp256k1", "publicKey": key}]}, "did.json")
    weid("import", put(tmp_path, value), *AT, code=3)
    weid("import", put(tmp_path, value), "--did-document", document, *AT)


def test_weid_verify_reads_it_too(weid: Weid, tmp_path: Path) -> None:
    """The ordinary command gives the amber verdict, exit code 3, with nothing pinned."""
    done = weid("verify", put(tmp_path, old.original(ISSUER)), *AT, code=3)
    assert done.stdout.strip() == "legacy-authentic" and "Sher" in done.stderr


# -- the request as a format ------------------------------------------------------------------------------------------


def judged(value: Any) -> tuple[bytes, Report]:
    data = json.dumps(value).encode()
    return data, verify(data, facts=World().facts(), at=at())


@pytest.mark.parametrize("value", [old.original(ISSUER), old.lite(ISSUER), old.multi(ISSUER, [old.original(ISSUER)])])
def test_requests_read_back(value: Any) -> None:
    """What is written is read, for every kind."""
    data, report = judged(value)
    request = reissue_request(data, report)
    assert read_reissue(jcs(request)).original == data


@pytest.mark.parametrize("name", ["original", "digest", "id", "issuer", "cptId", "validUntil", "hidden", "confirm", "type"])
def test_a_request_says_only_what_its_original_says(name: str) -> None:
    """A value changed beside the original is refused: nobody confirms something else than what was signed."""
    data, report = judged(old.original(ISSUER))
    request = reissue_request(data, report)
    for other in (item for item in ("x", None, [], 1) if item != request[name]):
        with pytest.raises(MalformedError):
            read_reissue(jcs({**request, name: other}))
    values: Any = request["confirm"]
    for edit in ({"value": "Eve"}, {"path": "x"}, {"ambiguous": 1}):
        with pytest.raises(MalformedError):
            read_reissue(jcs({**request, "confirm": [{**values[0], **edit}, *values[1:]]}))


def test_only_authentic_ones() -> None:
    """No request is made of what is not authentic."""
    value = old.original(ISSUER)
    value["claim"]["name"] = "Eve"
    data, report = judged(value)
    with pytest.raises(MalformedError):
        reissue_request(data, report)
    good = json.dumps(old.original(ISSUER)).encode()
    assert verify(good, facts=NoFacts(), at=at()).authentic is not None
