"""How well the picture that is handed out will be read: it is worn down as life does, decoded each time, and counted.

The model is a phone that holds the code at 65 % of the height of a 720-line frame, so a code with more modules has fewer
pixels for each: that, and not the level of error correction, decides. All chance comes from a seed; one picture has one score.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from credentials.picture import MM_PER_MODULE, QUIET, Picture
from weid.errors import IssueError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CONDITIONS", "FLOOR", "Score", "page_image", "require", "score"]

FRAME: Final = 720
FILLS: Final = 0.65
FLOOR: Final = 60  # per cent over all conditions: below, a picture is not handed out
TRIALS: Final = 3


@dataclass(frozen=True, slots=True)
class Score:
    """Per cent read in each condition; `least_mm` is the smallest printed side, quiet zone included, that we vouch for."""

    shares: tuple[tuple[str, int], ...]
    least_mm: float

    @property
    def total(self) -> int:
        """The mean over the conditions, in per cent."""
        return round(sum(share for _, share in self.shares) / len(self.shares))

    @property
    def good(self) -> bool:
        """Whether it may be handed out: it reads as it is, and mostly when worn."""
        return self.shares[0][1] == 100 and self.total >= FLOOR


def score(picture: bytes | Image, drawn: Picture, *, seed: str, trials: int = TRIALS) -> Score:
    """The score of a picture (PNG bytes or an image) that should give back the text of `drawn`."""
    from PIL import Image

    image = Image.open(BytesIO(picture), formats=("PNG",)) if isinstance(picture, bytes) else picture
    grey, least = image.convert("L"), (drawn.modules + 2 * QUIET) * MM_PER_MODULE
    frame = _framed(grey, drawn)
    if frame is None:
        return Score(tuple((name, 0) for name in CONDITIONS), least)
    shares = []
    for name, worn in CONDITIONS.items():
        chance = random.Random(f"{seed}|{name}")  # wear that can be repeated, no secret
        count = 1 if name == "plain" else trials
        read = sum(_reads(worn(frame, chance), drawn.text) for _ in range(count))
        shares.append((name, round(100 * read / count)))
    return Score(tuple(shares), least)


def require(found: Score) -> None:
    """IssueError `hard-to-read` for a picture that would fail the people who have to read it."""
    if not found.good:
        worst = min(found.shares, key=lambda share: share[1])[0]
        raise IssueError(f"read in {found.total} % of trials, worst when {worst}: {FLOOR} % are needed", code="hard-to-read")


def page_image(pdf: bytes, *, dpi: int = 200) -> Image:
    """The first page as a scanner would see it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        image: Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
        return image
    finally:
        document.close()


def _reads(image: Image, text: str) -> bool:
    import zxingcpp

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return any(code.valid and code.text == text for code in zxingcpp.read_barcodes(image, formats=kinds))


def _framed(image: Image, drawn: Picture) -> Image | None:
    """The part of the picture that a camera held to the code sees; None where the code cannot be read at all."""
    import zxingcpp
    from PIL import Image as Images

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = [code for code in zxingcpp.read_barcodes(image, formats=kinds) if code.valid and code.text == drawn.text]
    if len(found) != 1:
        return None
    place = found[0].position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    left, top = min(corner.x for corner in corners), min(corner.y for corner in corners)
    side = max(max(corner.x for corner in corners) - left, max(corner.y for corner in corners) - top)
    whole = side * (drawn.modules + 2 * QUIET) / drawn.modules / FILLS
    x, y = left + side / 2 - whole / 2, top + side / 2 - whole / 2
    # What lies outside the picture is a table or a wall, neither black nor white.
    ground = Images.new("L", (math.ceil(whole), math.ceil(whole)), 168)
    ground.paste(image, (-round(x), -round(y)))
    return ground.resize((FRAME, FRAME), Images.Resampling.LANCZOS if whole > FRAME else Images.Resampling.BICUBIC)


