"""The command ``contacts-sandbox``. It only reads options; the server is imported when it runs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from importer._version import __version__
from importer.sandbox.options import (
    DEFAULT_API_TOKEN,
    DEFAULT_CLIENT_KEY,
    Credentials,
    Options,
    SandboxError,
)

if TYPE_CHECKING:
    from importer.sandbox.faults import Misbehaviour

_EXTRA: Final = frozenset({"aiohttp", "jsonschema_rs"})
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(
    name="contacts-sandbox",
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="0 takes any free port.",
)
@click.option("--data", type=_FILE, help="Keep the contacts in this SQLite file.")
@click.option(
    "--orders",
    type=_FILE,
    help="CSV of the orders that exist: orderRef, referenceId. Without it any UUID is an order.",
)
@click.option("--faults", type=_FILE, help="TOML file that says what goes wrong, and when.")
@click.option(
    "--fault",
    "fault_options",
    metavar="RULE",
    multiple=True,
    help="One more rule, such as action=drop,share=0.05,applied=true. Repeatable.",
)
@click.option(
    "--latency",
    metavar="SECONDS",
    help="Wait before every answer: 0.05, 0.02-0.08 (spread evenly) or exp:0.05 (by its mean).",
)
@click.option(
    "--rate-limit",
    metavar="N",
    type=click.FloatRange(min=0, min_open=True),
    help="Answer 429 beyond N requests a second.",
)
@click.option("--seed", type=int, help="The same seed gives the same faults.")
@click.option("--client-key", default=DEFAULT_CLIENT_KEY, show_default=True)
@click.option("--api-token", default=DEFAULT_API_TOKEN, show_default=True)
@click.option("--access-log/--no-access-log", help="A line on standard error for each request.")
@click.option("--ready-json", is_flag=True, help="Say where it is as one line of JSON.")
@click.option(
    "--until-stdin-closes",
    is_flag=True,
    help="End when standard input ends, for a program that starts the sandbox as its child.",
)
@click.version_option(__version__)
def main(**given: Any) -> None:  # noqa: ANN401 - as click hands them over
    """Serve the calls of the Order REST API on this machine, for rehearsals.

    It answers, refuses and pages as the reference says, shows on a page at / what is stored,
    and misbehaves when it is told to.
    """
    try:
        from importer.sandbox.gate import is_loopback  # noqa: PLC0415 - see the docstring above
        from importer.sandbox.server import run  # noqa: PLC0415
    except ModuleNotFoundError as fault:
        if fault.name not in _EXTRA:
            raise
        raise click.UsageError(
            f"The sandbox needs {fault.name}, which is not installed. "
            "Install it with: pip install 'import-contacts[sandbox]'"
        ) from None
    if not is_loopback(given["host"]):
        raise click.UsageError(
            f"--host {given['host']} is no loopback address. The sandbox has no encryption and "
            "may hold personal data, so it serves this machine alone; take 127.0.0.1."
        )
    try:
        run(_options(given))
    except SandboxError as fault:
        raise click.UsageError(str(fault)) from None


def _options(given: dict[str, Any]) -> Options:
    return Options(
        host=_address(given["host"]),
        port=given["port"],
        credentials=Credentials(given["client_key"], given["api_token"]),
        data=given["data"],
        orders=given["orders"],
        misbehaviour=_misbehaviour(given),
        access_log=given["access_log"],
        ready_json=given["ready_json"],
        until_stdin_closes=given["until_stdin_closes"],
    )


def _address(host: str) -> str:
    """Return the address to listen on; ``localhost`` can be several, so it is the usual one."""
    return "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")


def _misbehaviour(given: dict[str, Any]) -> "Misbehaviour":
    """Return what the file says, changed by what the options say."""
    from importer.sandbox.faultfile import read_misbehaviour, read_rule  # noqa: PLC0415
    from importer.sandbox.faults import Misbehaviour  # noqa: PLC0415
    from importer.sandbox.tables import read_latency  # noqa: PLC0415

    told = read_misbehaviour(given["faults"]) if given["faults"] else Misbehaviour()
    rules = [read_rule(text, place) for place, text in enumerate(given["fault_options"], start=1)]
    told = replace(told, rules=(*told.rules, *rules))
    if given["latency"] is not None:
        told = replace(told, latency=read_latency(given["latency"], "--latency"))
    if given["rate_limit"] is not None:
        told = replace(told, rate_limit=given["rate_limit"])
    if given["seed"] is not None:
        told = replace(told, seed=given["seed"])
    return told
