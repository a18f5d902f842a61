"""Holders and the clerk in a real Chromium, at a phone's and a desk's width, in four languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import browser
from tests.issuer_app.house import PASSWORD
from tests.issuer_app.lookup_house import CN, EXISTS, HK, OPEN, PRIVATE, asking_house, award

LANGUAGES = ["zh-CN", "zh-HK", "en", "pt"]


def sound(page: Any, name: str) -> None:
    page.wait_for_load_state("load")
    browser.shot(page, f"lookup-{name}-{page.viewport_size['width']}")
    assert browser.flaws(page) == []


@pytest.mark.browser
@pytest.mark.parametrize(("language", "size"), [
    ("zh-CN", browser.PHONE), pytest.param("zh-HK", browser.DESK, marks=pytest.mark.long),
    pytest.param("pt", browser.PHONE, marks=pytest.mark.long), pytest.param("en", browser.DESK, marks=pytest.mark.long),
])  # fmt: skip
def test_a_holder_looks_up_and_the_clerk_corrects(tmp_path: Path, language: str, size: dict[str, int]) -> None:
    house = asking_house(tmp_path, {"document": OPEN, "number": EXISTS, "private": PRIVATE})
    row = award(house, cn_id=CN, birthDate="1990-03-07", contact="ana@example.org")
    with browser.serving(house.app()) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale=language, color_scheme="dark" if language == "pt" else "light")
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        with browser.only(page, address):
            page.goto(f"{address}/find/")
            sound(page, f"{language}-home")
            page.goto(f"{address}/find/document/0")
            sound(page, f"{language}-form")
            page.fill("#find-documentNumber", CN[:-1] + "1")
            page.fill("#find-name", "陈大文")
            with page.expect_navigation():
                page.keyboard.press("Enter")
            sound(page, f"{language}-fault")
            page.fill("#find-documentNumber", CN)
            page.click("form.card button.main")
            page.wait_for_selector("img.qr")
            page.eval_on_selector("img.qr", "item => item.decode()")
            sound(page, f"{language}-found")
            page.goto(f"{address}/find/private/0")
            page.fill("#find-documentNumber", CN)
            page.fill("#find-name", "陈大文")
            page.fill("#find-birthDate", "1990-03-07")
            page.click("form.card button.main")
            sound(page, f"{language}-asked")
            page.goto(f"{address}/find/number/0")
            page.fill("#find-certificateId", row.id)
            page.click("form.card button.main")
            sound(page, f"{language}-exists")
            page.goto(f"{address}/sign-in")
            page.fill("#name", "chen")
            page.fill("#password", PASSWORD)
            page.click("main button")
            page.goto(f"{address}/desk/issue/{house.skill.hex()}")
            sound(page, f"{language}-issue")
            page.goto(f"{address}/desk/certificates/{row.id}/look-up/")
            page.select_option("#find-documentKind", "hk-id")
            page.fill("#find-documentNumber", HK)
            page.fill("#find-birthDate", "1990-03-07")
            page.click("form.card button.main")
            page.click('form[action$="/link"] button')
            page.wait_for_selector(".link")
            sound(page, f"{language}-entries")
            link = page.inner_text(".link").strip()
            page.goto(address + link[link.index("/find/") :])
            sound(page, f"{language}-link")
            page.click("form.card button.main")
            page.wait_for_selector("img.qr")
        assert [text for text in told if "422" not in text] == []
    house.close()
