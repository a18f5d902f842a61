"""The pages of the look-up: what a stranger learns under each policy, how guessing is stopped, what the clerk can correct."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer_app.lookups.asking import network
from issuer_app.lookups.printed import printed
from tests.issuer_app.house import SKILL, House, Person
from tests.issuer_app.lookup_house import CN, CN2, EXISTS, HK, OPEN, PASSPORT, PRIVATE, SECOND, asking_house, award
from weid.pack import LANGUAGES

NAME = {"find-documentKind": "cn-id", "find-documentNumber": CN, "find-name": "陈大文"}
FAST = {"address": "1000 per minute", "name": "1000 per minute", "value": "1000 per minute"}


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    made = asking_house(tmp_path, {"document": OPEN}, **FAST)
    yield made
    made.close()


def asked(person: Person, path: str, form: dict[str, str]) -> Any:
    """Send the form of a way; the page it leads to, and the answer itself before that."""
    answer = person.post(path, form)
    return person.get(answer.headers["Location"]) if answer.status_code == 303 else answer


def bare(text: str) -> str:
    """A page without what differs between two readers of the same page."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", text)


def test_an_open_rule_shows_the_holder_everything(open_house: House) -> None:
    """S10, S12: number and name lead to the certificate, its standing today, its picture and its file."""
    row = award(open_house, cn_id=CN)
    person = Person(open_house.app())
    assert person.get("/find/").headers["Location"] == "/find/document/0"
    page = asked(person, "/find/document/0", NAME)
    assert page.status_code == 200 and "陳大文" in page.text and "In force" in page.text and printed(row.id) in page.text
    assert person.get("/find/answer/0/certificate.json").data == row.file
    assert person.get("/find/answer/0/code.svg").mimetype == "image/svg+xml"
    assert person.get("/find/answer/0/code.png?download=1").data.startswith(b"\x89PNG")
    assert person.get("/find/answer/1/code.png").status_code == 404
    own = person.post("/find/answer/0/page", {}, page="/find/answer")
    assert own.status_code == 303 and "陳大文" in person.get(own.headers["Location"]).text
    assert person.get(own.headers["Location"] + "/certificate.pdf").data.startswith(b"%PDF")
    assert person.post("/find/answer/1/page", {}, page="/find/answer").status_code == 404
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
    open_house.desk.revoke(row.id, "fraud", open_house.now)
    assert "Revoked" in person.get("/find/answer").text
    open_house.desk.erase(row.id)
    assert "陳大文" not in person.get("/find/answer").text


def test_what_was_found_is_for_one_browser_and_half_an_hour(open_house: House) -> None:
    award(open_house, cn_id=CN)
    app = open_house.app()
    person, other = Person(app), Person(app)
    asked(person, "/find/document/0", NAME)
    assert other.get("/find/answer").status_code == 410 == other.get("/find/answer").status_code
    assert other.get("/find/answer/0/certificate.json").status_code == 404
    open_house.world.tick(31)
    assert person.get("/find/answer").status_code == 410
    assert person.get("/find/answer/0/certificate.json").status_code == 404


