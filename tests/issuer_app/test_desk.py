"""Desk and Office over a real registry: rights, issue, status, crashes, key rotation."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from credentials import issue as issuing
from credentials import picture
from credentials.binding import Binding
from credentials.schema import read_schema
from credentials.typed import find_typed, read_code
from issuer_app import selfcheck
from issuer_app.desk import Desk
from issuer_app.ledger import Outgoing
from issuer_app.office import Office
from registry import operations as ops
from tests.issuer_app.house import PASSPHRASE, House
from tests.registry.world import YEAR
from weid.errors import IssueError, KeyMaterialError, RegistryError, RejectedError, SchemaError
from weid.hashes import SHA256
from weid.keys import LocalSigner
from weid.records import StatusEntries
from weid.suites import suite

CLAIMS = {"holderName": "王小明", "certificateNumber": "202611230001", "skill": "区块链应用操作员",
          "awardDate": "2026-11-20", "level": "3"}  # fmt: skip


def issue(house: House, number: int = 1, **more: object) -> object:
    claims = {**CLAIMS, "certificateNumber": f"{number:012}"}
    return house.desk.issue(house.skill, claims, at=house.now, random=house.world.random, **more)  # type: ignore[arg-type]


def test_an_applicant_cannot_issue(house: House) -> None:
    """Applied is not approved: the desk refuses, and the same operation posted straight to the node is rejected."""
    with pytest.raises(IssueError) as caught:
        issue(house)
    assert caught.value.code == "not-accredited"
    assert house.desk.find("") == ()


def test_an_issued_certificate_verifies_and_its_revocation_shows(house: House) -> None:
    """Issue, verify from the exported bundle; suspend, lift, revoke: each new bundle says so, with the reason."""
    house.accredit()
    row = issue(house)
    assert row.published and row.code is not None
    drawn = selfcheck.draw(row, "v.example")
    assert picture.read(picture.png(drawn)) == (drawn.text,)
    assert house.verify(drawn.text.encode()).verdict == "valid-bearer"
    assert house.verify(row.file).verdict == "valid-bearer"
    house.world.tick()
    house.desk.suspend(row.id, "error-in-data", house.now)
    assert house.verify(row.file).verdict == "suspended"
    house.desk.lift(row.id, house.now)
    assert house.verify(row.file).verdict == "valid-bearer"
    house.desk.suspend(row.id, "error-in-data", house.now)
    revoked = house.desk.revoke(row.id, "fraud", house.now)
    assert (revoked.state, revoked.reason) == ("revoked", "fraud")
    report = house.verify(drawn.text.encode())
    assert report.verdict == "revoked"
    assert report.check("status").evidence["reason"] == "fraud"
    with pytest.raises(IssueError, match="final"):
        house.desk.lift(row.id, house.now)
    assert house.desk.revoke(row.id, "fraud", house.now).state == "revoked"


def test_not_accredited_is_refused_everywhere(house: House) -> None:
    """S09 4: the desk refuses schema Y, the node rejects it, and a credential signed anyway fails accreditation."""
    house.accredit()
    with pytest.raises(IssueError) as caught:
        house.desk.issue(house.training, {}, at=house.now, random=house.world.random)
    assert caught.value.code == "not-accredited"
    author = house.desk.party.author()
    made = ops.status_publish(
        author, None, number=9, seq=1, schemas=[house.training], changed=StatusEntries(), digest=bytes(32), register_root=bytes(32),
        register_size=0, this_update=house.now, next_update=house.now + 60,
    )  # fmt: skip
    assert house.client.submit(made.data).code == "not-accredited"
    document = house.desk.schema(house.training, house.now).document
    signed = issuing.issue(
        read_schema(document, house.training), {"holderName": "A", "course": "B", "awardDate": "2026-11-20"},
        issuer=house.desk.party.signer("assert"), issued=house.now, valid_until=house.now + 60,
        registry=issuing.Registry(house.world.origin, house.world.pin), random=house.world.random,
        slot=issuing.Slot(9, 7),
    )  # fmt: skip
    report = house.verify(signed.file)
    assert report.check("issuer.accreditation").outcome == "FAILED"


def test_nobody_approves_themselves(house: House) -> None:
    """S09: an institution with a reviewer's role still does not decide about itself; without it, not about anybody."""
    own = Office(house.desk.party)
    with pytest.raises(RejectedError) as caught:
        own.approve(house.desk.did, house.skill, until=house.now + YEAR)
    assert caught.value.code == "wrong-role"
    house.committee.grant_role(house.desk.did, "reviewer", until=house.now + YEAR)
    with pytest.raises(RejectedError) as caught:
        own.approve(house.desk.did, house.skill, until=house.now + YEAR)
    assert caught.value.code == "self-approval"


