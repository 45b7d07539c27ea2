"""The command ``contacts-sandbox``.

The server is imported when the command runs, as ``--help`` must work without the extra.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from importer._version import __version__
from importer.sandbox.fault_file import read_faults, read_latency, read_rule
from importer.sandbox.faults import Faults
from importer.sandbox.settings import (
    DEFAULT_API_TOKEN,
    DEFAULT_CLIENT_KEY,
    Credentials,
    SandboxError,
    Settings,
)

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
@click.option("--faults", type=_FILE, help="TOML file with what goes wrong, and when.")
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
    help="Wait before every answer: 0.05, 0.02-0.08 (uniform) or exp:0.05 (exponential, its mean).",
)
@click.option(
    "--rate-limit",
    metavar="N",
    type=click.FloatRange(min=0, min_open=True),
    help="Answer 429 above N requests per second.",
)
@click.option("--seed", type=int, help="The same seed gives the same faults.")
@click.option("--client-key", default=DEFAULT_CLIENT_KEY, show_default=True)
@click.option("--api-token", default=DEFAULT_API_TOKEN, show_default=True)
@click.option("--access-log/--no-access-log", help="Log each request to standard error.")
@click.option(
    "--ready-json",
    is_flag=True,
    help="Print the URL and credentials, or the reason for not starting, as one line of JSON.",
)
@click.option(
    "--until-stdin-closes",
    is_flag=True,
    help="End when standard input ends, for a program that starts the sandbox as a child process.",
)
@click.version_option(__version__)
def main(**given: Any) -> None:  # noqa: ANN401 - as click hands them over
    """Serve the calls of the Order REST API on this machine, for rehearsals.

    It answers, refuses and pages like the documented API, shows the stored contacts on a page
    at /, and fails on request.
    """
    try:
        from importer.sandbox.app import is_loopback  # noqa: PLC0415 - see the docstring above
        from importer.sandbox.server import run_until_signal  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise click.UsageError(
            f"The sandbox needs {error.name}, which is not installed. "
            "Install it with: pip install 'import-contacts[sandbox]'"
        ) from None
    if not is_loopback(given["host"]):
        raise click.UsageError(
            f"--host {given['host']} is not a loopback address. The sandbox has no encryption "
            "and may hold personal data, so it serves only this machine; use 127.0.0.1."
        )
    try:
        run_until_signal(settings_of(given))
    except SandboxError as error:
        if given["ready_json"]:  # a program reads the answer
            click.echo(json.dumps({"error": str(error)}))
            sys.exit(click.UsageError.exit_code)
        raise click.UsageError(str(error)) from None


def settings_of(given: dict[str, Any]) -> Settings:
    """Return the settings that the parsed options ask for.

    Raises:
        SandboxError: The faults are invalid.
    """
    return Settings(
        host=_address(given["host"]),
        port=given["port"],
        credentials=Credentials(given["client_key"], given["api_token"]),
        data=given["data"],
        orders=given["orders"],
        faults=_faults(given),
        access_log=given["access_log"],
        ready_json=given["ready_json"],
        until_stdin_closes=given["until_stdin_closes"],
    )


def _address(host: str) -> str:
    """Return the address to listen on; no name is looked up, and ``localhost`` is 127.0.0.1."""
    return "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")


def _faults(given: dict[str, Any]) -> Faults:
    """Return the faults of the file, changed by the options."""
    faults = read_faults(given["faults"]) if given["faults"] else Faults()
    rules = [read_rule(text, place) for place, text in enumerate(given["fault_options"], start=1)]
    faults = replace(faults, rules=(*faults.rules, *rules))
    if given["latency"] is not None:
        faults = replace(faults, latency=read_latency(given["latency"], "--latency"))
    if given["rate_limit"] is not None:
        faults = replace(faults, rate_limit=given["rate_limit"])
    if given["seed"] is not None:
        faults = replace(faults, seed=given["seed"])
    return faults