def test_every_miss_is_the_same_page_and_the_same_answer(open_house: House) -> None:
    """No such number, another's name, an erased certificate: nothing tells them apart, in the answer or where it leads."""
    row = award(open_house, {"holderName": "李四"}, passport=PASSPORT)
    award(open_house, cn_id=CN)
    open_house.desk.erase(row.id)
    misses = [
        {**NAME, "find-documentNumber": CN2}, {**NAME, "find-name": "陈小文"}, {**NAME, "find-documentKind": "hk-id", "find-documentNumber": HK},
        {"find-documentKind": "passport", "find-documentNumber": PASSPORT, "find-name": "李四"},
        {"find-documentKind": "cn-passport", "find-documentNumber": PASSPORT, "find-name": "李四"},
    ]  # fmt: skip
    app = open_house.app()
    seen = set()
    for form in misses:
        person = Person(app)
        answer = person.post("/find/document/0", form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/find/answer")
        seen.add((bare(answer.text), bare(person.get("/find/answer").text)))
    assert len(seen) == 1
    hit = Person(app).post("/find/document/0", NAME)
    assert (hit.status_code, hit.headers["Location"], bare(hit.text)) == (303, "/find/answer", seen.pop()[0])


def test_a_wrong_check_digit_is_told_whoever_has_a_certificate(open_house: House) -> None:
    """It follows from the number alone, so it is no oracle; nothing typed is in the address."""
    answer = Person(open_house.app()).post("/find/document/0", {**NAME, "find-documentNumber": CN[:-1] + "1", "find-name": "7"})
    assert answer.status_code == 422 and "check digit" in answer.text
    assert 'value="7"' in answer.text  # what was typed stays in the form


def test_a_second_factor_is_needed(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"document": SECOND}, **FAST)
    award(house, cn_id=CN, birthDate="1990-03-07")
    app = house.app()
    assert "陳大文" in asked(Person(app), "/find/document/0", {**NAME, "find-birthDate": "1990-03-07"}).text
    assert "陳大文" not in asked(Person(app), "/find/document/0", {**NAME, "find-birthDate": "1990-03-08"}).text
    assert "陳大文" not in asked(Person(app), "/find/document/1", {**NAME, "find-phoneTail": "0307"}).text
    home = Person(app).get("/find/").text
    assert "/find/document/0" in home and "/find/document/1" in home
    assert Person(app).get("/find/document/2").status_code == 404 == Person(app).get("/find/other/0").status_code
    house.close()


def test_s14_a_private_rule_answers_everybody_alike(tmp_path: Path) -> None:
    """The page after the form is one page; the link goes out by the outbox, opens once, and then shows the certificate."""
    from issuer_app.lookups.links import outbox

    house = asking_house(tmp_path, {"document": PRIVATE}, **FAST)
    row = award(house, cn_id=CN, birthDate="1990-03-07", contact="ana@example.org")
    app, pages = house.app(), set()
    for form in ({**NAME, "find-birthDate": "1990-03-07"}, {**NAME, "find-birthDate": "1991-03-07"}, {**NAME, "find-documentNumber": CN2,
                                                                                               "find-birthDate": "1990-03-07"}):  # fmt: skip
        person = Person(app)
        answer = person.post("/find/document/0", form)
        headers = tuple(sorted((key, text) for key, text in answer.headers if key not in ("Set-Cookie", "Content-Length")))
        page = person.get(answer.headers["Location"])
        pages.add((answer.status_code, headers, answer.text, "Set-Cookie" in answer.headers, bare(page.text)))
        assert person.get("/find/answer").status_code == 410
    assert len(pages) == 1
    store = house.desk.lookups.store
    assert len(store.rows("SELECT * FROM lookup_asked")) == 3 - 1  # a miss replaces an earlier miss; the hit stays
    (letter,) = outbox(house.desk.lookups, house.now, house.world.random)
    assert (letter.id, letter.contact) == (row.id, "ana@example.org")
    assert outbox(house.desk.lookups, house.now, house.world.random) == ()
    assert letter.token.encode() not in (house.folder / "desk" / "issued.db-wal").read_bytes()
    path, person = f"/find/link/{letter.token}", Person(app)
    assert person.get(path).status_code == person.get(path).status_code == 200  # looking does not use it up
    assert "陳大文" in person.get(person.post(path, {}).headers["Location"]).text
    assert Person(app).get(path).status_code == 410 == person.get("/find/link/x").status_code
    assert person.get("/find/answer/0/certificate.json").data == row.file
    house.close()


def test_a_link_ends_and_dies_with_its_certificate(tmp_path: Path) -> None:
    from issuer_app.lookups.links import link_holds, make_link, open_link

    house = asking_house(tmp_path, {"document": PRIVATE}, linkDays=1)
    row, book = award(house, cn_id=CN, birthDate="1990-03-07"), house.desk.lookups
    late, dead = (make_link(book, row.id, "document", house.now, house.world.random) for _ in range(2))
    assert link_holds(book, late.token, late.until - 1) and not link_holds(book, late.token, late.until)
    assert open_link(book, late.token, late.until) is None
    house.desk.erase(row.id)
    assert open_link(book, dead.token, house.now) is None
    house.close()


