"""Votes on pages: what needs a vote becomes a proposal by itself, and a committee of one works in one step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from registry import proposals
from registry.genesis import fingerprint, print_genesis
from registry.rules_gov import GOVERNED
from tests import browser
from tests.issuer_app.council import Council
from tests.issuer_app.house import PASSWORD, House, Person
from tests.registry.world import YEAR, World
from weid.governance import RuleRecord, Seat, Vote, passes, still_needed


@pytest.fixture
def council(tmp_path: Path) -> Iterator[Council]:
    made = Council(tmp_path / "council")
    yield made
    made.close()


def approval(council: Council, skill: bytes) -> tuple[str, dict[str, str]]:
    form = {"schema": skill.hex(), "since": "", "until": "2028-01-01", "level": "2"}
    return f"/office/institutions/{council.applicant.did}", form


def proposed(council: Council, skill: bytes, n: int = 0) -> str:
    """Member n approves the institution through the page; the path of the proposal that this becomes."""
    page, form = approval(council, skill)
    answer = council.member(n).post(f"{page}/approve", form, page=page)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def right(council: Council, skill: bytes) -> Any:
    return council.world.registry.state.tables["accreditation"].get(f"{council.applicant.did}|{skill.hex()}")


def test_an_approval_becomes_a_proposal_is_voted_on_and_put_into_effect(council: Council) -> None:
    """The page says before that it needs 2 of 3, after what it waits for; the second vote passes it, a third office executes."""
    skill = council.publish()
    page, form = approval(council, skill)
    first = council.member(0)
    assert "needs a vote: 2 of 3" in first.get(page).text
    where = first.post(f"{page}/approve", form, page=page)
    told = first.follow(where).text
    assert "Your vote for it is counted" in told and "Still needed: 1 of 3. Waiting for: Member" in told
    assert right(council, skill) is None
    for words in ("Example", "2028-01-02 00:00", "1 for, 0 against, of 3", "Allow an institution to issue"):
        assert words in told
    at = where.headers["Location"]
    second = council.member(1)
    assert "Vote for this?" in second.get(f"{at}/yes").text
    assert right(council, skill) is None  # asking to confirm changes nothing
    said = second.follow(second.post(f"{at}/yes", {})).text
    assert "can be put into effect now" in said and f"{at}/execute" in said
    third = council.member(2)
    done = third.follow(third.post(f"{at}/execute", {})).text
    assert "It is in effect." in done and "In effect" in done
    record = right(council, skill)
    assert record.level == 2 and record.by.startswith("vote:")
    over = third.get("/decisions/").text
    assert "Nothing is being voted on." in over and "2 for, 0 against, of 3" in over


def test_a_committee_of_one_decides_in_one_step(tmp_path: Path) -> None:
    council = Council(tmp_path, weights=(1,))
    skill = council.publish()
    page, form = approval(council, skill)
    person = council.member(0)
    assert "needs a vote" not in person.get(page).text
    assert "decides alone" in person.get("/decisions/").text
    answer = person.post(f"{page}/approve", form, page=page)
    assert answer.headers["Location"] == page
    assert right(council, skill).by == council.offices[0].did
    council.close()


def test_a_member_with_the_reviewers_office_needs_no_vote(council: Council) -> None:
    """The committee gave the office, so its decisions about institutions are not voted on; its schemas are."""
    skill = council.publish()
    office = council.offices[0].deciding("role", council.now)
    office.grant_role(council.offices[1].did, "reviewer", until=council.now + YEAR)
    assert office.proposal is not None
    council.decide(office.proposal, 1)
    page, form = approval(council, skill)
    person = council.member(1)
    assert "needs a vote" not in person.get(page).text
    assert person.post(f"{page}/approve", form, page=page).headers["Location"] == page
    assert right(council, skill).by == council.offices[1].did


def test_a_reviewers_office_with_a_seat_puts_to_the_vote_too(council: Council) -> None:
    """Its key has a seat and no office of reviewer: the person is told what it waits for, and sees no page of governors."""
    skill = council.publish()
    app, (page, form) = council.app(0, office=council.offices[0]), approval(council, skill)
    person = Person(app, "lin")
    answer = person.post(f"{page}/approve", form, page=page)
    assert answer.headers["Location"] == "/office/"
    assert "Still needed: 1 of 3" in person.follow(answer).text and right(council, skill) is None
    assert person.get("/decisions/").status_code == 403


@pytest.mark.parametrize("action", ["suspend", "remove"])
def test_an_end_of_a_right_is_put_to_the_vote(council: Council, action: str) -> None:
    skill = council.publish()
    at = proposed(council, skill)
    council.decide(bytes.fromhex(at.rpartition("/")[2]), 1)
    person, page = council.member(2), f"/office/institutions/{council.applicant.did}/{action}"
    assert "needs a vote" in person.get(f"{page}?schema={skill.hex()}").text
    answer = person.post(page, {"reason": "fraud", "schema": skill.hex()})
    told = person.follow(answer).text
    assert "Still needed" in told and "It was obtained by deception" in told
    assert right(council, skill).at(council.now) is not None
    council.decide(bytes.fromhex(answer.headers["Location"].rpartition("/")[2]), 0)
    assert right(council, skill).at(council.now) is None


def test_a_timelock_is_shown_and_an_objection_stops_it(council: Council) -> None:
    """With a waiting time a passed decision says from when it can take effect; a vote against in that time ends it."""
    rule = council.offices[0].deciding("rules", council.now)
    rule.set_rule("issuer", agree=1, participates=51, win=67, delay=20, period=1440)
    assert rule.proposal is not None
    council.decide(rule.proposal, 1)
    skill = council.publish()
    page, _ = approval(council, skill)
    assert "waits 20 minutes" in council.member(0).get(page).text
    at = proposed(council, skill)
    second, third = council.member(1), council.member(2)
    said = second.follow(second.post(f"{at}/yes", {})).text
    assert "It has passed and can take effect from" in said and f"{at}/execute" not in said
    early = second.post(f"{at}/execute", {})
    assert early.status_code == 409 and "waiting time has not" in early.text
    against = third.follow(third.post(f"{at}/no", {})).text
    assert "needs" not in against and "cannot pass any more" in against
    council.world.tick(21)
    refused = second.post(f"{at}/execute", {})
    assert refused.status_code == 409 and right(council, skill) is None


def test_a_first_day_that_has_begun_before_the_vote_is_over_is_said(council: Council) -> None:
    """A right never begins in the past (R8): execution would be refused, so the page says what to do instead."""
    skill = council.publish()
    office = council.offices[0].deciding("issuer", council.now)
    office.approve(council.applicant.did, skill, since=council.now + 5, until=council.now + YEAR)
    first = council.member(0)
    assert "The first day has begun" not in first.get("/decisions/").text
    council.world.tick(6)
    assert "The first day has begun" in first.get("/decisions/").text


def test_only_its_proposer_withdraws_a_proposal(council: Council) -> None:
    skill = council.publish()
    at = proposed(council, skill)
    other, own = council.member(1), council.member(0)
    assert "/cancel" not in other.get(at).text and f"{at}/cancel" in own.get(at).text
    assert other.post(f"{at}/cancel", {}).status_code == 409
    assert "Withdrawn" in own.follow(own.post(f"{at}/cancel", {})).text
    gone = council.member(2).post(f"{at}/yes", {})
    assert gone.status_code == 409 and "no such proposal" in gone.text


def test_only_governors_vote_and_only_with_the_pages_token(council: Council, house: House) -> None:
    """No other role opens the pages, a forged form changes nothing, and an app without a member's key says so."""
    skill = council.publish()
    at = proposed(council, skill)
    app = council.app(1)
    for name in ("chen", "lin", "ho", "boss"):
        person = Person(app, name)
        assert person.get("/decisions/").status_code == 403
        assert person.get(f"{at}/yes").status_code == 403
        assert person.get("/committee/member").status_code == 403
    voter = Person(app, "mei")
    for target, form in ((f"{at}/yes", {}), ("/committee/member", {"did": "x"})):
        assert voter.http.post(target, data=form).status_code == 400
    assert len(council.world.registry.state.tables["proposal"][at.rpartition("/")[2]].votes) == 1
    assert Person(app).get(at).headers["Location"].startswith("/sign-in")
    keyless = Person(house.app(), "mei")
    assert keyless.get("/decisions/").status_code == 403