def _noisy(image: Image, chance: random.Random, strength: int) -> Image:
    from PIL import Image as Images
    from PIL import ImageChops

    grains = Images.frombytes("L", image.size, chance.randbytes(image.width * image.height))
    scaled = grains.point([value * 2 * strength // 255 for value in range(256)])
    return ImageChops.add(image, scaled, offset=-strength)


def _blurred(image: Image, radius: float) -> Image:
    from PIL import ImageFilter

    return image.filter(ImageFilter.GaussianBlur(radius))


def _plain(image: Image, chance: random.Random) -> Image:
    return image


def _hand(image: Image, chance: random.Random) -> Image:
    """A hand: a little blur, tilt and noise, each of them."""
    return _noisy(_blurred(_tilted(image, chance, 20), 1.1), chance, 16)


def _blur(image: Image, chance: random.Random) -> Image:
    return _noisy(_blurred(image, chance.uniform(1.6, 2.6)), chance, 16)


def _tilt(image: Image, chance: random.Random) -> Image:
    return _noisy(_blurred(_tilted(image, chance, 45), chance.uniform(0.9, 1.5)), chance, 12)


def _far(image: Image, chance: random.Random) -> Image:
    """From further away: the code fills a quarter of the frame."""
    from PIL import Image as Images

    side = int(FRAME * chance.uniform(0.32, 0.55))
    ground = Images.new("L", image.size, 168)
    ground.paste(image.resize((side, side), Images.Resampling.BOX), ((FRAME - side) // 2, (FRAME - side) // 2))
    return _noisy(_blurred(ground, 0.7), chance, 10)


def _glare(image: Image, chance: random.Random) -> Image:
    """A lamp mirrored in foil or glass, on the code and off its finder patterns half of the time."""
    from PIL import Image as Images
    from PIL import ImageOps

    size = int(FRAME * FILLS * chance.uniform(0.3, 0.46))
    spot = ImageOps.invert(Images.radial_gradient("L").resize((size, size)))
    spot = spot.point([min(255, value * 2) for value in range(256)])
    worn, away = image.copy(), FRAME * FILLS / 2 - size
    x, y = (round(FRAME / 2 + chance.uniform(-away, away) - size / 2) for _ in range(2))
    worn.paste(255, (x, y, x + size, y + size), spot)
    return _blurred(worn, 0.8)


def _jpeg(image: Image, chance: random.Random) -> Image:
    """Sent on by a messenger: made smaller, and pressed hard."""
    from PIL import Image as Images

    side, out = int(FRAME * chance.uniform(0.45, 0.7)), BytesIO()
    image.resize((side, side), Images.Resampling.LANCZOS).save(out, format="JPEG", quality=chance.randint(12, 30))
    return Images.open(BytesIO(out.getvalue())).convert("L")


def _copy(image: Image, chance: random.Random) -> Image:
    """Photocopied: black or white only, with specks, and photographed after that."""
    edge = chance.randint(105, 165)
    hard = _noisy(_blurred(image, chance.uniform(1.2, 2.0)), chance, 70).point(
        [255 if value > edge else 0 for value in range(256)]
    )
    return _blurred(hard, 1.1)


CONDITIONS: Final[Mapping[str, Callable[[Image, random.Random], Image]]] = MappingProxyType({
    "plain": _plain, "hand": _hand, "blur": _blur, "tilt": _tilt, "far": _far, "glare": _glare, "jpeg": _jpeg, "copy": _copy,
})  # fmt: skip


def _tilted(image: Image, chance: random.Random, degrees: float) -> Image:
    """Seen at an angle around the upright or the level axis, by up to `degrees`, and turned a little."""
    from PIL import Image as Images

    lean = math.radians(chance.uniform(0.6, 1) * degrees) * chance.choice((-1, 1))
    turn, upright = math.radians(chance.uniform(-8, 8)), chance.random() < 0.5
    half, far = FRAME / 2, FRAME * 1.6
    corners = []
    for x, y in ((-half, -half), (half, -half), (half, half), (-half, half)):
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        deep = (x if upright else y) * math.sin(lean)
        x, y = (x * math.cos(lean), y) if upright else (x, y * math.cos(lean))
        corners.append((half + x * far / (far + deep), half + y * far / (far + deep)))
    return image.transform(
        image.size, Images.Transform.PERSPECTIVE, _homography(corners), Images.Resampling.BICUBIC, fillcolor=168
    )


def _homography(corners: list[tuple[float, float]]) -> tuple[float, ...]:
    """The eight numbers that take a point of the tilted frame back into the flat one (Heckbert's square to quadrilateral,
    inverted by its adjugate)."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    dx1, dx2, dy1, dy2 = x1 - x2, x3 - x2, y1 - y2, y3 - y2
    below = dx1 * dy2 - dx2 * dy1
    g, h = (sx * dy2 - dx2 * sy) / below, (dx1 * sy - sx * dy1) / below
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    rows = (
        e - f * h, c * h - b, b * f - c * e,
        f * g - d, a - c * g, c * d - a * f,
        d * h - e * g, b * g - a * h, a * e - b * d,
    )  # fmt: skip
    last = rows[8]
    return tuple(value * (FRAME if place < 6 else 1) / last for place, value in enumerate(rows[:8]))
