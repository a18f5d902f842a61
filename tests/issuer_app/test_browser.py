"""The clerk's way through a real Chromium, at a phone's and a desk's width."""

from __future__ import annotations

from typing import Any

import pytest

from tests import browser
from tests.issuer_app.house import PASSWORD, SKILL, House
from tests.issuer_app.test_desk import CLAIMS


def sign_in(page: Any, address: str, name: str) -> None:
    page.goto(f"{address}/sign-in")
    browser.shot(page, f"sign-in-{page.viewport_size['width']}")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button")


def sound(page: Any, name: str) -> None:
    """No accessibility fault, nothing blocked by the page's own policy; a picture for the eye."""
    page.wait_for_load_state("load")  # its stylesheet, script and pictures too
    browser.shot(page, f"{name}-{page.viewport_size['width']}")
    assert browser.flaws(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["390", "1280"])
@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en", marks=pytest.mark.long)])
def test_a_clerk_signs_in_issues_and_prints(house: House, size: dict[str, int], language: str) -> None:
    """Sign in, issue from the form, see code and file on one page, open the printable page; the code keeps 0.5 mm."""
    with browser.serving(house.app()) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale=language)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        with browser.only(page, address):
            sign_in(page, address, "chen")
            sound(page, f"{language}-applicant")
            house.accredit()
            page.goto(f"{address}/desk/")
            sound(page, f"{language}-desk")
            page.click("article .button.main")
            page.click("form.card button.main")
            sound(page, f"{language}-faults")
            for name, value in SKILL.items():
                tag = page.eval_on_selector(f"#{name}", "item => item.tagName")
                (page.select_option if tag == "SELECT" else page.fill)(f"#{name}", value)
            sound(page, f"{language}-form")
            page.click("form.card button.main")
            page.wait_for_selector("img.qr")
            page.eval_on_selector("img.qr", "item => item.decode()")  # the element stands before its picture
            assert page.eval_on_selector("img.qr", "item => item.naturalWidth") > 0
            assert page.locator(".check.good").count() == 1
            sound(page, f"{language}-certificate")
            where = page.url
            page.goto(f"{where}/print?also={'en' if language == 'zh-CN' else 'zh-Hans'}")
            sound(page, f"{language}-print")
            row = house.desk.find("")[0]
            width = page.eval_on_selector("figure img", "item => item.getBoundingClientRect().width")
            from issuer_app import selfcheck

            assert abs(width - selfcheck.draw(row, "v.example").printed_mm * 96 / 25.4) < 1
            page.emulate_media(media="print")
            assert not page.is_visible("nav.screen")
            browser.shot(page, f"{language}-paper-{size['width']}")
            page.emulate_media(media="screen")
            page.goto(f"{where}/revoke")
            sound(page, f"{language}-revoke")
            page.check("input[value=fraud]")
            page.click("main button.danger")
            sound(page, f"{language}-revoked")
            page.goto(f"{address}/desk/certificates")
            sound(page, f"{language}-certificates")
        assert [text for text in told if "422" not in text] == []  # the form sent empty, on purpose


@pytest.mark.browser
@pytest.mark.parametrize("size", [browser.PHONE, pytest.param(browser.DESK, marks=pytest.mark.long)], ids=["390", "1280"])
def test_the_authority_reviews_and_audits(house: House, size: dict[str, int]) -> None:
    """The reviewer approves the application; the auditor finds by text and revokes; the administrator's page."""
    with browser.serving(house.app()) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale="zh-CN")
        sign_in(page, address, "lin")
        sound(page, "office")
        page.click("ul.rows a")
        sound(page, "institution")
        page.fill("#until", "2028-01-01")
        page.click("form.card button.main")
        sound(page, "approved")
        assert house.desk.may_issue(house.skill, house.now)
        row = house.desk.issue(
            house.skill, {name.removeprefix("claim-"): value for name, value in SKILL.items()}, at=house.now,
            random=house.world.random,
        )  # fmt: skip
        page.click("article a.danger")
        sound(page, "remove")
        page.context.clear_cookies()
        sign_in(page, address, "ho")
        sound(page, "audit")
        page.fill("#text", row.file.decode())
        page.click("form.card button.main")
        sound(page, "audit-target")
        page.check("input[value=fraud]")
        page.click("main button.danger")
        sound(page, "audited")
        assert house.verify(row.file).verdict == "revoked"
        page.context.clear_cookies()
        sign_in(page, address, "boss")
        sound(page, "people")


@pytest.mark.browser
@pytest.mark.parametrize("size", [browser.PHONE, pytest.param(browser.DESK, marks=pytest.mark.long)], ids=["390", "1280"])
def test_what_comes_after_the_issue(house: House, size: dict[str, int]) -> None:
    """Correct, change many, what waits, what ends, an exposed key: in order at both widths, in two languages."""
    house.accredit()
    for number in range(1, 5):
        house.desk.issue(house.skill, {**CLAIMS, "certificateNumber": f"{number:012}"}, minutes=20_000, at=house.now,
                         random=house.world.random)  # fmt: skip
    row = house.desk.find("")[0]
    with browser.serving(house.app()) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale="zh-CN" if size == browser.PHONE else "pt-PT")
        with browser.only(page, address):
            sign_in(page, address, "chen")
            for name, path in (("replace", f"replace/{row.id}"), ("many", "many"), ("ending", "ending"),
                               ("renew", f"renew/{row.id}"), ("key", "key"), ("waiting", "waiting")):  # fmt: skip
                page.goto(f"{address}/later/{path}")
                sound(page, f"later-{name}")
            page.goto(f"{address}/later/many")
            page.check("input[value=revoke]")
            page.fill("#text", "王")
            page.click("form.card button.main")
            sound(page, "later-many-check")
            page.check("input[value=fraud]")
            page.fill("#due", "2999-01-01T10:00")
            page.fill("#count", "4")
            page.click("form.card button.danger")
            sound(page, "later-planned")
            page.goto(f"{address}/desk/certificates/{row.id}")
            sound(page, "later-certificate")
            page.goto(f"{address}/later/key")
            page.fill("#since", "2020-01-01T10:00")
            page.click("form.card button")
            sound(page, "later-key-found")