@pytest.mark.parametrize("path", ["/decisions/zz", "/decisions/" + "0" * 64, "/decisions/" + "0" * 64 + "/yes"])
def test_what_is_no_proposal_is_a_page(council: Council, path: str) -> None:
    assert council.member(0).get(path).status_code == 404


def test_an_office_that_is_no_member_reads_and_is_told_what_to_do(council: Council) -> None:
    made = council.offices[0].__class__.of_signer(
        council.folder / "stranger", council.applicant.log, client=council.client, names={}, random=council.world.random
    )
    council.offices.append(made)
    skill = council.publish()
    proposed(council, skill)
    stranger = council.member(3)
    text = stranger.get("/decisions/").text
    assert "is not a member of the committee" in text and council.applicant.did in text
    assert "/yes" not in text and "Allow an institution" in text
    answer = stranger.post("/committee/member", {"did": council.applicant.did, "name": "X", "weight": "1"})
    assert answer.status_code == 409 and "Only the committee" in answer.text


# -- the committee's own acts ------------------------------------------------------------------------------------------


def test_members_and_rules_change_through_the_pages(council: Council) -> None:
    """Admitting is put to the vote; who is admitted has a seat in the next proposal, which shows old and new values."""
    first = council.member(0)
    answer = first.post("/committee/member", {"did": council.applicant.did, "name": "Harbour", "weight": "2"})
    text = first.follow(answer).text
    assert "Harbour" in text and council.applicant.did in text
    council.decide(bytes.fromhex(answer.headers["Location"].rpartition("/")[2]), 2)
    assert council.world.registry.state.tables["member"][council.applicant.did].weight == 2
    form = {"category": "recovery", "agree": "3", "participates": "67", "win": "67", "delay": "2", "delay-unit": "days",
            "period": "30", "period-unit": "days"}  # fmt: skip
    answer = first.post("/committee/rule?key=recovery", form)
    text = first.follow(answer).text
    for words in ("lost keys", "67 %", "(now: 51 %)", "2 days", "(now: none)", "Harbour", "weight 2"):
        assert words in text
    assert "30 days" in text