def test_existence_says_the_standing_and_nothing_else(tmp_path: Path) -> None:
    """By the printed number: in force or revoked; neither the page nor the session holds the certificate or its id."""
    house = asking_house(tmp_path, {"number": EXISTS}, **FAST)
    row = award(house)
    person = Person(house.app())
    page = asked(person, "/find/number/0", {"find-certificateId": printed(row.id)})
    assert "In force" in page.text and "陳大文" not in page.text and row.id not in page.text
    assert person.get("/find/answer/0/certificate.json").status_code == 404
    cookie = person.http.get_cookie("issuer")
    assert cookie is not None and row.id not in str(person.http.application.session_interface.get_signing_serializer(
        person.http.application).loads(cookie.value))  # type: ignore[union-attr]  # fmt: skip
    house.desk.revoke(row.id, "fraud", house.now)
    assert "Revoked" in asked(person, "/find/number/0", {"find-certificateId": row.id}).text
    house.close()


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_a_thousand_numbers_are_stopped_and_tell_nothing(tmp_path: Path, count: int) -> None:
    """S03: one address, then many addresses with one name: slowed down long before, equally for numbers that exist."""
    house = asking_house(tmp_path, {"document": OPEN}, address="30 per day", name="40 per day", all="60 per day")
    award(house, cn_id=CN)
    app = house.app(form="5000 per minute")

    person = Person(app)
    token = person.token("/find/document/0")

    def tries(numbers: range, address: str, **form: str) -> list[tuple[int, str]]:
        made = []
        for number in numbers:
            data = {"csrf_token": token, **NAME, "find-documentKind": "passport", "find-documentNumber": f"E{number:08}", **form}
            answer = person.http.post("/find/document/0", data=data, environ_base={"REMOTE_ADDR": address.format(number)})
            made.append((answer.status_code, bare(answer.text)))
        return made

    one = tries(range(count), "198.51.100.7")
    assert [code for code, _ in one] == [303] * 30 + [429] * (count - 30)
    assert len(set(one)) == 2  # found or not does not matter: what was slowed down is one page too
    assert tries(range(1), "198.51.100.7", **NAME)[0] == one[-1]  # a number that exists is slowed down just alike
    many = tries(range(100, 120), "198.51.100.{0}")
    assert [code for code, _ in many].count(303) == 10  # the name has been tried 40 times
    others = [tries(range(n, n + 1), "203.0.113.{0}", **{"find-name": f"某{chr(0x4E00 + n)}"})[0][0] for n in range(200, 225)]
    assert others.count(303) == 20  # 60 a day for all strangers together
    house.close()


def test_one_number_is_slowed_down_from_everywhere(tmp_path: Path) -> None:
    """Names guessed for one number count for the number, whatever the name; the right one is slowed down too."""
    house = asking_house(tmp_path, {"document": OPEN}, address="1000 per minute", value="3 per hour")
    award(house, cn_id=CN)
    app = house.app()
    codes = [
        Person(app).post("/find/document/0", {**NAME, "find-name": f"陈{name}"}).status_code
        for name in ("一", "二", "三", "大文")
    ]
    assert codes == [303, 303, 303, 429]
    house.close()


def test_an_ipv6_customer_is_one_stranger() -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") != network("2001:db8:1:3::9")
    assert network("198.51.100.7") == network("::ffff:198.51.100.7") != network("198.51.100.8")


def test_without_rules_there_is_nothing_to_ask(house: House) -> None:
    from tests.issuer_app.lookup_house import lookups

    lookups(house, {})
    person = Person(house.app())
    for path in ("/find/", "/find/document/0", "/find/answer", "/find/link/x"):
        assert person.get(path).status_code in (404, 410), path
    assert "/find/" not in person.get("/sign-in").text


