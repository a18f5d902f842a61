"""SM2: the standard's example, every refusal of R2 and R3 over both back-ends, and the two against each other."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.weid import sm2_reference as reference
from weid.errors import SignatureError
from weid.suites import _sm2_gmssl, _sm2_openssl
from weid.suites._curve import SM2P256, compressed, point
from weid.suites.sm2 import Sm2

BOTH = ["openssl", "gmssl"]
SECRET = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
XY = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
PUBLIC = compressed(XY)
MESSAGE = b"message digest"
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
N = SM2P256.n


@pytest.fixture(params=BOTH)
def sm2(request: pytest.FixtureRequest) -> Sm2:
    """The suite over one back-end after the other."""
    backend = _sm2_openssl.load() if request.param == "openssl" else _sm2_gmssl.load()
    if backend is None:
        pytest.skip(f"no {request.param} here")
    return Sm2(backend)


@pytest.fixture
def pair() -> tuple[Sm2, Sm2]:
    """Both back-ends at once."""
    fast, slow = _sm2_openssl.load(), _sm2_gmssl.load()
    if fast is None or slow is None:
        pytest.skip("only one SM2 back-end here")
    return Sm2(fast), Sm2(slow)


def forge(e: int) -> bytes:
    """A signature by the example's secret over any digest."""
    return reference.sign(SECRET, NONCE, e)


def test_reference_gives_the_example() -> None:
    """The tests' own arithmetic reproduces GB/T 32918.5 annex A, nonce and all."""
    assert reference.public_xy(SECRET) == XY
    assert forge(reference.digest(XY, MESSAGE)) == SIGNATURE


def test_standard_example(sm2: Sm2) -> None:
    """Each back-end derives the example's key and accepts its signature."""
    assert sm2.public(reference.number(SECRET)) == PUBLIC
    assert point(SM2P256, PUBLIC) == XY
    sm2.verify(PUBLIC, MESSAGE, SIGNATURE)
    sm2.verify(PUBLIC, MESSAGE, sm2.sign(reference.number(SECRET), MESSAGE))


@pytest.mark.parametrize("signer_id", [b"", b"1234567812345670", b"12345678", b"did:weid:1:0x00", b"\0" * 16])
def test_any_other_id_is_refused(sm2: Sm2, signer_id: bytes) -> None:
    """Wrong and empty ids: OpenSSL 3.0 left alone would take the empty one (R3)."""
    with pytest.raises(SignatureError):
        sm2.verify(PUBLIC, MESSAGE, forge(reference.digest(XY, MESSAGE, signer_id)))


def test_no_z_and_another_keys_z_are_refused(sm2: Sm2) -> None:
    """Z comes from the resolved key (R3)."""
    other = reference.public_xy(SECRET - 1)
    bare = int.from_bytes(sm2.hash(MESSAGE), "big")
    for e in (reference.digest(other, MESSAGE), bare):
        with pytest.raises(SignatureError):
            sm2.verify(PUBLIC, MESSAGE, forge(e))


def test_s_plus_n_and_trailing_bytes_are_refused(sm2: Sm2) -> None:
    """gmssl alone would take both (R2)."""
    s = int.from_bytes(SIGNATURE[32:], "big") + N
    r = int.from_bytes(SIGNATURE[:32], "big") + N
    for forged in (
        SIGNATURE[:32] + s.to_bytes(33, "big"),
        r.to_bytes(33, "big") + SIGNATURE[32:],
        SIGNATURE + b"\0",
        SIGNATURE + SIGNATURE[32:],
    ):
        with pytest.raises(SignatureError):
            sm2.verify(PUBLIC, MESSAGE, forged)


def test_zero_r_zero_s_and_r_plus_s_equal_n_are_refused(sm2: Sm2) -> None:
    """Each drops a term out of the equation (R3)."""
    r, s = SIGNATURE[:32], SIGNATURE[32:]
    complement = reference.number(N - int.from_bytes(s, "big"))
    for forged in (bytes(32) + s, r + bytes(32), bytes(64), complement + s):
        with pytest.raises(SignatureError) as caught:
            sm2.verify(PUBLIC, MESSAGE, forged)
        assert caught.value.code == "signature-range"


def test_reaching_infinity_is_refused(sm2: Sm2) -> None:
    """s = −r·d / (1 + d) makes s·G + t·P infinity: a refusal, not a crash (R3)."""
    r = 12345
    s = -r * SECRET * pow(1 + SECRET, -1, N) % N
    assert reference.add(reference.multiply(s, reference.G), reference.multiply((r + s) % N, _affine(XY))) is None
    with pytest.raises(SignatureError):
        sm2.verify(PUBLIC, MESSAGE, reference.number(r) + reference.number(s))


