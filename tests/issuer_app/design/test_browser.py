"""The whole afternoon in a real Chromium: an empty desk, an own design, its publication, the first certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import browser
from tests.issuer_app.design.conftest import Studio
from tests.issuer_app.house import PACKS, PASSWORD

SEAL = PACKS / "certificate-authority" / "images" / "seal.svg"


def sound(page: Any, name: str) -> None:
    page.wait_for_load_state("load")
    browser.shot(page, f"design-{name}-{page.viewport_size['width']}")
    assert browser.flaws(page) == []
    if page.viewport_size["width"] > 1000:  # in the long run: axe takes its time
        assert [(item["id"], item["nodes"][0]["html"][:160]) for item in Axe().run(page).response["violations"]] == []


def sign_in(page: Any, address: str, name: str, then: str) -> None:
    page.goto(f"{address}/sign-in?next={then}")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [
        pytest.param(browser.PHONE, "zh-CN", "dark", id="390"),
        pytest.param(browser.DESK, "en", "light", id="1280", marks=pytest.mark.long),
    ],
)
@pytest.mark.long
def test_an_afternoon_from_an_empty_desk_to_the_first_certificate(
    studio: Studio, tmp_path: Path, size: dict[str, int], language: str, scheme: str
) -> None:
    """Example, a field of one's own with a suggested label, look-up, colour and seal, publish, right, issue."""
    with browser.serving(studio.app()) as address, browser.chromium() as chrome:
        page = chrome.new_context(viewport=size, locale=language, color_scheme=scheme).new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        with browser.only(page, address):
            sign_in(page, address, "anna", "/desk/designs/")
            sound(page, "home")
            page.check("input[value=training]")
            page.fill("#name", "first-aid")
            page.click("form.card button.main")
            page.wait_for_selector(".preview")
            sound(page, "fields")
            own_field(page)
            page.click(".steps li:nth-child(3) a")
            sound(page, "finding")
            page.click(".steps li:nth-child(4) a")
            page.set_input_files("#seal", str(SEAL))
            page.fill("#accent", "#7a2f1d")
            page.wait_for_selector(".preview:not(.stale)")
            page.click("form.card button.main")
            page.wait_for_selector("ol.fields")
            page.click(".steps li:nth-child(4) a")
            sound(page, "page")
            page.click(".steps li:nth-child(5) a")
            sound(page, "publish")
            with page.expect_download() as loading:
                page.click(".buttons a.main")
            digest = studio.committee.publish_schema(Path(loading.value.path()).read_bytes())
            page.reload()
            page.click(".work button.main")
            page.wait_for_selector(".versions")
            sound(page, "waits")
            studio.office.approve(studio.desk.did, digest, until=studio.now + 525_600)
            page.reload()
            page.click(".versions a.main")
            first_certificate(page)
        assert told == []
    row = studio.desk.find("张伟")[0]
    assert row.claims["validForYears"] == 2
    assert studio.verify(row.compact).verdict == "valid-bearer"


def own_field(page: Any) -> None:
    """A field added on the page; the preview follows the typing, the other script is suggested."""
    page.click(".work a.button.main")
    page.select_option("#type", "number")
    assert page.is_visible("#most")
    assert not page.is_visible("#choices")
    for code, text in (("en", "Valid for years"), ("pt", "Válido por anos"), ("zh-Hans", "有效年限")):
        page.fill(f"#label-{code}", text)
    page.fill("#sample", "2")
    page.wait_for_function("() => document.querySelectorAll('.preview .sketch li').length >= 5")
    sound(page, "typing")
    page.click("form.card button.main")
    page.wait_for_selector("#label-zh-Hant-note")
    assert page.input_value("#label-zh-Hant") == "有效年限"
    sound(page, "suggested")
    page.click("form.card button.main")
    page.wait_for_selector("ol.fields .notice.good, .work .notice.good")


def first_certificate(page: Any) -> None:
    """The clerk's form of the new kind."""
    for name, text in (("personName", "张伟"), ("course", "急救"), ("endedOn", "2026-02-28"), ("validForYears", "2")):
        page.fill(f"#claim-{name}", text)
    page.fill("#find-documentNumber", "11010519491231002X")
    sound(page, "form")
    page.click("form.card button.main")
    page.wait_for_selector("img.qr")
    sound(page, "certificate")
    page.goto(f"{page.url}/papers")
    page.wait_for_load_state("load")
    browser.shot(page, f"design-papers-{page.viewport_size['width']}")
