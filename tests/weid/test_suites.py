"""The signature suites: published vectors, and the acceptance set that is ours and not a library's (R2)."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vectors import vector, vector_json
from weid.codec import unmultibase
from weid.errors import KeyMaterialError, SignatureError, UnknownSuiteError, WeidError
from weid.hashes import SHA256, SHA384, SHA512, SM3, hash_named
from weid.keys import PublicKey
from weid.suites import SUITES, _ed25519, _sm2_gmssl, _sm2_openssl, ed25519, own_suite, require_low_s, suite, suite_by_code
from weid.suites._curve import P256, P384, P521, SECP256K1, SM2P256
from weid.suites.sm2 import Sm2

BACKENDS = {"openssl": _sm2_openssl.load(), "gmssl": _sm2_gmssl.load()}
EVERY = {
    **{name: known for name, known in SUITES.items() if name != "sm2"},
    **{f"sm2-{name}": Sm2(backend) for name, backend in BACKENDS.items() if backend is not None},
}
CURVES = {"p256": P256, "p384": P384, "p521": P521, "secp256k1": SECP256K1, "sm2-openssl": SM2P256, "sm2-gmssl": SM2P256}
ON_CURVES = [name for name in EVERY if name in CURVES]
OWN = ("ed25519", "p256", "sm2", "secp256k1")
L = 2**252 + 27742317777372353535851937790883648493
P25519 = 2**255 - 19


def fresh(name: str) -> tuple[bytes, bytes]:
    secret = EVERY[name].generate(secrets.token_bytes)
    return secret, EVERY[name].public(secret)


def signed(name: str, message: bytes = b"message") -> tuple[bytes, bytes]:
    secret, public = fresh(name)
    return public, EVERY[name].sign(secret, message)


# --- the table ---------------------------------------------------------------------------------


def test_table_is_closed_and_read_only() -> None:
    """Names, numbers and multicodecs are fixed; anything else is an unknown suite."""
    expected = {
        "ed25519": (1, "sha256", 0xED),
        "p256": (2, "sha256", 0x1200),
        "sm2": (3, "sm3", 0x1206),
        "secp256k1": (4, "sha256", 0xE7),
        "p384": (5, "sha384", 0x1201),
        "ml-dsa-44": (6, "sha256", 0x1210),
        "p521": (7, "sha512", 0x1202),
    }
    assert expected == {n: (s.code, s.hash.name, s.multicodec) for n, s in SUITES.items()}
    for name in OWN:
        assert suite(name) is suite_by_code(expected[name][0])
    for wrong in ("Ed25519", "", "rsa"):
        with pytest.raises(UnknownSuiteError):
            suite(wrong)
    for number in (0, 8, True, 1.0):
        with pytest.raises(UnknownSuiteError):
            suite_by_code(number)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        SUITES["x"] = SUITES["sm2"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["p384", "p521", "ml-dsa-44"])
def test_suites_that_do_not_fit_our_own_formats_are_refused_by_name(name: str) -> None:
    """Compact forms find a suite by its number; these have one, and are refused there all the same (R2)."""
    for attempt in (lambda: own_suite(name), lambda: suite_by_code(suite(name).code)):
        with pytest.raises(UnknownSuiteError, match=f"^{name} signs no compact codes") as caught:
            attempt()
        assert caught.value.code == "wrong-suite"


def test_lengths_are_the_suites_own() -> None:
    """(secret, public key, signature) in bytes; those of our own formats all sign 64."""
    lengths = {"ed25519": (32, 32, 64), "p256": (32, 33, 64), "sm2": (32, 33, 64), "secp256k1": (32, 33, 64),
               "p384": (48, 49, 96), "p521": (66, 67, 132), "ml-dsa-44": (32, 1312, 2420)}  # fmt: skip
    for name, chosen in SUITES.items():
        secret, public = fresh(name) if name != "sm2" else fresh("sm2-gmssl")
        signature = chosen.sign(secret, b"message")
        assert (len(secret), len(public), len(signature)) == lengths[name]
        assert (chosen.secret_bytes, chosen.signature_bytes) == (len(secret), len(signature))
        assert (len(signature) == 64) is (name in OWN)


def test_hashes() -> None:
    """The published digests of `abc`; no other hash has a name in our own formats."""
    assert SHA256(b"abc").hex().startswith("ba7816bf8f01cfea414140de5dae2223")
    assert SM3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert SHA512(b"abc").hex().startswith("ddaf35a193617abacc417349ae204131")
    assert SHA384(b"abc").hex().startswith("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163")
    every = (SHA256, SM3, SHA384, SHA512)
    assert [hash.size for hash in every] == [len(hash(b"")) for hash in every] == [32, 32, 48, 64]
    assert hash_named("sm3") is SM3
    for name in ("md5", "sha384", "sha512"):
        with pytest.raises(UnknownSuiteError):
            hash_named(name)


# --- published vectors -------------------------------------------------------------------------

RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize("secret,public,message,signature", RFC8032)
def test_rfc8032(secret: str, public: str, message: str, signature: str) -> None:
    """Ed25519 gives the bytes of RFC 8032 7.1."""
    chosen = suite("ed25519")
    assert chosen.public(bytes.fromhex(secret)).hex() == public
    assert chosen.sign(bytes.fromhex(secret), bytes.fromhex(message)).hex() == signature
    chosen.verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))


@pytest.mark.parametrize(
    "message,r,s",
    [
        (
            b"sample",
            0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
            0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
        ),
        (
            b"test",
            0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
            0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
        ),
    ],
)
def test_rfc6979(message: bytes, r: int, s: int) -> None:
    """P-256 signs with the nonce of RFC 6979 A.2.5 and gives the low one of s and n − s."""
    secret = bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
    signature = suite("p256").sign(secret, message)
    assert signature == r.to_bytes(32, "big") + min(s, P256.n - s).to_bytes(32, "big")


@pytest.mark.parametrize(
    "message,r,s",
    [
        (
            b"sample",
            0x94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46,
            0x99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8,
        ),
        (
            b"test",
            0x8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB,
            0xDDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B828246BAA5A5,
        ),
    ],
)
def test_rfc6979_p384(message: bytes, r: int, s: int) -> None:
    """P-384 signs SHA-384 with the nonce of RFC 6979 A.2.6 and gives the low one of s and n − s."""
    secret = bytes.fromhex("6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5")
    signature = suite("p384").sign(secret, message)
    assert signature == r.to_bytes(48, "big") + min(s, P384.n - s).to_bytes(48, "big")
    suite("p384").verify(suite("p384").public(secret), message, r.to_bytes(48, "big") + s.to_bytes(48, "big"))


def test_rfc6979_p521() -> None:
    """P-521 signs SHA-512 with the nonce of RFC 6979 A.2.7."""
    secret = int(
        "0fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
        16,
    ).to_bytes(66, "big")
    r = int(
        "0c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
        16,
    )
    assert suite("p521").sign(secret, b"sample")[:66] == r.to_bytes(66, "big")


def test_p521_secrets_are_drawn_evenly() -> None:
    """Seven bits of the first byte are cleared, not tried for: a fair source gives a secret at once."""
    assert suite("p521").generate(lambda size: b"\xfe" + b"\x01" * (size - 1)) == b"\0" + b"\x01" * 65
    assert {suite("p521").generate(secrets.token_bytes)[0] for _ in range(64)} == {0, 1}


@pytest.mark.parametrize("folder", ["ecdsa-jcs-2019-p384", "ecdsa-rdfc-2019-p384"])
def test_w3c_p384_vectors(folder: str) -> None:
    """The W3C P-384 signatures over their 96 bytes of hash data verify; re-signing gives the same r."""
    base, stem = f"vc-di-ecdsa/TestVectors/{folder}", "JCSECDSAP384" if "jcs" in folder else "ECDSAP384"
    keys = vector_json("vc-di-ecdsa/TestVectors/p384KeyPair.json")
    public = PublicKey.from_multikey(keys["publicKeyMultibase"])
    assert public.suite == "p384"
    message = bytes.fromhex(vector(f"{base}/combinedHash{stem}.txt").read_text().strip())
    signature = unmultibase(vector(f"{base}/sigBTC58{stem}.txt").read_text().strip())
    assert (len(message), len(signature)) == (96, 96)
    suite("p384").verify(public.data, message, signature)
    assert suite("p384").sign(unmultibase(keys["secretKeyMultibase"])[2:], message)[:48] == signature[:48]


@pytest.mark.parametrize(
    "folder,stem,low",
    [
        ("ecdsa-jcs-2019-p256", "JCSECDSAP256", True),
        ("ecdsa-rdfc-2019-p256/employ", "ECDSAP256", True),
        ("ecdsa-rdfc-2019-p256", "ECDSAP256", False),
    ],
)
def test_w3c_ecdsa_vectors(folder: str, stem: str, low: bool) -> None:
    """The W3C P-256 signatures verify; re-signing gives their bytes, or their low-S twin."""
    base = f"vc-di-ecdsa/TestVectors/{folder}"
    if folder.endswith("employ"):
        pair = vector_json(f"{base}/signed{stem}.json")["proof"]["verificationMethod"].split("#")[1]
        secret = None
    else:
        keys = vector_json("vc-di-ecdsa/TestVectors/p256KeyPair.json")
        pair, secret = keys["publicKeyMultibase"], unmultibase(keys["secretKeyMultibase"])[2:]
    public = PublicKey.from_multikey(pair)
    message = bytes.fromhex(vector(f"{base}/combinedHash{stem}.txt").read_text().strip())
    signature = unmultibase(vector(f"{base}/sigBTC58{stem}.txt").read_text().strip())
    suite("p256").verify(public.data, message, signature)
    if secret is not None:
        ours = suite("p256").sign(secret, message)
        assert ours[:32] == signature[:32]
        assert (ours == signature) is low
    if low:
        require_low_s("p256", signature)
    else:
        with pytest.raises(SignatureError) as caught:
            require_low_s("p256", signature)
        assert caught.value.code == "high-s"


# --- every suite -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_round_trip_and_refusal_of_every_change(name: str) -> None:
    """A signature verifies for its message and key alone."""
    chosen = EVERY[name]
    secret, public = fresh(name)
    signature = chosen.sign(secret, b"message")
    chosen.verify(public, b"message", signature)
    size = len(signature)
    places = (0, size // 2 - 1, size // 2, size - 1)
    changed = [signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :] for i in places]
    for other_key, message, other in [
        (public, b"Message", signature),
        (public, b"", signature),
        (fresh(name)[1], b"message", signature),
        *((public, b"message", item) for item in changed),
    ]:
        with pytest.raises(SignatureError):
            chosen.verify(other_key, message, other)


@pytest.mark.parametrize("name", EVERY)
def test_signature_has_exactly_its_suites_raw_bytes(name: str) -> None:
    """Shorter, longer, empty, DER, another suite's length and text are refused: length never chooses an algorithm (R2)."""
    public, signature = signed(name)
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    others = [bytes(size) for size in (64, 96, 132, 2420) if size != len(signature)]
    for wrong in (b"", signature[:-1], signature + b"\0", signature * 2, encode_dss_signature(r, s), signature.hex(), *others):
        with pytest.raises(SignatureError) as caught:
            EVERY[name].verify(public, b"message", wrong)  # type: ignore[arg-type]
        assert caught.value.code == "signature-length"