def _affine(xy: bytes) -> tuple[int, int]:
    return int.from_bytes(xy[:32], "big"), int.from_bytes(xy[32:], "big")


def test_der_is_refused(sm2: Sm2) -> None:
    """DER never reaches a parser, even when it happens to be 64 bytes long (R2)."""
    r, s = _affine(SIGNATURE)
    short = encode_dss_signature(r >> 24, s >> 24)
    assert len(short) <= 72
    for forged in (encode_dss_signature(r, s), short, short[:64].ljust(64, b"\0")):
        with pytest.raises(SignatureError):
            sm2.verify(PUBLIC, MESSAGE, forged)


def test_two_signatures_never_share_a_nonce(sm2: Sm2) -> None:
    """r repeats only if the nonce does, and a repeated nonce gives the secret away (R4)."""
    secret = reference.number(SECRET)
    assert len({sm2.sign(secret, MESSAGE)[:32] for _ in range(8)}) == 8


def _cross_check(pair: tuple[Sm2, Sm2], count: int) -> None:
    for index in range(count):
        secret, message = pair[0].generate(secrets.token_bytes), secrets.token_bytes(index % 80)
        public = pair[0].public(secret)
        assert public == pair[1].public(secret)
        for signer, verifier in (pair, pair[::-1]):
            signature = signer.sign(secret, message)
            verifier.verify(public, message, signature)
            with pytest.raises(SignatureError):
                verifier.verify(public, message + b"!", signature)


def test_back_ends_agree(pair: tuple[Sm2, Sm2]) -> None:
    """What one signs the other verifies, over random keys."""
    _cross_check(pair, 12)


@pytest.mark.long
def test_back_ends_agree_on_200_keys(pair: tuple[Sm2, Sm2]) -> None:
    """The same over 200 keys, of which gmssl left alone would fail about 27."""
    _cross_check(pair, 200)


def test_keys_whose_hex_begins_with_04(pair: tuple[Sm2, Sm2]) -> None:
    """gmssl's constructor would eat the leading digits of exactly these keys."""
    found = 0
    for number in range(1, 3000):
        secret = reference.number(number)
        public = pair[0].public(secret)
        if public[1] not in (0x00, 0x04, 0x40, 0x44):
            continue
        found += 1
        pair[1].verify(public, b"m", pair[0].sign(secret, b"m"))
        pair[0].verify(public, b"m", pair[1].sign(secret, b"m"))
        if found == 8:
            return
    pytest.fail("too few such keys")


def test_threads_share_keys_safely() -> None:
    """Concurrent signing and checking, with more keys than threads, gives only right answers."""
    sm2 = Sm2(_sm2_openssl.load() or _sm2_gmssl.load())
    keys = [sm2.generate(secrets.token_bytes) for _ in range(6)]

    def work(index: int) -> bool:
        secret, message = keys[index % len(keys)], b"%d" % index
        public, signature = sm2.public(secret), sm2.sign(secret, message)
        sm2.verify(public, message, signature)
        try:
            sm2.verify(public, message + b"!", signature)
        except SignatureError:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_a_failed_check_leaves_no_error_behind() -> None:
    """OpenSSL's error queue belongs to the thread: a refusal must not surface in someone else's call."""
    backend = _sm2_openssl.load()
    if backend is None:
        pytest.skip("no libcrypto with SM2 here")
    with pytest.raises(SignatureError):
        Sm2(backend).verify(PUBLIC, b"other", SIGNATURE)
    assert backend._crypto.ERR_peek_error() == 0


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("signer_id,accepted", [("1234567812345678", True), ("1234567812345670", False), ("", False)])
def test_openssl_command_verifies_ours(sm2: Sm2, tmp_path: Path, signer_id: str, accepted: bool) -> None:
    """The `openssl` command accepts our signature under our id and under no other."""
    if shutil.which("openssl") is None or not _openssl("version").stdout.startswith("OpenSSL 3"):
        pytest.skip("no OpenSSL 3 command on PATH")
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + XY
    (tmp_path / "key.der").write_bytes(spki)
    (tmp_path / "message").write_bytes(MESSAGE)
    signature = sm2.sign(reference.number(SECRET), MESSAGE)
    (tmp_path / "signature").write_bytes(encode_dss_signature(*_affine(signature)))
    done = _openssl(
        *("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", str(tmp_path / "key.der")),
        *("-rawin", "-digest", "sm3", "-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "signature")),
        *(("-pkeyopt", f"distid:{signer_id}") if signer_id else ()),
    )
    assert (done.returncode == 0) is accepted, done.stderr