def test_an_auditor_revokes_beside_the_list_and_nobody_else_does(house: House) -> None:
    """The override counts although the issuer's list is clean; a reviewer's override is refused."""
    house.accredit()
    row = issue(house)
    list_id = f"{house.desk.did}/status/{row.list_number}"
    with pytest.raises(RejectedError) as caught:
        house.office.override(list_id, row.index, "revoked", "fraud", house.now)
    assert caught.value.code == "wrong-role"
    house.audit.override(list_id, row.index, "revoked", "fraud", house.now)
    assert house.audit.standing_of(list_id, row.index, house.now).state == "revoked"
    assert house.verify(row.file).verdict == "revoked"
    assert [item.record.reason for item in house.audit.overrides(house.now)] == ["fraud"]


def test_removal_keeps_earlier_certificates_and_stops_later_ones(house: House) -> None:
    """S09 6: what was issued while authorised stays; nothing can be issued afterwards."""
    house.accredit()
    row = issue(house)
    house.world.tick()
    house.office.remove(house.desk.did, "privilege-withdrawn")
    assert house.desk.accreditations(house.now)[0].state == "removed"
    with pytest.raises(IssueError):
        issue(house, 2)
    assert house.verify(row.file).verdict == "valid-bearer"


def test_typed_fields_lead_to_the_place_only_with_the_printed_code(house: House) -> None:
    """R25: fields and code find the certificate; one character off, or another code, finds nothing."""
    house.accredit()
    row = issue(house)
    facts, schema = house.desk.facts(house.now), house.desk.schema(house.skill, house.now)
    names, code = house.desk.terms.typed["skill-certificate"], read_code(row.code or "")
    match = find_typed(facts, schema, row.claims, names, code)
    assert match is not None
    assert (match.issuer, match.index) == (house.desk.did, row.index)
    assert find_typed(facts, schema, {**row.claims, "holderName": "王小朋"}, names, code) is None
    assert find_typed(facts, schema, row.claims, names, bytes(10)) is None


def test_the_same_request_gives_the_same_certificate(house: House) -> None:
    """Idempotency is kept with the row, so it survives a restart; other content under the same key is refused."""
    house.accredit()
    first = issue(house, request="k1")
    house.desk.close()
    house.desk = Desk.open(house.folder / "desk", client=house.client, passphrase=PASSPHRASE, random=house.world.random)
    assert issue(house, request="k1").id == first.id
    with pytest.raises(IssueError) as caught:
        issue(house, 2, request="k1")
    assert caught.value.code == "key-reused"


class Cut:
    """A transport that fails at one place, as a network does: before the node hears it, or before its answer arrives."""

    def __init__(self, real: object, at: str, *, after: bool) -> None:
        self.real, self.at, self.after = real, at, after

    def get(self, path: str) -> bytes:
        return self.real.get(path)  # type: ignore[attr-defined]

    def post(self, path: str, data: bytes) -> bytes:
        if path.startswith(self.at):
            if self.after:
                self.real.post(path, data)  # type: ignore[attr-defined]
            raise RegistryError("no answer", code="unreachable")
        return self.real.post(path, data)  # type: ignore[attr-defined]


