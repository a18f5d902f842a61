"""Trust data as an animated code in a terminal, and from its frames back to a bundle."""

from __future__ import annotations

import sys
import time
from itertools import count, islice
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT
from wallet_cli.state import echo, now, read_input

if TYPE_CHECKING:
    from weid.fountain import Sender

__all__ = ["receive", "show_animated"]

_HOME_AND_CLEAR = "\x1b[H\x1b[2J"


def show_animated(bundle: bytes, *, frames: int | None, speed: int, step: bool) -> None:
    """Frame after frame in half blocks until interrupted; into a pipe the texts of the frames, one a line."""
    from registry.packed import pack
    from weid.fountain import Sender

    sender = Sender(pack(bundle))
    if not sys.stdout.isatty():
        for number in range(frames or 2 * sender.fragments + 20):
            click.echo(sender.frame(number).to_text())
        return
    numbers = islice(count(), frames)
    try:
        for number in numbers:
            _draw(sender, number)
            if step:
                click.pause(info="")
            else:
                time.sleep(1 / speed)
    except KeyboardInterrupt:
        click.echo()


def _draw(sender: Sender, number: int) -> None:
    from credentials.animated import draw_frame
    from wallet_cli.present import half_blocks

    drawn = "\n".join(half_blocks(draw_frame(sender.frame(number))))
    click.echo(f"{_HOME_AND_CLEAR}{drawn}\n{number + 1}, {sender.fragments} needed, set {sender.set_id.hex()}")


@click.command()
@AT
@click.argument("what", nargs=-1, required=True)
def receive(at: str | None, what: tuple[str, ...]) -> None:
    """Take a bundle from the frames of an animated code: pictures of them, or files of their texts, one a line (or -)."""
    from credentials.animated import frames_among
    from credentials.picture import read
    from credentials.reading import is_picture
    from registry.node.folder import TrustFolder
    from wallet_cli.state import home
    from weid.codec import minutes
    from weid.errors import MalformedError
    from weid.fountain import Receiver, frame_of

    receiver = Receiver()
    for name in what:
        data = read_input(name)
        texts = read(data) if is_picture(data) else tuple(data.decode("ascii", "replace").split())
        for text in frames_among(texts):
            receiver.take(frame_of(text))
    if receiver.data is None:
        raise MalformedError(f"{receiver.have} of {receiver.needed} pieces: bring more frames", code="incomplete-frames")
    store = TrustFolder(home()).accept(receiver.data, at=minutes(now(at)))
    echo(max(store.marks, key=lambda item: item.log_time).origin)
    click.echo("Imported. `weid trust show` says how old the data are.", err=True)
