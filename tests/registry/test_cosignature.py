"""Cosignatures and policies as C2SP has them: bytes, refusals, quorums (R19)."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from registry.checkpoint import Checkpoint, print_checkpoint
from registry.cosignature import CosignerKey, cosign, verify_cosignature
from registry.note import Note, NoteKey, parse_note, sign_note
from registry.policy import NO_WITNESSES, Group, Policy, parse_policy, print_policy, verify_quorum
from tests.registry.witnesses import policy_of, witness_signer
from weid.errors import MalformedError, SignatureError, TrustError, WeidError
from weid.hashes import SHA256
from weid.keys import LocalSigner

AT = 1_679_315_147
LOG = LocalSigner(b"\1" * 32, "ed25519", "log.example", "log")
TEXT = print_checkpoint(Checkpoint("log.example", 7, bytes(range(32))))
SUITES = ("ed25519", "sm2", "ml-dsa-44")

# The example of tlog-cosignature: a checkpoint, its log's line, and a witness's line made at 1679315147.
PUBLISHED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_the_published_line_has_the_published_time() -> None:
    """Four bytes of key id, eight of time, sixty-four of signature (tlog-cosignature, Format)."""
    line = parse_note(PUBLISHED.encode()).signatures[1]

    assert int.from_bytes(line.signature[:8], "big") == AT
    assert len(line.signature) == 8 + 64


@pytest.mark.parametrize("name", SUITES)
def test_a_cosignature_is_bound_to_text_time_and_key(name: str) -> None:
    """Every bit of the line counts, and so do the text, the name and the key."""
    signer = witness_signer(1, name)
    key = CosignerKey("witness.example/1", signer.public_key)
    line = cosign(TEXT, key.name, signer, at=AT)

    assert verify_cosignature(TEXT, line, key) == AT
    assert CosignerKey.parse(key.text()) == key
    wrong = [replace(line, signature=line.signature[:n] + bytes([line.signature[n] ^ 1]) + line.signature[n + 1 :])
             for n in (0, 7, 8, 40, len(line.signature) - 1)]  # fmt: skip
    wrong += [replace(line, signature=line.signature + b"\0"), replace(line, signature=bytes(8) + line.signature[8:])]
    wrong += [replace(line, name="other"), replace(line, key_id=b"1234"), replace(line, signature=line.signature[:8])]
    for changed in wrong:
        with pytest.raises(SignatureError):
            verify_cosignature(TEXT, changed, key)
    for text in (TEXT.replace("\n7\n", "\n8\n"), TEXT.replace("log.example", "log.sample")):
        with pytest.raises(SignatureError):
            verify_cosignature(text, line, key)


def test_the_signed_bytes_are_those_of_c2sp() -> None:
    """Made again here, field by field, and checked by the libraries directly."""
    ed, ml = witness_signer(1), witness_signer(1, "ml-dsa-44")
    message = f"cosignature/v1\ntime {AT}\n{TEXT}".encode()
    line = cosign(TEXT, "w.example", ed, at=AT)
    Ed25519PrivateKey.from_private_bytes(bytes([101]) * 32).public_key().verify(line.signature[8:], message)
    assert line.key_id == SHA256(b"w.example\n\x04" + ed.public_key.data)[:4]

    message = b"subtree/v1\n\0" + b"\x09w.example" + AT.to_bytes(8, "big") + b"\x0blog.example" + bytes(8)
    message += (7).to_bytes(8, "big") + bytes(range(32))
    line = cosign(TEXT, "w.example", ml, at=AT)
    MLDSA44PrivateKey.from_seed_bytes(bytes([101]) * 32).public_key().verify(line.signature[8:], message)
    assert line.key_id == SHA256(b"w.example\n\x06" + ml.public_key.data)[:4]
    assert len(line.signature) == 8 + 2420


def test_only_checkpoints_are_cosigned_and_never_without_a_time() -> None:
    signer = witness_signer(1)
    for text, at in (("hello\n", AT), (TEXT + "extension\n", AT), (TEXT, 0), (TEXT, -1), (TEXT, 1 << 63)):
        with pytest.raises(MalformedError):
            cosign(text, "w.example", signer, at=at)
    with pytest.raises(SignatureError):
        signer.sign("c2sp/note", b"text\n")


# --- policies --------------------------------------------------------------------------------------------------

SIX = [witness_signer(n) for n in range(6)]
KEYS = [CosignerKey(signer.kid, signer.public_key).text() for signer in SIX]
EXAMPLE = "".join(f"witness {name} {key}\n" for name, key in zip(("X1", "X2", "X3", "Y1", "Y2", "Y3"), KEYS, strict=True))
EXAMPLE += "group X 2 X1 X2 X3\ngroup Y any Y1 Y2 Y3\ngroup X-and-Y all X Y\nquorum X-and-Y\n"


def test_the_example_of_tlog_policy_is_met_by_exactly_its_quorums() -> None:
    """Two of three and any of three: all 64 subsets of the six witnesses."""
    policy = parse_policy(EXAMPLE)
    names = [witness.name for witness in policy.witnesses]

    assert print_policy(policy) == EXAMPLE
    for size in range(7):
        for chosen in combinations(names, size):
            expected = sum(name[0] == "X" for name in chosen) >= 2 and any(name[0] == "Y" for name in chosen)
            assert policy.met(chosen) is expected
    assert not policy.met(["X", "Y", "X-and-Y", "none"])
    assert parse_policy("quorum none\n").met([]) and NO_WITNESSES.met([])


def test_comments_and_blanks_are_read_and_not_printed() -> None:
    loose = "# who\n\n \t" + EXAMPLE.replace("quorum ", "quorum \t ") + "  # end\n"

    assert print_policy(parse_policy(loose)) == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum none", "quorum x\n", "quorum none\nquorum none\n", EXAMPLE.replace("quorum X-and-Y\n", ""),
        EXAMPLE.replace("2 X1", "0 X1"), EXAMPLE.replace("2 X1", "4 X1"), EXAMPLE.replace("2 X1", "02 X1"),
        EXAMPLE.replace("2 X1", "most X1"), EXAMPLE.replace("X1 X2 X3", "X1 X2 X2"), EXAMPLE.replace("all X Y", "all X X1"),
        EXAMPLE.replace("witness X2", "witness X1"), EXAMPLE.replace("witness X2", "witness none"),
        EXAMPLE.replace(KEYS[1], KEYS[0]), EXAMPLE.replace(KEYS[1], KEYS[1][:-4]), EXAMPLE.replace("X1 X2 X3", "X1 none"),
        "group g any X1\n" + EXAMPLE, EXAMPLE.replace("quorum", "Quorum"), EXAMPLE + "\x00\n", EXAMPLE + "x" * (1 << 18) + "\n",
        EXAMPLE.replace(KEYS[0], NoteKey("log.example", LOG.public_key).text()), "group g all\n" + EXAMPLE,
        "".join(f"group g{n} any X1\n" for n in range(65)) + EXAMPLE,
    ],
)  # fmt: skip
def test_wrong_policies_are_refused(text: str) -> None:
    with pytest.raises(WeidError):
        parse_policy(text)


def test_the_time_of_a_quorum_is_moved_by_no_single_witness() -> None:
    """One witness whose clock runs ahead, or which lies, moves nothing (R7)."""
    policy = parse_policy(policy_of(SIX[:3], 2))

    assert policy.time({"w0": 10, "w1": 20, "w2": 30}) == 20
    assert policy.time({"w0": 10, "w1": 20, "w2": 1 << 62}) == 20
    assert policy.time({"w0": 10}) is None
    assert NO_WITNESSES.time({"w0": 10}) is None
    assert Policy(groups=(Group("g", 1, ("x",)),), quorum="g").met(["x"]) is False


def test_every_line_of_a_checkpoint_is_checked() -> None:
    """R27: a stranger's line, a wrong one, one twice, another order, or the log's line missing: refused by name."""
    policy, log = parse_policy(policy_of(SIX[:3], 2)), NoteKey("log.example", LOG.public_key)
    note = sign_note(TEXT, "log.example", LOG)
    lines = [cosign(TEXT, signer.kid, signer, at=AT + n) for n, signer in enumerate(SIX)]
    good = Note(TEXT, (*note.signatures, lines[0], lines[2]))

    assert verify_quorum(good, log, policy) == {"w0": AT, "w2": AT + 2}
    forged = replace(lines[1], signature=lines[1].signature[:8] + lines[0].signature[8:])
    for signatures, code in (
        ((*note.signatures, lines[0]), "no-quorum"),
        (note.signatures, "no-quorum"),
        ((*note.signatures, lines[0], lines[2], lines[4]), "unknown-cosigner"),
        ((*note.signatures, lines[2], lines[0]), "unknown-cosigner"),
        ((*note.signatures, lines[0], lines[0]), "unknown-cosigner"),
        ((*note.signatures, lines[0], forged), "bad-signature"),
        ((lines[0], lines[2]), "no-signature"),
        ((*note.signatures, *note.signatures, lines[0], lines[2]), "no-signature"),
    ):
        with pytest.raises((TrustError, SignatureError)) as caught:
            verify_quorum(Note(TEXT, signatures), log, policy)
        assert caught.value.code == code
