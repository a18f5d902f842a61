"""A real browser with a fake camera that shows a real code: what an officer does."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from credentials import carrier, picture
from credentials.binding import Binding
from credentials.presentation import answer
from tests.browser import DESK, PHONE, chromium, flaws, only, serving, shot
from tests.verifier_app.places import CERTIFICATE, HOST, PACKS, Place, holder
from tests.verifier_app.test_challenge import REQUEST, claims
from verifier_app.languages import LANGUAGES, text

pytestmark = pytest.mark.browser
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def video(path: Path, code: bytes, *, blank: int = 3) -> str:
    """A motion-JPEG of a hand-held camera: nothing at first, then the code, tilted and a little out of focus."""
    shown = Image.open(BytesIO(code)).convert("L")
    side = 520
    frames = [Image.new("L", (1280, 720), 110)] * blank
    for tilt in (-4, -3, -2, 0, 2, 3, 4, 2):
        scene = Image.new("L", (1280, 720), 110)
        card = shown.resize((side, side), Image.Resampling.LANCZOS).rotate(tilt, Image.Resampling.BICUBIC, True, fillcolor=110)
        scene.paste(card, ((1280 - card.width) // 2, (720 - card.height) // 2))
        frames.append(scene.filter(ImageFilter.GaussianBlur(0.8)))
    out = BytesIO()
    for frame in frames:
        frame.convert("RGB").save(out, "JPEG", quality=75)
    path.write_bytes(out.getvalue())
    return f"--use-file-for-fake-video-capture={path}"


def test_the_camera_reaches_the_verdict(place: Place, tmp_path: Path) -> None:
    """Press one button; the page finds the code, stops the camera and says the verdict, on a phone and on a desk."""
    camera = video(tmp_path / "camera.mjpeg", place.png(place.issue(CERTIFICATE)))
    with serving(place.app()) as address, chromium([*FAKE, camera]) as browser:
        for name, view in (("phone", PHONE), ("desk", DESK)):
            page = browser.new_page(viewport=view, locale="zh-CN")
            with only(page, address):
                page.goto(f"{address}/?request=none")
                shot(page, f"check-{name}")
                assert flaws(page) == []
                page.click("[data-do=start]")
                page.wait_for_selector(".verdict", timeout=20_000)
                assert page.get_attribute(".verdict", "data-verdict") == "valid-bearer"
                assert page.inner_text(".word") == "有效：请核对证件"
                assert page.evaluate("document.querySelector('video').srcObject") is None
                assert page.evaluate("document.activeElement.className") == "verdict"
                assert flaws(page) == []
                shot(page, f"valid-{name}")
            page.close()


@pytest.mark.long
def test_a_question_is_asked_and_its_answer_scanned(live: Place, tmp_path: Path) -> None:
    """The question code on the page is read as a wallet reads it, answered, and the answer scanned: VALID, once."""
    key, film = holder(live), tmp_path / "answer.mjpeg"
    made = live.issue(claims(live), bind=Binding.to_key(key.public_key))
    app = live.app()
    with serving(app) as address:
        with chromium() as browser:
            page = browser.new_page(viewport=PHONE)
            page.goto(f"{address}/?request={REQUEST}&lang=en")
            shot(page, "ask-phone")
            page.click("text=Show the question")
            page.wait_for_selector("img.code")
            assert flaws(page) == []
            shot(page, "question-phone")
            question, source = page.url, page.get_attribute("img.code", "src")
            (read,) = picture.read(base64.b64decode(str(source).split(",", 1)[1]))
            cookies = page.context.cookies()
        challenge = carrier.from_text(read).data
        reply = answer(made.compact, challenge, key, time=live.clock)
        camera = video(film, picture.png(picture.draw(reply, host=HOST, level="L"), scale=6))
        with chromium([*FAKE, camera]) as browser:
            context = browser.new_context(viewport=PHONE)
            context.add_cookies(cookies)
            page = context.new_page()
            page.goto(question)
            page.click("[data-do=start]")
            page.wait_for_selector(".verdict", timeout=20_000)
            assert page.get_attribute(".verdict", "data-verdict") == "valid"
            shot(page, "answered-phone")
            page.click("[data-do=start]")
            page.wait_for_selector("#answer .problem", timeout=20_000)
            assert text("en", "challenge.state.used") in page.inner_text("#answer")


def test_a_page_opened_by_a_code_reads_its_own_fragment(place: Place) -> None:
    """R16: the digits leave the address bar, go to our own origin only, and nothing turns green."""
    code = place.text(place.issue(CERTIFICATE))
    with serving(place.app()) as address, chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        with only(page, address):
            page.goto(f"{address}/?lang=en#{code.split('#')[1]}")
            page.wait_for_selector(".verdict")
        assert page.get_attribute(".verdict", "data-verdict") == "opened"
        assert "not an independent check" in page.inner_text(".verdict")
        assert "#" not in page.url
        digits = code.split("#")[1]
        assert [url for url in asked if digits in url.split("#")[0]] == []
        shot(page, "opened-phone")


def test_a_refused_or_absent_camera_says_what_to_do(place: Place) -> None:
    """Refused by the person; none there; and no script at all still leaves file and paste."""
    with serving(place.app()) as address, chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto(f"{address}/?lang=en&request=none")
        page.click("[data-do=start]")
        page.wait_for_selector(".hint[data-key=refused], .hint[data-key=absent]")
        assert "choose a picture" in page.inner_text(".hint").lower()
        shot(page, "refused-phone")
        plain = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()
        plain.goto(f"{address}/?lang=en&request=none")
        plain.fill("#text", place.text(place.issue(CERTIFICATE)))
        plain.click("text=Check this text")
        assert plain.get_attribute(".verdict", "data-verdict") == "valid-bearer"


@pytest.mark.long
def test_hints_come_when_no_code_is_found(place: Place, tmp_path: Path) -> None:
    """After a few seconds the page says what to change."""
    camera = video(tmp_path / "empty.mjpeg", _grey())
    with serving(place.app()) as address, chromium([*FAKE, camera]) as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto(f"{address}/?lang=en&request=none")
        page.click("[data-do=start]")
        page.wait_for_selector(".hint[data-key=looking]")
        page.wait_for_selector(".hint[data-key=closer]", timeout=15_000)
        shot(page, "hint-phone")
        page.click("[data-do=stop]")
        assert page.is_visible("[data-do=start]")


@pytest.mark.parametrize(
    "language", ["zh-Hant", *(pytest.param(one, marks=pytest.mark.long) for one in LANGUAGES if one != "zh-Hant")]
)
def test_every_page_is_in_order_in_every_language(place: Place, language: str) -> None:
    """Labels, names, one heading, no sideways scrolling, at 390 and 1280 pixels; no error in the console."""
    app = place.app(PACKS=[PACKS / "certificate-authority", PACKS / "health-code"])
    with serving(app) as address, chromium() as browser:
        for name, view in (("phone", PHONE), ("desk", DESK)):
            page = browser.new_page(viewport=view)
            said: list[str] = []
            page.on("console", _keep(said))
            for path in ("", "typed", "trust", "challenge/0000"):
                page.goto(f"{address}/{path}?lang={language}")
                assert flaws(page) == [], path
                shot(page, f"{path.split('/')[0] or 'home'}-{name}-{language}")
            page.close()
            assert [line for line in said if "404" not in line] == []


def _keep(said: list[str]) -> Callable[[Any], None]:
    return lambda message: said.append(message.text) if message.type in ("error", "warning") else None


def _grey() -> bytes:
    out = BytesIO()
    Image.new("L", (300, 300), 120).save(out, "PNG")
    return out.getvalue()
