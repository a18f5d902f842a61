"""The pages: sign-in, roles, tokens, limits, issue to print, suspend and revoke, review, audit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from credentials import picture
from issuer_app import selfcheck
from issuer_app.app import create_app
from tests.issuer_app.house import PASSWORD, SKILL, House, Person
from weid.codec import rfc3339


def skill_form(house: House) -> str:
    return f"/desk/issue/{house.skill.hex()}"


def issued(house: House, clerk: Person, **changes: str) -> str:
    """Issue through the form; the certificate's path."""
    answer = clerk.post(skill_form(house), {**SKILL, "once": "x" + str(changes), **changes})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_sign_in_says_the_same_whatever_was_wrong(house: House) -> None:
    """A wrong name and a wrong password give one answer; a right one opens the page asked for, never another site."""
    app = house.app()
    wrong = [Person(app).post("/sign-in", {"name": name, "password": "x" * 12}) for name in ("chen", "nobody")]
    assert [answer.status_code for answer in wrong] == [401, 401]
    pages = [re.sub(r'value="[^"]+"', "", answer.text) for answer in wrong]
    assert pages[0] == pages[1]
    assert 'value="nobody"' in wrong[1].text  # the name stays, only the password is typed again
    person = Person(app)
    away = person.http.get("/desk/certificates?q=1")
    assert away.headers["Location"] == "/sign-in?next=/desk/certificates?q%3D1"
    for target, goes in (("/desk/certificates?q=1", "/desk/certificates?q=1"), ("//evil.example", "/"),
                         ("https://evil.example/", "/"), ("/\\evil.example", "/")):  # fmt: skip
        form = {"name": "chen", "password": PASSWORD, "next": target}
        token = Person(app)
        answer = token.post("/sign-in", form)
        assert answer.headers["Location"] == goes