@pytest.mark.parametrize(
    "form",
    [
        {"did": "did:weid:1:0x00", "name": "A", "weight": "1"}, {"did": "", "name": "A", "weight": "1"},
        {"name": "A", "weight": "-1"}, {"name": "A", "weight": "1000001"}, {"name": "A\u202e", "weight": "1"},
        {"name": "", "weight": "1"}, {"name": "A", "weight": "\uff11"},
    ],
)  # fmt: skip
def test_a_wrong_field_proposes_nothing(council: Council, form: dict[str, str]) -> None:
    """A DID nobody registered, a weight that is none, a name with a hidden character: a sentence and no proposal."""
    answer = council.member(0).post("/committee/member", {"did": council.applicant.did, **form})
    assert answer.status_code in (409, 422) and 'role="alert"' in answer.text
    assert not council.world.registry.state.tables["proposal"]


def test_a_schema_and_a_role_are_proposed(council: Council) -> None:
    first = council.member(0)
    answer = first.post("/committee/schema", {"schema": (BytesIO(council.document), "skill.json")})
    assert "Skill" in first.follow(answer).text or "skill" in first.get(answer.headers["Location"]).text
    wrong = first.post("/committee/schema", {"schema": (BytesIO(b"{}"), "x.json")})
    assert wrong.status_code == 409 and "not a schema" in wrong.text
    answer = first.post("/committee/role", {"did": council.applicant.did, "role": "auditor", "until": "2028-01-01"})
    assert "Auditor" in first.follow(answer).text
    over = first.post("/committee/role", {"did": council.applicant.did, "role": "auditor", "until": "2001-01-01"})
    assert over.status_code == 422
    council.decide(bytes.fromhex(answer.headers["Location"].rpartition("/")[2]), 1)
    assert "End this office" in first.get("/committee/").text
    ended = first.post(f"/committee/end?key={council.applicant.did}|auditor", {"key": f"{council.applicant.did}|auditor"})
    assert ended.status_code == 302


def test_a_registry_is_recognised_only_with_its_fingerprint(council: Council, tmp_path: Path) -> None:
    """The fingerprint is typed in from another channel: that of another registry is refused before anything is signed."""
    (tmp_path / "far").mkdir()
    far = World(tmp_path / "far", name="far", chain=7)
    bundle = far.commit()

    def form(print_: str) -> dict[str, Any]:
        names = {f"name-{language}": "Far" for language in ("en", "pt", "zh-Hans", "zh-Hant")}
        return {
            "genesis": (BytesIO(print_genesis(far.genesis)), "genesis.json"), "bundle": (BytesIO(bundle), "far.bundle"),
            "fingerprint": print_, "purposes": "entry, work", "assurance": "1", "until": "2028-01-01", **names,
        }  # fmt: skip

    first = council.member(0)
    wrong = first.post("/committee/recognise", form(fingerprint(council.world.pin)))
    assert wrong.status_code == 409 and "is not that of this file" in wrong.text
    answer = first.post("/committee/recognise", form(fingerprint(far.pin).upper()))
    text = first.follow(answer).text
    assert far.origin in text and fingerprint(far.pin) in text and "entry, work" in text
    council.decide(bytes.fromhex(answer.headers["Location"].rpartition("/")[2]), 1)
    assert "Far" in first.get("/committee/").text
    answer = first.post(f"/committee/withdraw?key={far.pin.hex()}", {"key": far.pin.hex(), "mode": "distrust"})
    assert "All of them fail" in first.follow(answer).text
    far.registry.close()


def test_the_howto_names_what_is_on_the_pages() -> None:
    """Every word in quotes of the way by pages is on a page, in the same spelling."""
    from issuer_app.texts import table

    page = (Path(__file__).parents[2] / "docs" / "howto" / "decide-together.md").read_text("utf-8")
    quoted = re.findall(r"“([^”]+)”", page.partition("## By command")[0])
    assert len(quoted) >= 8 and set(quoted) <= set(table("en").values())