@pytest.mark.parametrize("at", ["operations", "registers"])
@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_loses_nothing_and_does_nothing_twice(house: House, at: str, after: bool) -> None:
    """The row is stored first; asking again sends the same bytes and ends with one certificate, published once."""
    house.accredit()
    real = house.client._transport
    house.client._transport = Cut(real, at, after=after)
    with pytest.raises(RegistryError) as caught:
        issue(house, request="once")
    assert caught.value.code == "unreachable"
    house.client._transport = real
    assert house.desk.waiting() == 1
    row = issue(house, request="once")
    house.desk.publish(house.now)
    assert row.published and house.desk.waiting() == 0 and len(house.desk.find("")) == 1
    assert house.verify(row.file).verdict == "valid-bearer"


def test_a_refusal_before_a_crash_is_not_taken_for_a_yes(house: House) -> None:
    """Sent again after a crash, a rejected operation is answered with its rejection, never as a duplicate."""
    house.accredit()
    house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    bad = ops.status_publish(
        house.desk.party.author(), None, number=1, seq=9, schemas=[house.skill], changed=StatusEntries(), digest=bytes(32),
        register_root=bytes(32), register_size=1, this_update=house.now, next_update=house.now + 5,
    )  # fmt: skip
    assert not house.client.submit(bad.data).applied
    house.desk._ledger.send(Outgoing(1, bad.id, bad.data, 9, 1, {}, house.now))
    with pytest.raises(RejectedError) as caught:
        house.desk.publish(house.now)
    assert caught.value.code == "stale-prev"
    house.desk.publish(house.now)
    assert house.desk.waiting() == 0


def test_a_refused_change_does_not_stay_here_as_if_it_were_so(house: House) -> None:
    """A removed issuer cannot publish: its desk does not claim a revocation nobody can see."""
    house.accredit()
    row = issue(house)
    house.world.tick()
    house.office.remove(house.desk.did, "fraud")
    with pytest.raises(RejectedError) as caught:
        house.desk.revoke(row.id, "fraud", house.now)
    assert caught.value.code == "not-accredited"
    assert house.desk.get(row.id).state == "valid"


def test_two_clerks_at_the_same_moment_take_two_places(house: House) -> None:
    """Eight threads over two openings of one desk: a place each, in one register, and one request key issues once."""
    house.accredit()
    second = Desk.open(house.folder / "desk", client=house.client, passphrase=PASSPHRASE)

    def issue(number: int) -> tuple[str, int | None]:
        desk, key = (house.desk, second)[number % 2], "same" if number >= 6 else None
        row = desk.issue(house.skill, CLAIMS, at=house.now, random=secrets.token_bytes, request=key)
        return row.id, row.index

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(issue, range(8)))
    second.close()
    assert made[6] == made[7]
    assert len(set(made)) == len({index for _, index in made}) == 7
    assert house.desk.waiting() == 0
    assert {house.verify(house.desk.get(id_).file).verdict for id_, _ in made} == {"valid-bearer"}


def test_a_batch_is_published_at_once(house: House) -> None:
    """`publish=False` rows wait; one publication tells the registry of them all, and revocations among them."""
    house.accredit()
    rows = [issue(house, number, publish=False) for number in range(20)]
    assert house.desk.waiting() == 20
    house.desk.publish(house.now)
    assert house.desk.waiting() == 0
    assert house.verify(rows[7].file).verdict == "valid-bearer"
    assert len({row.index for row in rows}) == 20


def test_what_is_asked_of_a_bound_certificate(house: House) -> None:
    """A schema bound to a key wants the holder's request, of that kind, and of nobody else's making."""
    house.desk.apply([house.bound], house.now)
    house.accredit(house.bound)
    claims = {"status": "GREEN", "tested": "2026-11-23T08:00:00Z", "nameMasked": "陈**"}

    def ask(bind: object) -> object:
        return house.desk.issue(house.bound, claims, bind=bind, at=house.now, random=house.world.random)  # type: ignore[arg-type]

    for bind, code in ((None, "bind-missing"), (Binding.to_chain(bytes(24), 60, SHA256), "bind-mismatch"),
                       ("{}", "bad-binding"), ("[", "malformed")):  # fmt: skip
        with pytest.raises((IssueError, ValueError)) as caught:
            ask(bind)
        assert caught.value.code == code
    secret = suite("ed25519").generate(house.world.random)
    holder = LocalSigner(secret, "ed25519", "did:key:x#1", "present").public_key
    row = ask(Binding.to_key(holder).to_bytes().decode())
    assert house.verify(row.compact).verdict == "not-bound"