def test_guessing_is_slowed_down(house: House) -> None:
    """The rate counts by address and by the name tried; then 429 with a sentence."""
    app = house.app(sign_in="3 per minute")
    person = Person(app)
    codes = [person.post("/sign-in", {"name": "chen", "password": "x"}).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    answer = person.post("/sign-in", {"name": "chen", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text


def test_a_session_ends_on_the_server(house: House) -> None:
    """Signing out kills a copied cookie; an idle session ends; a disabled user is out at once."""
    app = house.app()
    person, thief = Person(app, "chen"), Person(app)
    cookie = person.http.get_cookie("issuer")
    assert cookie is not None
    assert cookie.http_only and cookie.same_site == "Strict"
    thief.http.set_cookie("issuer", cookie.value)
    assert thief.get("/desk/").status_code == 200
    person.post("/sign-out", {}, page="/desk/")
    assert thief.get("/desk/").status_code == 302
    idle = Person(app, "chen")
    house.world.tick(31)
    assert idle.get("/desk/").status_code == 302
    locked, boss = Person(app, "chen"), Person(app, "boss")
    boss.post("/people/users/chen/disabled", {"disabled": "yes"}, page="/people")
    assert locked.get("/desk/").status_code == 302


def test_each_role_opens_its_own_pages_and_reads_why_not_elsewhere(house: House) -> None:
    """403 with a sentence, for reading and for writing."""
    app = house.app()
    own = {"chen": "/desk/", "lin": "/office/", "ho": "/office/audit", "boss": "/people"}
    people = {name: Person(app, name) for name in own}
    for name, person in people.items():
        for other, path in own.items():
            answer = person.get(path)
            assert answer.status_code == (200 if name == other else 403), (name, path)
            if name != other:
                assert "Your role does not allow this" in answer.text
        assert person.get("/").headers["Location"].rstrip("/") == own[name].rstrip("/")
    clerk = people["chen"]
    path = f"/office/institutions/{house.desk.did}/approve"
    assert clerk.post(path, {"schema": house.skill.hex()}, page="/desk/").status_code == 403


def test_a_form_without_its_token_is_refused(house: House) -> None:
    """CSRF: no token, a foreign token: 400, and nothing happens."""
    house.accredit()
    app = house.app()
    clerk, other = Person(app, "chen"), Person(app, "chen")
    assert clerk.http.post(skill_form(house), data=SKILL).status_code == 400
    stolen = other.token(skill_form(house))
    assert clerk.http.post(skill_form(house), data={**SKILL, "csrf_token": stolen}).status_code == 400
    assert Person(app).http.post("/sign-in", data={"name": "chen", "password": PASSWORD}).status_code == 400
    assert house.desk.find("") == ()


def test_every_answer_carries_the_strict_headers(house: House) -> None:
    """No inline script or style, no framing, no referrer, no caching of a person's data."""
    clerk = Person(house.app(), "chen")
    for path in ("/desk/", "/sign-in", "/no-such-page", "/openapi.json"):
        answer = clerk.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", answer.text)


def test_only_the_named_hosts_are_answered(house: House) -> None:
    """A page of another site that resolves to this machine (DNS rebinding) gets 400, not a form."""
    app = house.app()
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    assert app.test_client().get("/sign-in").status_code == 200
    for path in ("/sign-in", "/api/v1/me", "/static/app.css"):
        answer = app.test_client().get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert "csrf_token" not in answer.text


def test_sizes_are_limited(house: House) -> None:
    """A form over the limit is 413 with a sentence; the auditor's upload has its own, larger limit."""
    house.accredit()
    app = house.app(form_bytes=20_000, upload_bytes=100_000)
    clerk, auditor = Person(app, "chen"), Person(app, "ho")
    answer = clerk.post(skill_form(house), {**SKILL, "claim-skill": "x" * 30_000})
    assert answer.status_code == 413
    big = {"file": (BytesIO(b"\x89PNG" + bytes(200_000)), "a.png"), "text": ""}
    assert auditor.post("/office/audit", big).status_code == 413
    fits = {"file": (BytesIO(b"\x89PNG" + bytes(50_000)), "a.png"), "text": ""}
    assert auditor.post("/office/audit", fits).status_code == 422


def test_an_applicant_sees_what_to_do_first_and_cannot_issue(house: House) -> None:
    """Honest empty states; the form's POST is refused with a sentence (403) and the registry is never believed to agree."""
    clerk = Person(house.app(), "chen")
    home = clerk.get("/desk/").text
    assert "being reviewed" in home and "Skill certificate" in home and "No certificate has been issued yet" in home
    assert "no right to issue" in clerk.get(skill_form(house)).text
    answer = clerk.post(skill_form(house), {**SKILL, "once": "1"})
    assert answer.status_code == 403
    assert "no right to issue" in answer.text
    house.accredit()
    assert "May issue today" in clerk.get("/desk/").text
    assert clerk.get(f"/desk/issue/{'00' * 32}").status_code == 404


def test_from_the_form_to_the_printed_page(house: House) -> None:
    """One page gives picture (PNG, SVG), its size, the self-check, file, text, printable page; each verifies."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    path = issued(house, clerk)
    text = clerk.get(path).text
    row = house.desk.find("")[0]
    drawn = selfcheck.draw(row, "v.example")
    assert f"at least {drawn.printed_mm} mm" in text and "read back and checked" in text
    assert row.code is not None and row.code in text and drawn.text in text
    png = clerk.get(f"{path}/code.png").data
    assert picture.read(png) == (drawn.text,)
    assert house.verify(picture.read(png)[0].encode()).verdict == "valid-bearer"
    svg = clerk.get(f"{path}/code.svg")
    assert svg.mimetype == "image/svg+xml" and f'width="{drawn.printed_mm}mm"' in svg.text
    file = clerk.get(f"{path}/certificate.json")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert house.verify(file.data).verdict == "valid-bearer"
    paper = re.sub(r'(href|src)="[^"]*"', "", clerk.get(f"{path}/print?also=zh-Hans").text)
    assert "持有人姓名" in paper and "Holder&#39;s name" in paper and row.code in paper
    assert row.id not in paper and row.id[:8] not in paper and "did:" not in paper
    assert clerk.get(f"{path}/print").status_code == 200


def test_sending_a_form_twice_issues_once(house: House) -> None:
    """A double click or a reload gives the same certificate."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    first = clerk.post(skill_form(house), {**SKILL, "once": "abc"})
    assert clerk.post(skill_form(house), {**SKILL, "once": "abc"}).headers["Location"] == first.headers["Location"]
    assert len(house.desk.find("")) == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("claim-holderName", "  ", "Please fill this in"),
        ("claim-holderName", "王" * 61, "At most 60"),
        ("claim-holderName", "王\u202e小明", "cannot be seen"),
        ("claim-certificateNumber", "12345", "Exactly 12 digits"),
        ("claim-awardDate", "2026-02-30", "Not a date"),
        ("claim-level", "9", "choose one from the list"),
    ],
)
def test_a_wrong_field_is_named_in_plain_words(house: House, field: str, value: str, says: str) -> None:
    """The error stands at the field, with its label; what was typed is kept."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    answer = clerk.post(skill_form(house), {**SKILL, field: value})
    assert answer.status_code == 422
    assert says in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text, re.S)
    assert "王小明" in answer.text or field == "claim-holderName"
    assert house.desk.find("") == ()


def test_full_width_digits_and_blanks_are_what_people_type(house: House) -> None:
    """A Chinese keyboard's digits and stray blanks are understood."""
    house.accredit()
    clerk = Person(house.app(), "chen", "zh-Hans")
    issued(house, clerk, **{"claim-certificateNumber": " ２０２６１１２３０００１ ", "claim-holderName": " 王小明 "})
    claims = house.desk.find("")[0].claims
    assert (claims["certificateNumber"], claims["holderName"]) == ("202611230001", "王小明")


def test_suspend_lift_and_revoke_ask_first_and_want_a_reason(house: House) -> None:
    """A confirmation page each; revoke without a reason is 422; the new bundle says revoked."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    path = issued(house, clerk)
    row = house.desk.find("")[0]
    for action in ("suspend", "revoke"):
        assert clerk.post(f"{path}/{action}", {}).status_code == 422
    assert "Suspended on" in clerk.follow(clerk.post(f"{path}/suspend", {"reason": "error-in-data"})).text
    assert house.verify(row.file).verdict == "suspended"
    clerk.post(f"{path}/lift", {})
    assert house.verify(row.file).verdict == "valid-bearer"
    page = clerk.follow(clerk.post(f"{path}/revoke", {"reason": "fraud"})).text
    assert "It was obtained by deception" in page and "Change its standing" not in page
    assert house.verify(row.file).verdict == "revoked"
    assert clerk.post(f"{path}/lift", {}).status_code == 409


def test_finding(house: House) -> None:
    """By name, by number, by id; nothing found says what to try; markup in a name stays text."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    issued(house, clerk, **{"claim-holderName": "<b>O'Neill</b>"})
    for words in ("o'neill", "202611230001", house.desk.find("")[0].id):
        assert "&lt;b&gt;O&#39;Neill" in clerk.http.get("/desk/certificates", query_string={"q": words}).text
    assert "Nothing found" in clerk.get("/desk/certificates?q=zzz").text


def test_erasing_takes_the_content_away(house: House) -> None:
    """After the confirmation nothing of it can be shown."""
    house.accredit()
    clerk = Person(house.app(), "chen")
    path = issued(house, clerk)
    page = clerk.follow(clerk.post(f"{path}/erase", {}))
    assert "The content was erased" in page.text and "王小明" not in page.text
    assert clerk.get(f"{path}/code.png").status_code == 410


def test_the_reviewer_decides(house: House) -> None:
    """Sees the application, approves for one schema and period, suspends, reinstates, removes; refusals are sentences."""
    app = house.app()
    lin, clerk = Person(app, "lin"), Person(app, "chen")
    assert "FinTech Association" in lin.get("/office/").text
    path = f"/office/institutions/{house.desk.did}"
    assert "asked for" in lin.get(path).text
    day = rfc3339(house.now + 40 * 1440)[:10]
    form = {"schema": house.skill.hex(), "since": rfc3339(house.now)[:10], "until": day, "level": "2"}
    bad = lin.post(f"{path}/approve", {**form, "until": "2020-01-01"}, page=path)
    assert bad.status_code == 422
    other = lin.post(f"{path}/approve", {**form, "schema": house.training.hex()}, page=path)
    assert other.status_code == 403 and "has not asked for this right" in other.text
    assert "The right is given" in lin.follow(lin.post(f"{path}/approve", form, page=path)).text
    again = lin.post(f"{path}/approve", form, page=path)
    assert again.status_code == 403 and "cannot be given twice" in again.text
    where = issued(house, clerk)
    assert lin.post(f"{path}/suspend?schema={house.skill.hex()}", {"schema": house.skill.hex()}).status_code == 422
    for action, state in (("suspend", "Suspended"), ("reinstate", "May issue today"), ("remove", "Removed")):
        house.world.tick()
        form = {"schema": house.skill.hex(), "reason": "fraud"}
        page = lin.follow(lin.post(f"{path}/{action}", form, page=f"{path}/{action}?schema={house.skill.hex()}"))
        assert state in page.text
    assert clerk.post(skill_form(house), {**SKILL, "once": "2"}).status_code == 403
    assert "read back and checked" in clerk.get(where).text


@pytest.mark.parametrize("field", ["since", "until"])
def test_a_day_that_is_no_moment_is_named(house: House, field: str) -> None:
    """East of Greenwich the first day of year 1 lies before all time: a sentence, not a fault of the server."""
    app = create_app(replace(house.config(), zone=ZoneInfo("Asia/Macau")))
    path = f"/office/institutions/{house.desk.did}"
    form = {"schema": house.skill.hex(), "since": "", "until": "2030-01-01", "level": "1", field: "0001-01-01"}
    answer = Person(app, "lin").post(f"{path}/approve", form, page=path)
    assert answer.status_code == 422 and "choose a kind, a last day" in answer.text


def test_the_auditor_finds_by_picture_file_text_and_place(house: House) -> None:
    """Any of them leads to the certificate; the revocation needs a reason and shows in the next bundle."""
    house.accredit()
    app = house.app()
    clerk, ho = Person(app, "chen"), Person(app, "ho")
    path = issued(house, clerk)
    row = house.desk.find("")[0]
    code = selfcheck.draw(row, "v.example").text
    list_id = f"{house.desk.did}/status/{row.list_number}"
    uploads = [(clerk.get(f"{path}/code.png").data, "a.png"), (row.file, "a.json")]
    found = [ho.post("/office/audit", {"text": "", "file": (BytesIO(data), name)}) for data, name in uploads]
    found += [ho.post("/office/audit", {"text": text}) for text in (code, f" {code}\n", row.file.decode())]
    for answer in found:
        assert answer.status_code == 200 and "王小明" in answer.text and f"Place {row.index}" in answer.text
    by_place = ho.post("/office/audit", {"text": f"{list_id} # {row.index}"})
    assert by_place.status_code == 200 and "FinTech Association" in by_place.text
    forged = json.loads(row.file)
    forged["credentialSubject"]["holderName"] = "李四"
    assert ho.post("/office/audit", {"text": json.dumps(forged)}).status_code == 422
    assert ho.post("/office/audit", {"text": "nonsense"}).status_code == 422
    form = {"list": list_id, "index": str(row.index), "state": "revoked"}
    assert ho.post("/office/audit/override", form, page="/office/audit").status_code == 422
    done = ho.follow(ho.post("/office/audit/override", {**form, "reason": "fraud"}, page="/office/audit"))
    assert "Revoked by audit" in done.text and "FinTech Association" in done.text
    assert house.verify(row.file).verdict == "revoked"
    seen = [clerk.get(page).text for page in ("/desk/", "/desk/certificates", path, f"{path}/print")]
    assert all("Revoked" in text and "In force" not in text for text in seen)  # the desk's own list alone says valid
    assert "An auditor revoked it on" in seen[2] and house.desk.get(row.id).state == "valid"
    again = ho.post("/office/audit/override", {**form, "reason": "fraud"}, page="/office/audit")
    assert again.status_code == 409


def test_people_and_keys(house: House) -> None:
    """The administrator adds people and keys; a key is shown once; nobody locks themselves out."""
    boss = Person(house.app(), "boss")
    assert boss.post("/people/users", {"name": "wu", "password": "short", "role": ["clerk"]}, page="/people").status_code == 400
    assert boss.post("/people/users", {"name": "wu", "password": PASSWORD, "role": ["clerk"]}, page="/people").status_code == 302
    assert boss.post("/people/users", {"name": "wu", "password": PASSWORD, "role": ["clerk"]}, page="/people").status_code == 400
    assert boss.post("/people/users/boss/disabled", {"disabled": "yes"}, page="/people").status_code == 400
    answer = boss.post(
        "/people/keys", {"label": "import", "scope": ["certificates:read", "certificates:issue"], "days": "30"}, page="/people"
    )
    key = re.search(r"weid_[0-9a-f]{16}_[0-9a-f]{64}", answer.text)
    assert key is not None
    assert key.group() not in boss.get("/people").text
    held = b"".join(path.read_bytes() for path in (house.folder / "app").iterdir())
    assert key.group().rpartition("_")[2].encode() not in held and PASSWORD.encode() not in held


def test_a_silent_registry_is_a_sentence_and_nothing_is_lost(house: House) -> None:
    """When the registry does not answer, the page says so, and one button sends it later."""
    from tests.issuer_app.test_desk import Cut

    house.accredit()
    clerk = Person(house.app(), "chen")
    assert clerk.get("/desk/").status_code == 200
    real = house.client._transport
    house.client._transport = Cut(real, "operations", after=False)
    answer = clerk.post(skill_form(house), {**SKILL, "once": "9"})
    assert answer.status_code == 503 and "cannot be reached" in answer.text
    house.client._transport = real
    assert "reached the registry yet: 1." in clerk.get("/desk/").text
    clerk.post("/desk/publish", {}, page="/desk/")
    row = house.desk.find("")[0]
    assert row.published and house.verify(row.file).verdict == "valid-bearer"
