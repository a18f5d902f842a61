"""The doors' two visitors: a program's key goes nowhere but where it was sent, a browser stays on its site."""

from __future__ import annotations

import pytest
from flask import Flask, Response, redirect, request

from tests.browser import serving
from wallet_cli.http import AnswerError, Api, Browser


def test_no_redirect_takes_a_key_along() -> None:
    seen: list[str] = []
    thief, shop = Flask("thief"), Flask("shop")

    @thief.route("/<path:_path>", methods=["GET", "POST"])
    def take(_path: str) -> str:
        seen.append(request.headers.get("Authorization", ""))
        return "{}"

    with serving(thief) as elsewhere:

        @shop.route("/away/<int:status>", methods=["GET", "POST"])
        def away(status: int) -> Response:
            return redirect(f"{elsewhere}/got", status)  # type: ignore[return-value]

        @shop.get("/within")
        def within() -> Response:
            return redirect("/page")  # type: ignore[return-value]

        @shop.get("/page")
        def page() -> str:
            return "a page"

        with serving(shop) as address:
            api, browser = Api(address, "secret"), Browser(address)
            for status in (301, 302, 303, 307, 308):
                for ask in (lambda path: api.get(path), lambda path: api.post(path, {}), lambda path: api.send(path, b"x", "text/plain"),
                            browser.get):  # fmt: skip
                    with pytest.raises(AnswerError) as caught:
                        ask(f"/away/{status}")
                    assert caught.value.code == f"http-{status}"
            with pytest.raises(AnswerError):
                api.get("/within")
            assert browser.get("/within") == "a page" and browser.at == f"{address}/page"
    assert seen == []