@pytest.mark.parametrize("name", EVERY)
def test_secrets_are_checked(name: str) -> None:
    """A secret has its length and is in range; a broken random source is noticed."""
    chosen = EVERY[name]
    size = chosen.secret_bytes
    wrong: list[bytes] = [b"", b"\1" * (size - 1), b"\1" * (size + 1)]
    if name in CURVES:
        curve = CURVES[name]
        wrong += [bytes(size), curve.n.to_bytes(size, "big"), (curve.largest_secret + 1).to_bytes(size, "big")]
        chosen.public(curve.largest_secret.to_bytes(size, "big"))
        with pytest.raises(KeyMaterialError):
            chosen.generate(bytes)  # never anything but zeros
    for secret in wrong:
        with pytest.raises(KeyMaterialError):
            chosen.public(secret)
        with pytest.raises(KeyMaterialError):
            chosen.sign(secret, b"message")
    with pytest.raises(KeyMaterialError):
        chosen.generate(lambda count: b"\1" * (count - 1))


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_only_our_errors_escape(name: str, data: st.DataObject) -> None:
    """Whatever the key and signature bytes, verify raises a WeidError (or, never here, passes)."""
    size = {"ed25519": 32, "ml-dsa-44": 1312, "p384": 49, "p521": 67}.get(name, 33)
    public = data.draw(st.binary(max_size=70) | st.binary(min_size=size, max_size=size).map(lambda b: b"\2" + b[1:]))
    length = EVERY[name].signature_bytes
    signature = data.draw(st.binary(max_size=70) | st.binary(min_size=length, max_size=length))
    with pytest.raises(WeidError):
        EVERY[name].verify(public, b"message", signature)


