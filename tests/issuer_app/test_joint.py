"""Several institutions issue one certificate: each sees what it signs, and a stranger's phone counts them, offline."""

from __future__ import annotations

import html
import json
import re
import secrets
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from credentials import picture
from credentials.joint import COSIGNED, cosign_fingerprint
from credentials.policy import Policy
from credentials.verify import verify
from issuer_app import selfcheck
from issuer_app.app import create_app
from issuer_app.desk import Desk, Terms
from issuer_app.lifecycle import joint, joint_many
from registry.bundle import open_bundle
from tests.issuer_app.house import COST, PASSPHRASE, House, Person
from tests.issuer_app.test_desk import CLAIMS
from tests.registry.world import YEAR
from weid.canon import jcs
from weid.errors import IssueError, MalformedError, RejectedError
from weid.hashes import SHA256


def joint_schema(house: House, **asked: Any) -> bytes:
    """A joint kind of certificate, published; its digest."""
    value = json.loads(house.pack.files["schemas/skill-certificate.json"])
    value["x-weid"] |= {"joint": {"signers": [], "threshold": 3, "ordered": False} | asked, "width": 32}
    value["x-weid"]["version"] += secrets.randbelow(1_000_000)
    return house.committee.publish_schema(jcs(value))


def accredit(house: House, *schemas: bytes) -> None:
    """Our own desk asks for these kinds too, and may issue them."""
    house.desk.apply([house.skill, *schemas], house.now)
    house.accredit(*schemas)


def other(house: House, name: str, schema: bytes | None = None) -> Desk:
    """Another institution with a desk of its own."""
    desk = Desk.create(
        house.folder / name, client=house.client, suite=house.world.suite, names=house._names("academy"), passphrase=PASSPHRASE,
        at=house.now, random=house.world.random, wants=[] if schema is None else [schema], terms=Terms.of_pack(house.pack),
        cost=COST["gm" if house.world.suite == "sm2" else "intl"],
    )  # fmt: skip
    if schema is not None:
        house.office.approve(desk.did, schema, until=house.now + YEAR)
    return desk


def sign(house: House, desk: Desk, data: bytes) -> joint.Asked:
    asked = joint.read_asked(desk, data, house.moment)
    joint.cosign(desk, asked)
    return asked


def code(house: House, data: bytes) -> str:
    return house.verify(data).check("issuer.joint").code


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_three_of_three(tmp_path: Any, profile: str) -> None:
    """One signature is no joint certificate; with all three words it is valid, as file and as code; one taken back fails it."""
    house = House(tmp_path / "house", profile=profile)
    schema = joint_schema(house)
    accredit(house, schema)
    b, c = other(house, "b", schema), other(house, "c", schema)
    row = house.desk.issue(schema, CLAIMS, at=house.now, random=house.world.random)
    house.world.tick()
    assert (code(house, row.file), house.verify(row.file).verdict) == ("not-cosigned", "issuer-not-authorised")
    asked = sign(house, b, row.file)
    assert asked.presented.claims == CLAIMS and asked.joint.threshold == 3
    sign(house, b, row.file)  # again is no change
    standing = joint.standing(house.desk, row, house.now)
    assert standing is not None and (standing.signed, standing.needed) == (2, 3)
    assert code(house, row.file) == "not-cosigned"
    sign(house, c, row.file)
    for data in (row.file, row.compact):
        report = house.verify(data)
        assert report.verdict == "valid-bearer" and report.check("issuer.joint").evidence["signed"] == 3
    joint.take_back(c, joint.read_asked(c, row.file, house.moment))
    assert code(house, row.file) == "cosignature-withdrawn"
    with pytest.raises(IssueError) as caught:
        sign(house, c, row.file)
    assert caught.value.code == "word-taken"
    for desk in (b, c):
        desk.close()
    house.close()


def test_two_of_three_are_enough_where_the_schema_says_so(house: House) -> None:
    """k of n: the issuer and one other."""
    schema = joint_schema(house, threshold=2)
    accredit(house, schema)
    b = other(house, "b", schema)
    row = house.desk.issue(schema, CLAIMS, at=house.now, random=house.world.random)
    sign(house, b, row.file)
    assert house.verify(row.file).verdict == "valid-bearer"
    b.close()


