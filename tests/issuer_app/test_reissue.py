"""An old certificate issued again at the desk: from the file that `weid import` writes to the new certificate."""

from __future__ import annotations

import copy
import json
import re
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from credentials.policy import Policy
from credentials.reissue import reissue_request
from credentials.verify import verify
from issuer_app.desk import Desk
from tests.credentials import old
from tests.credentials.old import OldIssuer
from tests.issuer_app.house import PASSPHRASE, SKILL, House, Person
from weid.canon import jcs
from weid.facts import NoFacts

PAGE = "/desk/reissue/"
ISSUER = OldIssuer()


def asked(house: House, value: dict[str, Any] | None = None) -> bytes:
    """The request of a holder, as `weid import` makes it."""
    original = jcs(old.original(ISSUER) if value is None else value)
    report = verify(original, facts=NoFacts(), policy=Policy(), at=house.moment)
    return jcs(reissue_request(original, report))


def bring(house: House, clerk: Person, data: bytes) -> TestResponse:
    return clerk.post(PAGE, {"kind": house.skill.hex(), "request": (BytesIO(data), "request.json")})


def once(page: TestResponse) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


@pytest.fixture
def clerk(house: House) -> Person:
    house.accredit()
    return Person(house.app(), "chen")


def issue(house: House, clerk: Person, page: TestResponse, **more: str) -> TestResponse:
    form = {**SKILL, "once": once(page), **more}
    return clerk.post(f"/desk/issue/{house.skill.hex()}", form)


def test_from_the_file_to_the_new_certificate(house: House, clerk: Person) -> None:
    """The clerk sees the verdict, the doubts and the values; the form is empty; without the confirmation nothing is issued."""
    page = bring(house, clerk, asked(house))
    assert page.status_code == 200
    for words in ("Genuine, old format", "the old signature would also fit another value", "age", "proof.creator"):
        assert words in page.text
    assert all(f'value="{value}"' not in page.text for value in SKILL.values() if len(value) > 4)
    refused = issue(house, clerk, page)
    assert refused.status_code == 422 and "compared every value" in refused.text and not house.desk.find("", 5)
    again = issue(house, clerk, refused, confirmed="yes")
    assert again.status_code == 302
    row = house.desk.find("", 5)[0]
    assert house.verify(row.file).exit_code == 0


def test_one_new_certificate_for_each_old_one(house: House, clerk: Person) -> None:
    """Brought again, by another session too: the same certificate, not a second one."""
    data = asked(house)
    places = [
        issue(house, person, bring(house, person, data), confirmed="yes").headers["Location"]
        for person in (clerk, Person(house.app(), "chen"))
    ]
    assert places[0] == places[1]
    assert len(house.desk.find("", 5)) == 1


def test_files_that_are_not_believed(house: House, clerk: Person) -> None:
    """A changed value, a changed mark, another format, nothing at all: refused with a sentence, and no form to issue."""
    value = json.loads(asked(house))
    changed = copy.deepcopy(value)
    changed["confirm"][0]["value"] = "Eve"
    for data in (jcs(changed), jcs({**value, "id": "other"}), jcs(old.original(ISSUER)), b"", b"{", b"x" * (1 << 20)):
        page = bring(house, clerk, data)
        assert page.status_code == 422 and "weid import" in page.text
        assert 'name="once"' not in page.text


def test_the_marks_of_the_file_are_not_used(house: House, clerk: Person) -> None:
    """Whoever clears the marks in the file changes nothing: the desk finds the ambiguous values itself."""
    value = json.loads(asked(house))
    for item in value["confirm"]:
        item["ambiguous"] = False
    assert "the old signature would also fit another value" in bring(house, clerk, jcs(value)).text


def test_a_forged_original_is_not_issued_again(house: House, clerk: Person) -> None:
    """The request may say that it was authentic; the desk checks the original itself."""
    good = old.original(ISSUER)
    forged = {**good, "claim": {**good["claim"], "name": "Eve"}}
    request = json.loads(asked(house))
    from credentials.reissue import _copied, _values
    from credentials.weidentity import read_weidentity

    original = jcs(forged)
    credential = read_weidentity(original)
    assert credential is not None
    request |= _copied(original, credential)
    request["confirm"] = [{**item, "ambiguous": False} for item in _values(credential)]
    page = bring(house, clerk, jcs(request))
    assert page.status_code == 422 and "not proven to be genuine" in page.text