# --- curves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ON_CURVES)
def test_r_and_s_are_in_range(name: str) -> None:
    """r and s are in [1, n−1]: 0, n, n+1 and everything above are refused before the library sees them (R2)."""
    public, signature = signed(name)
    n, width = CURVES[name].n, CURVES[name].width
    for wrong in (0, n, n + 1, 2 ** (8 * width) - 1):
        number = wrong.to_bytes(width, "big")
        for forged in (number + signature[width:], signature[:width] + number):
            with pytest.raises(SignatureError) as caught:
                EVERY[name].verify(public, b"message", forged)
            assert caught.value.code == "signature-range"


@pytest.mark.parametrize("name", ON_CURVES)
def test_public_keys_are_compressed_canonical_and_on_the_curve(name: str) -> None:
    """Infinity, uncompressed and hybrid forms, x ≥ p and points off the curve are refused (R2)."""
    public, signature = signed(name)
    curve = CURVES[name]
    x = next(x for x in range(1, 99) if pow(x**3 + curve.a * x + curve.b, (curve.p - 1) // 2, curve.p) != 1)
    for wrong in (
        b"",
        b"\0",
        bytes(1 + curve.width),
        b"\5" + public[1:],
        b"\4" + public[1:] + bytes(curve.width),
        b"\6" + public[1:] + bytes(curve.width),
        public[1:],
        public + b"\0",
        b"\2" + curve.p.to_bytes(curve.width, "big"),
        b"\2" + b"\xff" * curve.width,
        b"\2" + x.to_bytes(curve.width, "big"),
        public.hex(),
    ):
        with pytest.raises(KeyMaterialError):
            EVERY[name].check_public(wrong)  # type: ignore[arg-type]
        with pytest.raises(KeyMaterialError):
            EVERY[name].verify(wrong, b"message", signature)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["p256", "p384", "p521", "secp256k1"])
def test_low_s(name: str) -> None:
    """Signers give low s; the high twin verifies, but our own formats refuse it (R2)."""
    chosen, n, width = EVERY[name], CURVES[name].n, CURVES[name].width
    secret, public = fresh(name)
    for count in range(20):
        signature = chosen.sign(secret, bytes([count]))
        require_low_s(name, signature)
        assert signature == chosen.sign(secret, bytes([count]))
        twin = signature[:width] + (n - int.from_bytes(signature[width:], "big")).to_bytes(width, "big")
        chosen.verify(public, bytes([count]), twin)
        with pytest.raises(SignatureError):
            require_low_s(name, twin)


def test_low_s_asks_nothing_of_the_others() -> None:
    """Ed25519 and SM2 have no second spelling to refuse."""
    require_low_s("ed25519", b"\xff" * 64)
    require_low_s("sm2", b"\xff" * 64)
    with pytest.raises(UnknownSuiteError):
        require_low_s("rsa", b"\xff" * 64)


# --- Ed25519 -----------------------------------------------------------------------------------

D = -121665 * pow(121666, -1, P25519) % P25519


def _square_root(value: int) -> int:
    root = pow(value, (P25519 + 3) // 8, P25519)
    return root if root * root % P25519 == value % P25519 else root * pow(2, (P25519 - 1) // 4, P25519) % P25519


def _order_8() -> int:
    """Doubling gives y = 0 when x² = −y², so dy⁴ + 2y² − 1 = 0; only one of the two y² has a root."""
    for sign in (1, -1):
        square = (sign * _square_root(1 + D) - 1) * pow(D, -1, P25519) % P25519
        root = _square_root(square)
        if root * root % P25519 == square:
            return root
    raise AssertionError("no point of order eight")


ORDER_8 = _order_8()
SMALL = [y | sign << 255 for y in (0, 1, P25519 - 1, ORDER_8, P25519 - ORDER_8) for sign in (0, 1)]
NOT_CANONICAL = [y | sign << 255 for y in range(P25519, 2**255) for sign in (0, 1)]


@pytest.mark.parametrize("encoded", SMALL + NOT_CANONICAL)
def test_ed25519_refuses_small_order_and_second_spellings(encoded: int) -> None:
    """Neither as a key nor as R, in any of the spellings a library may take (R2)."""
    point = encoded.to_bytes(32, "little")
    public, signature = signed("ed25519")
    with pytest.raises(KeyMaterialError):
        suite("ed25519").check_public(point)
    with pytest.raises(SignatureError) as caught:
        suite("ed25519").verify(public, b"message", point + signature[32:])
    assert caught.value.code == "signature-range"


def test_points_of_order_8_are_on_the_curve_and_small() -> None:
    """The derived points are real keys to the library, so only our list keeps them out."""
    y2 = ORDER_8 * ORDER_8 % P25519
    x2 = (y2 - 1) * pow(D * y2 + 1, -1, P25519) % P25519
    assert (x2 + y2) % P25519 == 0
    assert pow(_square_root(x2), 2, P25519) == x2
    assert {0, 1, P25519 - 1, ORDER_8, P25519 - ORDER_8} == set(ed25519._SMALL_ORDER)


def test_ed25519_identity_key_signs_nothing() -> None:
    """The library takes the identity as a key, for which (identity, 0) fits every message; we do not (R2)."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"any message")
    with pytest.raises(KeyMaterialError):
        suite("ed25519").verify(identity, b"any message", forged)


def test_ed25519_small_order_r() -> None:
    """A key's owner can make R the identity, and the library agrees; we do not (R2)."""
    secret, public = fresh("ed25519")
    scalar = int.from_bytes(hashlib.sha512(secret).digest()[:32], "little") & ((1 << 254) - 8) | 1 << 254
    identity = (1).to_bytes(32, "little")
    h = int.from_bytes(hashlib.sha512(identity + public + b"message").digest(), "little") % L
    forged = identity + (h * scalar % L).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(public).verify(forged, b"message")
    with pytest.raises(SignatureError):
        suite("ed25519").verify(public, b"message", forged)


def test_ed25519_s_below_order() -> None:
    """S + L is the same number modulo L, but not the same signature (R2)."""
    public, signature = signed("ed25519")
    twin = signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    with pytest.raises(SignatureError) as caught:
        suite("ed25519").verify(public, b"message", twin)
    assert caught.value.code == "signature-range"


def test_ed25519_key_off_the_curve() -> None:
    """y = 2 belongs to no point."""
    with pytest.raises(KeyMaterialError):
        suite("ed25519").check_public((2).to_bytes(32, "little"))


def _point(encoded: bytes) -> tuple[int, int]:
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[31] >> 7
    x = _square_root((y * y - 1) * pow(D * y * y + 1, -1, P25519) % P25519)
    return (x if x & 1 == sign else P25519 - x), y


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (a, b), (c, d) = one, other
    t = D * a * b * c * d % P25519
    return (a * d + b * c) * pow(1 + t, -1, P25519) % P25519, (b * d + a * c) * pow(1 - t, -1, P25519) % P25519


def _times(count: int, point: tuple[int, int]) -> tuple[int, int]:
    found = (0, 1)
    for bit in bin(count)[2:]:
        found = _plus(found, found)
        found = _plus(found, point) if bit == "1" else found
    return found


def _spelled(point: tuple[int, int]) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = _point((4 * pow(5, -1, P25519) % P25519).to_bytes(32, "little"))


@pytest.mark.parametrize("in_key", [0, 2, 3])
@pytest.mark.parametrize("in_r", range(8))
def test_ed25519_libraries_agree_where_the_cofactor_would_tell(in_r: int, in_key: int) -> None:
    """A key's owner can add points of small order to R and to the key; both back-ends decide without the cofactor (R2)."""
    twist, secret, r = _point(ORDER_8.to_bytes(32, "little")), 0xA11CE, 0xB0B
    key = _spelled(_plus(_times(secret, BASE), _times(in_key, twist)))
    accepted = 0
    for message in (b"one", b"two", b"three", b"four"):
        big_r = _spelled(_plus(_times(r, BASE), _times(in_r, twist)))
        k = int.from_bytes(hashlib.sha512(big_r + key + message).digest(), "little") % L
        signature = big_r + ((r + k * secret) % L).to_bytes(32, "little")
        right = (in_r + k * in_key) % 8 == 0
        found = {equation(key, message, signature) for equation in (_ed25519.openssl, _ed25519.sodium()) if equation}
        assert found == {right}
        accepted += right
    assert in_r or in_key or accepted == 4


def test_ed25519_a_library_with_the_cofactor_is_not_used() -> None:
    """It accepts the sample that only the cofactor makes right, and a stub accepts everything."""

    def cofactored(public: bytes, message: bytes, signature: bytes) -> bool:
        k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
        left = _times(8 * int.from_bytes(signature[32:], "little"), BASE)
        return left == _times(8, _plus(_point(signature[:32]), _times(k, _point(public))))

    assert cofactored(_ed25519._KEY, b"weid", _ed25519._ONLY_WITH_COFACTOR) and cofactored(_ed25519._KEY, b"weid", _ed25519._GOOD)
    assert not _ed25519.answers_correctly(cofactored)
    assert not _ed25519.answers_correctly(lambda *_: True)
    assert _ed25519.answers_correctly(_ed25519.openssl) and _ed25519.sodium() is not None


@given(st.integers(0, 511), st.binary(max_size=40))
@settings(max_examples=150, deadline=None)
def test_ed25519_libraries_agree_on_every_changed_bit(bit: int, message: bytes) -> None:
    """Signed by either, checked by both; no changed bit gets past one of them."""
    secret, public = fresh("ed25519")
    signature = suite("ed25519").sign(secret, message)
    changed = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    for equation in (_ed25519.openssl, _ed25519.sodium()):
        assert equation is not None and equation(public, message, signature)
        with pytest.raises(SignatureError):
            ed25519.Ed25519(equation).verify(public, message, changed)


# --- ML-DSA-44 ---------------------------------------------------------------------------------


def test_ml_dsa_44_key_with_nothing_in_it() -> None:
    """With t1 = 0 anybody's z of short numbers verifies, so such a key is refused whatever its matrix (R2)."""
    for seed in (bytes(32), b"\x5a" * 32):
        with pytest.raises(KeyMaterialError) as caught:
            suite("ml-dsa-44").check_public(seed + bytes(1280))
        assert caught.value.code == "public-key"
    suite("ml-dsa-44").check_public(bytes(1311) + b"\1")


def test_ml_dsa_44_hints_have_one_spelling() -> None:
    """The last 84 bytes list the hints in order: out of order or with a stray byte they are refused (FIPS 204 algorithm 21)."""
    public, signature = next(made for _ in range(100) if (made := signed("ml-dsa-44"))[1][-4] >= 2 and made[1][-1] < 80)
    hints = signature[-84:]
    used = hints[83]
    swapped = bytes([hints[1], hints[0]]) + hints[2:]
    stray = hints[:used] + b"\1" + hints[used + 1 :]
    repeated = bytes([hints[0], hints[0]]) + hints[2:]
    for wrong in (swapped, stray, repeated):
        with pytest.raises(SignatureError):
            suite("ml-dsa-44").verify(public, b"message", signature[:-84] + wrong)


def test_ml_dsa_44_is_hedged() -> None:
    """Two signatures of one message differ and both verify (R4: the randomness stays inside the suite)."""
    secret, public = fresh("ml-dsa-44")
    first, second = (suite("ml-dsa-44").sign(secret, b"m") for _ in range(2))
    assert first != second
    for signature in (first, second):
        suite("ml-dsa-44").verify(public, b"m", signature)