def test_a_whole_batch_is_signed_in_one_go(house: House) -> None:
    """The archive of an import goes over, one file of words comes back; again is no change; what cannot be signed is named."""
    schema = joint_schema(house, threshold=2)
    accredit(house, schema)
    b = other(house, "b", schema)
    rows = [
        house.desk.issue(schema, {**CLAIMS, "certificateNumber": f"{at:012}"}, at=house.now, random=house.world.random)
        for at in range(3)
    ]
    house.desk.revoke(rows[2].id, "fraud", house.now)
    house.accredit()
    alone = house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for at, data in enumerate((*(row.file for row in rows), alone.file, b"{}")):
            out.writestr(f"{at}/certificate.json", data)
            out.writestr(f"{at}/code.png", b"no matter")
    read = joint_many.read_all(b, joint_many.certificates_in(packed.getvalue()), house.moment)
    assert [name for name, _ in read.asked] == ["0/certificate.json", "1/certificate.json"]
    assert dict(read.refused) == {
        "2/certificate.json": "not-in-order", "3/certificate.json": "not-joint", "4/certificate.json": "not-a-credential",
    }  # fmt: skip
    assert code(house, rows[0].file) != "cosigned"
    for _ in range(2):
        done = joint_many.cosign_all(b, read)
        words = json.loads(joint_many.words_file(b, done))
        assert [word["id"] for word in words["signed"]] == [rows[0].id, rows[1].id] and len(words["refused"]) == 3
        read = joint_many.read_all(b, joint_many.certificates_in(packed.getvalue()), house.moment)
    assert [house.verify(row.file).verdict for row in rows[:2]] == ["valid-bearer"] * 2
    for wrong in (b"", b"PK\x03\x04", packed.getvalue()[:-30]):
        with pytest.raises(MalformedError) as caught:
            list(joint_many.certificates_in(wrong))
        assert caught.value.code == "not-an-archive"
    b.close()


def test_the_order_is_kept(house: House) -> None:
    """Ordered: who is named later is refused before its turn; a word put on the log out of turn shows."""
    first = other(house, "b")
    schema = joint_schema(house, signers=[house.desk.did, first.did, "did:weid:20200:0x" + "1" * 40], threshold=2)
    last = other(house, "c")
    ordered = joint_schema(house, signers=[house.desk.did, first.did, last.did], ordered=True)
    for desk in (first, last):
        desk.apply([ordered, schema], house.now)
        house.office.approve(desk.did, ordered, until=house.now + YEAR)
        house.office.approve(desk.did, schema, until=house.now + YEAR)
    accredit(house, ordered, schema)
    row = house.desk.issue(ordered, CLAIMS, at=house.now, random=house.world.random)
    with pytest.raises(IssueError) as caught:
        sign(house, last, row.file)
    assert caught.value.code == "not-in-order"
    mark = cosign_fingerprint(bytes.fromhex(row.id), origin=house.world.genesis.origin, signer=last.did, hash=SHA256)
    last.anchor(mark, COSIGNED)
    house.world.tick(2)
    sign(house, first, row.file)
    assert code(house, row.file) == "cosigned-out-of-order"
    good = house.desk.issue(ordered, {**CLAIMS, "level": "1"}, at=house.now, random=house.world.random)
    sign(house, first, good.file)
    house.world.tick(1)
    sign(house, last, good.file)
    assert house.verify(good.file).verdict == "valid-bearer"
    # in a kind that names others, nobody else's word counts and nobody else is asked
    named = house.desk.issue(schema, {**CLAIMS, "level": "2"}, at=house.now, random=house.world.random)
    with pytest.raises(IssueError) as caught:
        sign(house, last, named.file)
    assert caught.value.code == "not-a-signer"
    for desk in (first, last):
        desk.close()


