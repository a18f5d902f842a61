"""The editor over HTTP: from an example to a published version and a first certificate; what it refuses, and in which words."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from typing import Any

from issuer_app.design.drafts import Drafts
from issuer_app.design.parcel import unpacked
from issuer_app.design.unmaking import plan_of
from issuer_app.documents import read_document
from issuer_app.papers.look import look_of
from issuer_app.papers.svg import read_svg
from tests.issuer_app.design.conftest import Studio
from tests.issuer_app.house import PACKS, Person
from weid.canon import jcs, parse_json

ID = "11010519491231002X"


def form_of(page: str) -> dict[str, Any]:
    """The hidden inputs of an editor's form."""
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found, page[:400]
    return {"revision": found.group(1)}


def send(person: Person, path: str, form: dict[str, Any], page: str | None = None) -> Any:
    return person.post(path, {**form_of(person.get(page or path).text), **form}, page=page or path)


def begun(anna: Person, like: str = "award", name: str = "club-award") -> str:
    answer = anna.post("/desk/designs/", {"name": name, "like": like})
    assert answer.status_code == 302, answer.text
    return f"/desk/designs/{name}"


def published(studio: Studio, anna: Person, path: str) -> bytes:
    """Through the authority, as a fresh institution has to."""
    answer = anna.post(f"{path}/publish", {}, page=f"{path}/publish")
    assert answer.status_code == 403
    assert "authority has to publish" in answer.text
    document = anna.get(f"{path}/schema.json").data
    assert jcs(parse_json(document)) == document
    digest = studio.committee.publish_schema(document)
    answer = anna.post(f"{path}/publish", {}, page=f"{path}/publish")
    assert answer.status_code == 302, answer.text
    return digest


def test_from_an_empty_desk_to_a_certificate_its_holder_finds(studio: Studio, anna: Person) -> None:
    """The whole afternoon: example, publish through the authority, right, issue, look-up."""
    path = begun(anna)
    assert "Everything is there" in anna.get(f"{path}/").text
    digest = published(studio, anna, path)
    assert "is published" in anna.get("/desk/designs/").text
    studio.office.approve(studio.desk.did, digest, until=studio.now + 525_600)
    number = read_document("cn-id", ID)
    form = {
        "claim-personName": "张伟", "claim-contest": "登山", "claim-prize": "first", "claim-awardedOn": "2026-02-28",
        "find-documentKind": "cn-id", "find-documentNumber": number,
    }  # fmt: skip
    once = re.search(r'name="once" value="([^"]+)"', anna.get(f"/desk/issue/{digest.hex()}").text)
    assert once is not None
    answer = anna.post(f"/desk/issue/{digest.hex()}", {**form, "once": once.group(1)}, page=f"/desk/issue/{digest.hex()}")
    assert answer.status_code == 302, answer.text
    row = studio.desk.find("张伟")[0]
    assert studio.verify(row.compact).verdict == "valid-bearer"
    rule = "club-award-document"
    asked = {"find-documentKind": "cn-id", "find-documentNumber": number, "find-name": "张伟"}
    holder = Person(studio.app())
    for name, there in (("张伟", True), ("李雷", False)):
        answer = holder.post(f"/find/{rule}/0", {**asked, "find-name": name})
        assert ("First prize" in holder.get(answer.headers["Location"]).text) is there