def test_keys_rotate_and_the_old_certificates_stay(house: House) -> None:
    """After rotation new certificates carry the new key, old ones verify; a compromised key fails what it signs later."""
    house.accredit()
    row = issue(house)
    house.world.tick()
    assert house.desk.rotate("assert", house.now) == 4
    second = issue(house, 2)
    assert house.verify(row.file).verdict == "valid-bearer"
    assert house.verify(second.file).verdict == "valid-bearer"
    house.desk.close()
    house.desk = Desk.open(house.folder / "desk", client=house.client, passphrase=PASSPHRASE, random=house.world.random)
    assert house.verify(issue(house, 3).file).verdict == "valid-bearer"
    assert house.desk.rotate("log-op", house.now) == 5
    assert issue(house, 4).published
    house.desk.compromise(2, house.now - 5, house.now)
    with pytest.raises(RejectedError):
        house.desk.compromise(2, house.now, house.now)


def test_keys_are_sealed_and_the_folder_is_private(house: House) -> None:
    """No file but the owner's; a wrong passphrase opens nothing."""
    for path in (house.folder / "desk").rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((house.folder / "desk" / "issued.db").stat().st_mode) == 0o600
    with pytest.raises(KeyMaterialError):
        Desk.open(house.folder / "desk", client=house.client, passphrase="wrong")


def test_erasing_leaves_no_personal_byte(house: House) -> None:
    """After `erase` the name is in no file of the folder, nor the printed code; the place in the register stays."""
    house.accredit()
    row = issue(house)
    house.desk.erase(row.id)
    held = b"".join(path.read_bytes() for path in (house.folder / "desk").glob("issued.db*"))
    assert "王小明".encode() not in held
    assert (row.code or "?").encode() not in held
    assert house.desk.get(row.id).erased
    house.desk.revoke(row.id, "holder-request", house.now)
    assert house.verify(row.file).verdict == "revoked"


def test_find_by_name_number_and_id(house: House) -> None:
    """Every word must be somewhere; LIKE wildcards are only letters."""
    house.accredit()
    row = issue(house, 77)
    issue(house, 78)
    assert house.desk.find("王小明 077") == (house.desk.get(row.id),)
    assert [found.id for found in house.desk.find(row.id[:12].upper())] == [row.id]
    assert house.desk.find("%") == ()
    assert len(house.desk.find("王小明")) == 2


def test_claims_that_do_not_fit_are_named(house: House) -> None:
    """The schema refuses; the desk stores nothing."""
    house.accredit()
    with pytest.raises(SchemaError, match="certificateNumber"):
        house.desk.issue(house.skill, {**CLAIMS, "certificateNumber": "12"}, at=house.now, random=house.world.random)
    assert house.desk.find("") == ()


@pytest.mark.parametrize("profile", ["gm"])
def test_the_gm_profile_works_the_same(tmp_path: object, profile: str) -> None:
    """SM2 keys, SM3 trees, SM4 key files: the same desk."""
    house = House(tmp_path, profile=profile)  # type: ignore[arg-type]
    try:
        house.accredit()
        row = issue(house)
        assert house.verify(row.file).verdict == "valid-bearer"
        assert find_typed(
            house.desk.facts(house.now), house.desk.schema(house.skill, house.now), row.claims,
            house.desk.terms.typed["skill-certificate"], read_code(row.code or ""),
        ) is not None  # fmt: skip
    finally:
        house.close()