def test_who_may_not_sign_does_not_count(house: House) -> None:
    """Without the right for the schema, by a stranger's word for another, altered, revoked, or one's own: refused or not counted."""
    schema = joint_schema(house, threshold=2)
    accredit(house, schema)
    right, wrong = other(house, "b", schema), other(house, "c")
    row = house.desk.issue(schema, CLAIMS, at=house.now, random=house.world.random)
    house.world.tick()
    for desk, data, expected in (
        (wrong, row.file, "not-accredited"), (house.desk, row.file, "own-certificate"),
        (right, row.file.replace("王小明".encode(), "王大明".encode()), "not-a-credential"), (right, b"nothing", "not-a-credential"),
    ):  # fmt: skip
        with pytest.raises((IssueError, MalformedError)) as caught:
            sign(house, desk, data)
        assert caught.value.code == expected
    for author in (wrong, right):  # the stranger in its own name, and in another's place
        mark = cosign_fingerprint(bytes.fromhex(row.id), origin=house.world.genesis.origin, signer=author.did, hash=SHA256)
        wrong.anchor(mark, COSIGNED)
    assert code(house, row.file) == "not-cosigned"
    with pytest.raises(IssueError) as caught:  # its place was taken by somebody who had the certificate: said, not hidden
        sign(house, right, row.file)
    assert caught.value.code == "word-taken"
    gone = house.desk.issue(schema, {**CLAIMS, "level": "1"}, at=house.now, random=house.world.random)
    house.desk.revoke(gone.id, "fraud", house.now)
    with pytest.raises(IssueError) as caught:
        sign(house, right, gone.file)
    assert caught.value.code == "not-in-order"
    plain = house.skill
    house.accredit(plain)
    alone = house.desk.issue(plain, CLAIMS, at=house.now, random=house.world.random)
    with pytest.raises(IssueError) as caught:
        sign(house, right, alone.file)
    assert caught.value.code == "not-joint"
    fresh = house.desk.issue(schema, {**CLAIMS, "level": "2"}, at=house.now, random=house.world.random)
    asked = joint.read_asked(right, fresh.file, house.moment)
    with pytest.raises(RejectedError):
        joint.take_back(right, asked)
    for desk in (right, wrong):
        desk.close()


def test_a_word_that_comes_after_the_trust_data_is_unknown(house: House) -> None:
    """What was issued after our trust data were made may be signed by now: no answer is better than a wrong one."""
    schema = joint_schema(house, threshold=2)
    accredit(house, schema)
    bundle = house.world.commit()
    row = house.desk.issue(schema, CLAIMS, at=house.now, random=house.world.random, publish=False)
    facts = open_bundle(bundle, pin=house.world.pin, at=house.now)
    report = verify(row.file, facts=facts, policy=Policy(), at=house.moment)
    assert report.check("issuer.joint").code == "cosigning-unknown" and report.exit_code == 3


def test_by_the_pages(house: House) -> None:
    """The other desk's clerk reads what it says, confirms, signs; ours sees how far it is; a picture will do as well."""
    schema = joint_schema(house, threshold=2)
    accredit(house, schema)
    b = other(house, "b", schema)
    row = house.desk.issue(schema, CLAIMS, at=house.now, random=house.world.random)
    own = Person(house.app(), "chen")
    assert "1 of 2" in own.get(f"/desk/certificates/{row.id}").text
    clerk = Person(create_app(replace(house.config(), desk=b)), "chen")
    drawn = picture.png(selfcheck.draw(row, "v.example"))
    for name, data in (("code.png", drawn), ("certificate.json", row.file)):
        asked = clerk.post("/joint/", {"file": (BytesIO(data), name)})
        assert asked.status_code == 200 and "王小明" in asked.text and row.id in asked.text
    held = html.unescape(re.findall(r'name="data" value="([^"]*)"', asked.text)[0])
    assert clerk.post("/joint/sign", {"data": held}, page="/joint/").status_code == 422
    assert house.verify(row.file).verdict != "valid-bearer"
    assert clerk.post("/joint/sign", {"data": held, "sure": "yes"}, page="/joint/").status_code == 302
    assert house.verify(row.file).verdict == "valid-bearer"
    assert "2 of 2" in own.get(f"/desk/certificates/{row.id}").text
    again = clerk.post("/joint/", {"text": held})
    assert 'name="back"' in again.text
    assert clerk.post("/joint/sign", {"data": held, "sure": "yes", "back": "yes"}, page="/joint/").status_code == 302
    assert house.verify(row.file).check("issuer.joint").code == "cosignature-withdrawn"
    for wrong in ({}, {"text": "nothing"}, {"file": (BytesIO(b"\x89PNG"), "x.png")}, {"file": (BytesIO(b"{" * (2 << 20)), "x")}):
        assert clerk.post("/joint/", wrong).status_code in (413, 422)
    assert own.post("/joint/", {"text": held}).status_code == 422  # it is our own
    b.close()