def test_an_approved_institution_publishes_itself_and_versions_never_change(studio: Studio, anna: Person) -> None:
    """The second kind needs no authority; a new version copies, has the next number and another digest."""
    studio.desk.change_terms(replace(studio.desk.terms, two_people=frozenset({"revoke"})))
    path = begun(anna)
    seal = (PACKS / "certificate-authority" / "images" / "seal.svg").read_bytes()
    send(anna, f"{path}/page", {"large": "personName", "seal": (io.BytesIO(seal), "seal.svg")})
    first_kind = published(studio, anna, path)
    studio.office.approve(studio.desk.did, first_kind, until=studio.now + 525_600)
    path = begun(anna, "membership", "club-member")
    assert anna.post(f"{path}/publish", {}, page=f"{path}/publish").status_code == 302
    drafts = Drafts(studio.desk.party.folder)
    first = drafts.version("club-member", 1)
    assert anna.post("/desk/designs/club-member/versions/1/again", {}, page="/desk/designs/").status_code == 302
    send(anna, f"{path}/basics", {"title.en": "Member", "title.pt": "Membro", "title.zh-Hans": "会员", "title.zh-Hant": "會員",
                                  "days": "30", "bind": "none"})  # fmt: skip
    assert anna.post(f"{path}/publish", {}, page=f"{path}/publish").status_code == 302
    second = drafts.version("club-member", 2)
    assert drafts.version("club-member", 1) == first
    assert first.digest != second.digest
    assert anna.get("/desk/designs/club-member/versions/1/pack.zip").data == first.pack
    plan, _ = plan_of(unpacked(second.pack))
    assert (plan.version, plan.days) == (2, 30)
    assert studio.desk.terms.two_people == {"revoke"}  # a design says nothing of the desk's other rules, and changes none
    assert studio.desk.terms.valid == {"club-award": 7300 * 1440, "club-member": 30 * 1440}
    drafts.close()
    drawn = read_svg(seal, template=False).art
    assert look_of(studio.desk.party.folder, studio.desk.schema(first_kind, studio.now)).seal == drawn
    assert look_of(studio.desk.party.folder, studio.desk.schema(second.digest, studio.now)).seal is None


def test_a_field_is_added_with_a_suggestion_that_has_to_be_read(anna: Person) -> None:
    """The other script is filled in and marked; until it is saved once more the design is not complete."""
    path = begun(anna)
    form = {"label.en": "Mileage", "label.pt": "Milhas", "label.zh-Hans": "里程数", "type": "number", "least": "1",
            "class": "disclosable"}  # fmt: skip
    page = anna.follow(send(anna, f"{path}/fields/", form))
    assert "里程數" in page.text
    assert "only suggested" in page.text
    assert "only suggested" in anna.get(f"{path}/").text
    answer = send(anna, f"{path}/fields/mileage", {**form, "label.zh-Hant": "里程數"})
    assert answer.headers["Location"].endswith(f"{path}/")
    assert "Everything is there" in anna.get(f"{path}/").text


def test_fields_move_and_go_and_what_named_them_goes_too(studio: Studio, anna: Person) -> None:
    """Without a script: three buttons. Taking out the name leaves the look-up asking for it, in words."""
    path = begun(anna)
    send(anna, f"{path}/fields/contest/up", {}, page=f"{path}/")
    drafts = Drafts(studio.desk.party.folder)
    assert [field.name for field in drafts.get("club-award").plan.fields][:2] == ["contest", "personName"]
    send(anna, f"{path}/fields/personName/remove", {}, page=f"{path}/")
    plan = drafts.get("club-award").plan
    drafts.close()
    assert plan.field("personName") is None
    assert plan.page.large == ()
    assert "Choose the text field that holds" in anna.get(f"{path}/").text


def test_a_preview_shows_what_was_typed_and_keeps_nothing(anna: Person) -> None:
    """The size of the code grows with what a field may hold; past a code's room it says so in words."""
    path = begun(anna)
    form = {"label.en": "Contest", "label.pt": "Concurso", "label.zh-Hans": "竞赛", "label.zh-Hant": "競賽", "type": "text",
            "class": "public", "required": "yes", "preview": "yes"}  # fmt: skip
    sizes = [
        int(re.findall(r"With these values the printed code is (\d+) mm", send(anna, f"{path}/fields/contest", {
            **form, "most": "60", "sample": sample}).text)[0]) for sample in ("A", "\u9f98" * 60)
    ]  # fmt: skip
    assert 20 < sizes[0] < sizes[1] < 60
    assert "would be refused when it is issued" in send(anna, f"{path}/fields/contest", {**form, "most": "300"}).text
    assert "would be refused" not in anna.get(f"{path}/").text