def test_every_kind_of_proposal_has_words_in_every_language() -> None:
    from issuer_app.texts import table

    assert {f"does.{kind}" for kind in GOVERNED} <= set(table("en"))


@pytest.mark.parametrize(
    ("kind", "sub", "body"),
    [("trust.withdraw", "\u202eevil", ("cease\u202e",)), ("role.end", "<b>x</b>|auditor", ())],
)
def test_what_a_member_wrote_is_shown_as_text(council: Council, kind: str, sub: str, body: tuple[str, ...]) -> None:
    """The registry checks a proposal's body when it is executed: until then a hidden character or a tag is only shown."""
    from registry import bodies

    made = bodies.BODIES[kind](*body)
    council.world.submit(proposals.propose(council.world.author(council.world.committee[2]), kind, sub, made))
    text = council.member(0).get("/decisions/").text
    assert "\u202e" not in text and "<b>x</b>" not in text


def test_a_date_outside_the_calendar_is_said_to_be_unreadable(council: Council) -> None:
    from registry import bodies

    made = bodies.IssuerApprove(b"1" * 32, 1, None, 1 << 62)
    council.world.submit(
        proposals.propose(council.world.author(council.world.committee[2]), "issuer.approve", council.applicant.did, made)
    )
    assert "vote against it" in council.member(0).get("/decisions/").text


def test_what_is_still_needed_is_the_least_that_passes() -> None:
    """For every small electorate, rule and set of votes: the number is the least weight in favour that passes, or None."""
    seats = tuple(Seat(name, weight) for name, weight in (("a", 1), ("b", 2), ("c", 3)))
    count = 0
    for agree in (1, 3, 6):
        for participates in (0, 51, 100):
            for win in (0, 51, 67, 100):
                rule = RuleRecord("issuer", agree, participates, win, 0, 10)
                for words in range(27):
                    told = [(seat.did, (None, True, False)[words // 3**n % 3]) for n, seat in enumerate(seats)]
                    votes = tuple(Vote(did, word, 0) for did, word in told if word is not None)
                    left = sum(seat.weight for seat, (_, word) in zip(seats, told, strict=True) if word is None)
                    expected = next((more for more in range(left + 1) if _passes(seats, votes, rule, more, left)), None)
                    assert still_needed(seats, votes, rule) == expected, (rule, votes)
                    count += 1
    assert count == 972


def _passes(seats: tuple[Seat, ...], votes: tuple[Vote, ...], rule: RuleRecord, more: int, left: int) -> bool:
    """Whether it passes when `more` of the `left` silent weight votes in favour: the silent seats cut to that size."""
    voted = {vote.did for vote in votes}
    heard = tuple(seat for seat in seats if seat.did in voted)
    electorate = (*heard, Seat("more", more), Seat("rest", left - more))
    return passes(electorate, (*votes, Vote("more", True, 0)), rule)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "language"),
    [(browser.PHONE, "zh-CN"), pytest.param(browser.DESK, "en", marks=pytest.mark.long)],
    ids=["390", "1280"],
)
def test_two_offices_decide_in_a_browser(council: Council, size: dict[str, int], language: str) -> None:
    """Propose by approving, vote with a confirmation at the other office, put into effect; the committee's own pages too."""
    skill = council.publish()
    with browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale=language)

        def sound(name: str) -> None:
            page.wait_for_load_state("load")
            browser.shot(page, f"votes-{language}-{name}-{size['width']}")
            assert browser.flaws(page) == []

        with browser.serving(council.app(0)) as address, browser.only(page, address):
            sign_in(page, address)
            sound("empty")
            page.goto(f"{address}/office/institutions/{council.applicant.did}")
            sound("before")
            page.click("form.card button.main")
            sound("after")
            where = page.url.removeprefix(address)
            page.goto(f"{address}/committee/")
            sound("committee")
            for act in ("rule?key=recovery", "recognise"):
                page.goto(f"{address}/committee/{act}")
                sound(re.sub(r"\W.*", "", act))
        page.context.clear_cookies()
        with browser.serving(council.app(1)) as address, browser.only(page, address):
            sign_in(page, address)
            sound("open")
            page.click("article .button.main")
            sound("confirm")
            page.keyboard.press("Tab")
            page.click("form.card button.main")
            sound("passed")
            page.goto(f"{address}{where}/execute")
            page.click("form.card button.main")
            sound("effect")
            page.goto(f"{address}/decisions/")
            sound("closed")
    assert right(council, skill) is not None


def sign_in(page: Any, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#name", "mei")
    page.fill("#password", PASSWORD)
    page.click("main button")
