"""What a schema may say about signing together."""

from __future__ import annotations

import pytest

from credentials.joint import Joint, cosign_fingerprint, joint_from_json
from weid.errors import MalformedError, SchemaError
from weid.hashes import SHA256

A, B = (f"did:weid:1:0x{letter * 40}" for letter in "ab")


def test_named_or_any() -> None:
    """Named signers, or any that are accredited; only named ones can have an order."""
    named = joint_from_json({"signers": [A, B], "threshold": 2, "ordered": True})
    assert named == Joint((A, B), 2, True) and named.may_sign(A) and not named.may_sign(f"{A[:-1]}c")
    anybody = joint_from_json({"signers": [], "threshold": 3, "ordered": False})
    assert anybody.may_sign(A)


@pytest.mark.parametrize(
    "wrong",
    [
        None, {}, {"signers": [], "threshold": 2}, {"signers": [], "threshold": 2, "ordered": True},
        {"signers": [A, A], "threshold": 2, "ordered": False}, {"signers": [A, B], "threshold": 3, "ordered": False},
        {"signers": [A, B], "threshold": 1, "ordered": False}, {"signers": [A, B], "threshold": True, "ordered": False},
        {"signers": [A, "x"], "threshold": 2, "ordered": False}, {"signers": [A, 1], "threshold": 2, "ordered": False},
        {"signers": "x", "threshold": 2, "ordered": False}, {"signers": [], "threshold": 17, "ordered": False},
        {"signers": [], "threshold": 2, "ordered": 1}, {"signers": [], "threshold": 2, "ordered": False, "more": 1},
    ],
)  # fmt: skip
def test_what_says_nothing_clear_is_refused(wrong: object) -> None:
    """One signer is not joint; more than may sign can never be enough; an order needs names."""
    with pytest.raises(SchemaError):
        joint_from_json(wrong)  # type: ignore[arg-type]


def test_a_word_is_of_one_institution_about_one_certificate() -> None:
    """Another signer, log or certificate is another fingerprint."""
    made = {
        cosign_fingerprint(cid, origin=origin, signer=signer, hash=SHA256)
        for cid in (bytes(16), b"x" * 16) for origin in ("one", "two") for signer in (A, B)
    }  # fmt: skip
    assert len(made) == 8
    with pytest.raises(MalformedError):
        cosign_fingerprint(b"short", origin="one", signer=A, hash=SHA256)