def test_two_people_do_not_overwrite_each_other(anna: Person) -> None:
    path = begun(anna)
    old = form_of(anna.get(f"{path}/basics").text)
    title = {"title.en": "A", "title.pt": "B", "title.zh-Hans": "甲", "title.zh-Hant": "甲", "days": "9", "bind": "none"}
    assert anna.post(f"{path}/basics", {**old, **title}).status_code == 302
    answer = anna.post(f"{path}/basics", {**old, **title, "days": "8"})
    assert answer.status_code == 409
    assert "Somebody changed this design" in answer.text


def test_only_the_administrator_designs(studio: Studio) -> None:
    """A clerk or reviewer reads why not; nobody is sent to the sign-in; without a token nothing happens."""
    app = studio.app()
    for name in ("chen", "lin", None):
        assert Person(app, name).get("/desk/designs/").status_code == (302 if name is None else 403)
    assert Person(app, "boss").http.post("/desk/designs/", data={"name": "x", "like": "award"}).status_code == 400


def bring(anna: Person, data: bytes) -> Any:
    return anna.post("/desk/designs/bring", {"pack": (io.BytesIO(data), "pack.zip")}, page="/desk/designs/")


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


def test_a_design_goes_out_and_comes_in_the_same(anna: Person) -> None:
    """Export, throw away, import: byte for byte the same pack, pictures too."""
    path = begun(anna, "licence", "guide-licence")
    seal = (PACKS / "certificate-authority" / "images" / "seal.svg").read_bytes()
    answer = send(anna, f"{path}/page", {"large": "personName", "accent": "#204060", "seal": (io.BytesIO(seal), "seal.svg")})
    assert answer.status_code == 302, answer.text
    out = anna.get(f"{path}/pack.zip").data
    assert unpacked(out)["images/guide-licence-seal.svg"] == seal
    send(anna, f"{path}/discard", {}, page=f"{path}/")
    assert bring(anna, out).status_code == 302
    assert anna.get(f"{path}/pack.zip").data == out


def test_a_bad_parcel_is_refused_and_nothing_is_kept(studio: Studio, anna: Person) -> None:
    """Nothing, half a ZIP, names outside the folder, bombs, too many files, Python, and packs the pages cannot show."""
    other = PACKS / "certificate-authority"
    two_kinds = {path.relative_to(other).as_posix(): path.read_bytes() for path in other.rglob("*") if path.is_file()}
    for data in (
        b"", b"PK\x05\x06", zipped({"a/pack.json": b"{}", "b": b""}), zipped({"../pack.json": b"{}"}),
        zipped({"pack.json": b"0" * (5 << 20)}), zipped({f"f{number}": b"" for number in range(500)}),
        zipped({"pack.json": b'{"id":"a","version":1,"title":{}}', "x.py": b""}), zipped(two_kinds),
    ):  # fmt: skip
        assert bring(anna, data).status_code in (413, 422)
    drafts = Drafts(studio.desk.party.folder)
    assert drafts.all() == ()
    drafts.close()


def test_a_picture_with_a_script_or_of_another_kind_is_refused(anna: Person) -> None:
    """In words at the form; the design keeps what it had."""
    path = begun(anna)
    for data, words in (
        (
            b'<svg xmlns="http://www.w3.org/2000/svg">\n<script>1</script></svg>',
            "Line 2: the element &lt;script&gt; is not allowed",
        ),
        (b"GIF89a" + bytes(40), "The picture cannot be used"),
        (b"\x89PNG" + bytes(9), "The picture cannot be used"),
    ):
        answer = send(anna, f"{path}/page", {"large": "personName", "logo": (io.BytesIO(data), "logo")})
        assert answer.status_code == 422
        assert words in answer.text
    assert not [name for name in unpacked(anna.get(f"{path}/pack.zip").data) if name.startswith("images/")]
