"""`weid`: the table of commands. Each is imported only when it is called, so that `weid --help` is instant."""

from __future__ import annotations

import sys
from importlib import import_module

import click

COMMANDS = {
    "init": ("wallet_cli.holder:init", "Make an encrypted wallet."),
    "request": ("wallet_cli.holder:request", "Make a fresh key (or hash chain) for an issuer to bind a credential to."),
    "receive": ("wallet_cli.holder:receive", "Put a credential (file, code text or picture) into the wallet."),
    "list": ("wallet_cli.holder:list_", "List what the wallet holds."),
    "show": ("wallet_cli.holder:show", "Show one credential: every claim, and what is always shown."),
    "qr": ("wallet_cli.present:qr", "Draw a code with the claims you choose, and its size."),
    "present": ("wallet_cli.present:present", "Answer a verifier's challenge after seeing who asks for what."),
    "backup": ("wallet_cli.holder:backup", "Write an encrypted copy of the wallet."),
    "restore": ("wallet_cli.holder:restore", "Restore a wallet from a backup."),
    "verify": (
        "wallet_cli.verify:verify",
        "Check a credential offline: FILE, code text, picture, or - for standard input.",
    ),
    "verify-report": ("wallet_cli.verify_report:verify_report", "Check a verifier's signed report, and who signed it."),
    "import": ("wallet_cli.old_format:import_", "Turn a WeIdentity credential into a request to issue it again."),
    "trust": ("wallet_cli.trust:trust", "The registry you trust, and its bundles."),
    "registry": ("wallet_cli.registry:registry", "Run a registry: init, serve, tick, bundle, fsck."),
    "issuer": ("issuer_app.cli:issuer", "An institution's desk: init, serve, issue, revoke, find."),
    "verifier": ("verifier_app.cli:verifier", "The verifier's page: serve."),
    "envelope": ("wallet_cli.envelope:envelope", "Sign or open one W3C document in a JWT, SD-JWT or COSE envelope with a JWK."),
    "vc-api": ("wallet_cli.vc_api:vc_api", "A bench for W3C conformance suites, with throw-away keys."),
    "pack": ("wallet_cli.pack:pack", "Packs: whole systems as data. test, demo, show."),
    "demo": ("wallet_cli.demo:demo", "Every story end to end, through the real front doors."),
}


MISTYPED = frozenset({"bad-key", "bad-url"})
"""Codes of what was typed wrong, found only where it is used: usage (exit 2), not an answer (exit 1)."""


class LazyGroup(click.Group):
    """A group whose help needs no import of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="weid", prog_name="weid")
def cli() -> None:
    """Digital certificates that an institution issues, a person carries, and a stranger checks offline.

    Data goes to standard output, words to standard error. `weid verify` exits 0 valid, 1 not valid,
    2 usage or unreadable, 3 cannot be decided. The state folder is ~/.weid, or WEID_HOME.
    """


def main() -> None:
    """The console entry: our own errors become one sentence on standard error."""
    from credentials.text import escaped
    from weid.errors import WeidError

    try:
        cli(prog_name="weid", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        click.echo(escaped(f"Error: {error.format_message()}", keep="\n"), err=True)
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(2)
    except WeidError as error:
        click.echo(escaped(f"weid: {error} [{error.code}]"), err=True)
        sys.exit(2 if error.code in MISTYPED else 1)
    except UnicodeEncodeError:
        click.echo("weid: a name or text that was given is not UTF-8", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"weid: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