def test_only_clerks(house: House) -> None:
    """The page is the clerk's; a reviewer is told so, a stranger signs in first."""
    app = house.app()
    assert Person(app).get(PAGE).status_code == 302
    assert Person(app, "lin").get(PAGE).status_code == 403


def test_the_original_is_kept_byte_for_byte_until_the_certificate_is_erased(house: House, clerk: Person) -> None:
    """R30: a re-issue keeps the original bytes; erasing takes them along (R25)."""
    value = old.original(ISSUER)
    original = jcs(value)
    issue(house, clerk, bring(house, clerk, asked(house, value)), confirmed="yes")
    row = house.desk.find("", 5)[0]
    place = f"/desk/certificates/{row.id}"
    assert f"{place}/original" in clerk.get(place).text
    assert clerk.get(f"{place}/original").data == original
    house.desk.erase(row.id)
    assert clerk.get(f"{place}/original").status_code == 404
    assert house.desk.original(row.id) is None
    assert original not in b"".join(path.read_bytes() for path in sorted(house.desk.party.folder.rglob("*")) if path.is_file())


def test_an_original_that_led_to_nothing_is_not_kept_for_long(house: House, clerk: Person) -> None:
    bring(house, clerk, asked(house))
    ledger = house.desk._ledger
    assert ledger.store.row("SELECT count(*) AS n FROM originals") == {"n": 1}
    ledger.keep_original("another", b"x", house.now + 31 * 1_440)
    assert ledger.store.row("SELECT count(*) AS n FROM originals") == {"n": 1}


def on_disk(house: House, data: bytes) -> bool:
    return any(data in path.read_bytes() for path in sorted(house.desk.party.folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("how", ["publish", "open"])
def test_an_unused_original_goes_when_the_desk_publishes_or_opens(house: House, clerk: Person, how: str) -> None:
    """It does not wait for the next upload, and its bytes leave the disk, the write-ahead log too (R25)."""
    value = old.original(ISSUER)
    original = jcs(value)
    bring(house, clerk, asked(house, value))
    folder, later = house.desk.party.folder, house.now + 30 * 1_440
    house.desk.publish(later)
    assert on_disk(house, original)  # a month is a month
    if how == "publish":
        house.desk.publish(later + 1)
    else:
        Desk.open(folder, client=house.client, passphrase=PASSPHRASE, at=later + 1).close()
    assert not on_disk(house, original)


def test_an_original_with_its_certificate_stays(house: House, clerk: Person) -> None:
    value = old.original(ISSUER)
    issue(house, clerk, bring(house, clerk, asked(house, value)), confirmed="yes")
    house.desk.publish(house.now + 90 * 1_440)
    assert house.desk.original(house.desk.find("", 5)[0].id) == jcs(value)


def test_an_erased_original_is_not_kept_again(house: House, clerk: Person) -> None:
    """Brought again after the erasure, or issued again, nothing of it is stored (R25)."""
    value = old.original(ISSUER)
    original = jcs(value)
    issue(house, clerk, bring(house, clerk, asked(house, value)), confirmed="yes")
    assert on_disk(house, original)
    house.desk.erase(house.desk.find("", 5)[0].id)
    page = bring(house, clerk, asked(house, value))
    assert (page.status_code, on_disk(house, original)) == (200, False)
    assert issue(house, clerk, page, confirmed="yes").status_code == 302
    house.desk.erase(next(row for row in house.desk.find("", 5) if not row.erased).id)
    bring(house, clerk, asked(house, value))
    assert not on_disk(house, original)


def test_nothing_is_kept_where_nothing_may_be_issued(house: House, clerk: Person) -> None:
    """Without the right there is no form, and no copy of the old certificate."""
    value = old.original(ISSUER)
    form = {"kind": house.training.hex(), "request": (BytesIO(asked(house, value)), "request.json")}
    page = clerk.post(PAGE, form)
    assert page.status_code == 403 and 'name="once"' not in page.text
    assert not on_disk(house, jcs(value))