def test_the_clerk_types_what_the_holder_will(open_house: House) -> None:
    """The form asks beside the claims; a wrong check digit issues nothing; the certificate's page says how it is found."""
    clerk = Person(open_house.app(), "chen")
    path = f"/desk/issue/{open_house.skill.hex()}"
    form = {**SKILL, "once": "a", "find-documentKind": "cn-id", "find-documentNumber": CN[:-1] + "0"}
    answer = clerk.post(path, form)
    assert answer.status_code == 422 and "check digit" in answer.text and open_house.desk.find("") == ()
    where = clerk.post(path, {**form, "find-documentNumber": CN}).headers["Location"]
    (row,) = open_house.desk.find("")
    assert printed(row.id) in clerk.get(where).text
    page = clerk.get(f"{where}/look-up/")
    assert "Resident identity card" in page.text and CN not in page.text
    assert "王小明" in asked(Person(open_house.app()), "/find/document/0", {**NAME, "find-name": "王小明"}).text


def test_the_clerk_corrects_a_document_and_makes_a_link(open_house: House) -> None:
    """A changed passport replaces the old one; a removed entry finds nothing; the link is shown once."""
    row = award(open_house, passport=PASSPORT)
    app = open_house.app()
    clerk, path = Person(app, "chen"), f"/desk/certificates/{row.id}/look-up/"
    entry = re.search(r'type="radio" name="entry" value="([0-9a-f]{16})"', clerk.get(path).text)
    assert entry is not None
    form = {"entry": entry.group(1), "find-documentKind": "passport"}
    assert clerk.post(path, {**form, "find-documentNumber": "x"}).status_code == 422
    assert clerk.post(path, form).status_code == 422
    assert clerk.post(path, {**form, "find-documentNumber": "E7654321"}).status_code == 302
    old = {**NAME, "find-documentKind": "passport", "find-documentNumber": PASSPORT}
    new = {**old, "find-documentNumber": "E7654321"}
    assert "陳大文" not in asked(Person(app), "/find/document/0", old).text
    assert "陳大文" in asked(Person(app), "/find/document/0", new).text
    made = clerk.post(f"{path}link", {}, page=path)
    link = re.search(r"http://[^/]+(/find/link/[\w-]{22})<", made.text)
    assert link is not None and link.group(1) not in clerk.get(path).text
    assert "陳大文" in (holder := Person(app)).get(holder.post(link.group(1), {}).headers["Location"]).text
    entry = re.search(r'type="radio" name="entry" value="([0-9a-f]{16})"', clerk.get(path).text)
    assert entry is not None
    clerk.post(f"{path}remove", {"entry": entry.group(1)}, page=path)
    assert "陳大文" not in asked(Person(app), "/find/document/0", new).text
    assert clerk.post(f"{path}remove", {"entry": "00" * 8}, page=path).status_code == 404


def test_only_a_clerk_opens_the_clerks_page(open_house: House) -> None:
    row, app = award(open_house, cn_id=CN), open_house.app()
    path = f"/desk/certificates/{row.id}/look-up/"
    assert Person(app).get(path).status_code == 302
    assert Person(app, "lin").get(path).status_code == 403
    for action in ("", "remove", "link"):
        assert Person(app).http.post(f"{path}{action}").status_code == 400  # no token, nothing done
        assert Person(app).post(f"{path}{action}", {}, page="/sign-in").status_code == 302
    open_house.desk.erase(row.id)
    assert Person(app, "chen").get(path).status_code == 404


def test_every_page_speaks_every_language(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"document": PRIVATE, "number": EXISTS})
    row, app = award(house, cn_id=CN, birthDate="1990-03-07", contact="ana@example.org"), house.app()
    clerk = Person(app, "chen")
    for language in LANGUAGES:
        person, clerk.language = Person(app, language=language), language
        paths = ("/find/", "/find/document/1", "/find/number/0", "/find/asked/document", "/find/answer")
        pages = [person.get(path) for path in paths] + [clerk.get(f"/desk/certificates/{row.id}/look-up/")]
        assert [page.status_code for page in pages] == [200, 200, 200, 200, 410, 200]
        assert all(f'<html lang="{language}">' in page.text for page in pages)
        faulty = person.post("/find/number/0", {"find-certificateId": "7"})
        assert faulty.status_code == 422 and f"/find/?lang={language}" in faulty.text
    house.close()
