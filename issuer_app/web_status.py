"""The desk's status lists for strangers: `GET /status/<number>/<purpose>`, made from what the registry has accepted.

Nobody asks about one certificate here: the answer is the whole list or nothing, whoever asks and whyever.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response
from flask_limiter.util import get_remote_address

from issuer_app import frame
from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.published import answer
from weid.errors import KeyMaterialError

__all__ = ["routes"]

routes = Blueprint("status", __name__, url_prefix="/status")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


@routes.get("/<number>/<purpose>")
def status_list(number: str, purpose: str) -> Response:
    """A BitstringStatusListCredential; NotFoundError in the same words for every list that there is not."""
    conf = frame.config()
    frame.slow_down(conf.limits.api, "status", get_remote_address())
    found = None
    if conf.desk is not None and _NUMBER.fullmatch(number):
        try:
            found = conf.desk.status_list(int(number), purpose, conf.now())
        except KeyMaterialError as error:  # our trouble, not the caller's
            raise RefusedError(str(error), code="unreachable") from error
    if found is None:
        raise NotFoundError("no such status list")
    return answer(found, conf.now())
