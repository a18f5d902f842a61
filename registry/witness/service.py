"""A witness as an HTTP service: `POST /add-checkpoint` and the checkpoint it cosigned last, for monitors (tlog-witness)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from registry.cosignature import cosign
from registry.evidence import find_fork
from registry.note import Note, print_note
from registry.witness.core import MAX_BODY, PLAIN, Answer, Request, Watched, conflict, decide, parse_request
from registry.witness.store import WitnessStore
from weid.codec import b64
from weid.errors import MalformedError, RegistryError
from weid.hashes import SHA256
from weid.keys import Signer

__all__ = ["WitnessService", "create_witness"]


@dataclass(frozen=True, slots=True)
class WitnessService:
    """A witness with its keys (one of each kind at most), memory and clock (POSIX seconds)."""

    name: str
    signers: tuple[Signer, ...]
    store: WitnessStore
    clock: Callable[[], int]

    def add_checkpoint(self, data: bytes) -> Answer:
        """The answer to the body of one request. A cosignature leaves only after the checkpoint is stored."""
        try:
            asked = parse_request(data)
        except MalformedError as error:
            return Answer(400, f"{error}\n")
        log = self.store.log(asked.checkpoint.origin)
        answer = decide(asked, log)
        if log is None or answer.status != 200:
            if log is not None and answer.status in (409, 422):
                self._accuse(asked, log)
            return answer
        at = self.clock()
        lines = tuple(cosign(asked.note.text, self.name, signer, at=at) for signer in self.signers)
        known = {(key.name, key.key_id) for key in log.keys}
        theirs = tuple(line for line in asked.note.signatures if (line.name, line.key_id) in known)
        note = print_note(Note(asked.note.text, (*theirs, *lines)))
        if not self.store.advance(log, asked.checkpoint, note):
            latest = self.store.log(log.origin)
            return conflict(log.size if latest is None else latest.size)
        return Answer(200, "".join(f"— {line.name} {b64(line.key_id + line.signature)}\n" for line in lines))

    def _accuse(self, asked: Request, log: Watched) -> None:
        """Keep the proof, where the refused checkpoint and the one remembered cannot both be of one log."""
        before, authority = self.store.note(SHA256(log.origin.encode()).hex()), self.store.authority(log.origin)
        if before is None or authority is None:
            return
        ours = tuple(line for line in asked.note.signatures if (line.name, line.key_id) == (log.origin, log.keys[-1].key_id))
        found = find_fork(authority, before, print_note(Note(asked.note.text, ours)), [asked.proof])
        if found is not None:
            self.store.keep_evidence(found)


def create_witness(service: WitnessService, *, rate: str = "600 per minute") -> Flask:
    """The WSGI app of a witness."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY

    def add_checkpoint() -> Response:
        answer = service.add_checkpoint(request.get_data(cache=False))
        return Response(answer.body, status=answer.status, content_type=answer.content_type)

    def checkpoint(place: str) -> Response:
        note = service.store.note(place)
        if note is None:
            return Response("this witness has cosigned nothing of this log\n", status=404, content_type=PLAIN)
        # The last one only: what says that the log is no further must not outlive that.
        head = {"Cache-Control": "no-cache"}
        return Response(note, content_type=PLAIN, headers=head)

    def broken(error: RegistryError) -> Response:
        return Response(f"{error.code}\n", status=503, content_type=PLAIN)

    app.add_url_rule("/<place>/checkpoint", view_func=checkpoint, methods=["GET"])
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    app.add_url_rule("/add-checkpoint", view_func=limiter.limit(rate)(add_checkpoint), methods=["POST"])
    app.register_error_handler(RegistryError, broken)
    return app
