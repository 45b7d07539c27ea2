"""From the options as they were given to what a run is asked to do."""

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from importer.cli.credentials import VARIABLES, from_environment, read_credentials
from importer.cli.given import CONFIG, Given
from importer.cli.options import default_out
from importer.errors import UsageError
from importer.files import STANDARD_STREAM
from importer.settings import (
    DeliveryOptions,
    IfExists,
    MappingOptions,
    Rules,
    RunOptions,
    SourceOptions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from importer.api import Credentials

_DESTINATIONS: Final = ("region", "base_url", "sandbox")
_READ: Final = ("config", "credentials_file", "sandbox_faults")
_NO_DESTINATION: Final = (
    "Say where to send: --region eu|us|ap|jp, --base-url URL, or --sandbox to rehearse."
)


def run_options(
    given: Given, stack: ExitStack, credentials: "Credentials | None" = None
) -> tuple[RunOptions, "Credentials | None"]:
    """What a run is asked to do, and who sends; a sandbox that it asks for is running then.

    Args:
        given: The options.
        stack: Ends the sandbox.
        credentials: Who sends, if that is known already.

    Raises:
        UsageError: Options contradict each other, or credentials are missing or wrong.
    """
    path: Path = given["contacts_csv"]
    out = given["out"] or default_out(path)
    results = default_out(path) if out == STANDARD_STREAM else out
    journal = given["journal"] or results.with_name(f"{results.name}.journal")
    destination = given.strongest(
        _DESTINATIONS, "Give only one of --region, --base-url and --sandbox."
    )
    base_url, credentials = _destination(destination, given, stack, credentials)
    options = RunOptions(
        source=SourceOptions(
            path=None if path == STANDARD_STREAM else path,
            encoding=given["encoding"],
            delimiter=given["delimiter"],
            limit=given["limit"],
        ),
        mapping=MappingOptions(
            columns=given["map"],
            identifiers=given["identifier"],
            list_separator=given["list_separator"],
            carry=given["carry"],
        ),
        rules=Rules(
            phone_region=given["phone_region"],
            date_format=given["date_format"],
            require=given["require"],
        ),
        delivery=delivery_options(given),
        base_url=base_url,
        destination="sandbox" if destination == "sandbox" else destination_of(base_url),
        out=out,
        rejects=given["rejects"],
        summary=given["summary"],
        report=given["report"],
        journal=journal,
        dry_run=given["dry_run"],
        strict=given["strict"],
        fresh=given["fresh"],
        new_client_key=given["new_client_key"],
        starts_sandbox=destination == "sandbox",
        bar=bar_of(given),
        reads={f"--{name.replace('_', '-')}": given[name] for name in _READ if given[name]},
        shown=given.shown(
            {"out": out, "journal": journal}, {*_DESTINATIONS} - {destination or "sandbox"}
        ),
    )
    return options, credentials


def _destination(
    name: str | None, given: Given, stack: ExitStack, credentials: "Credentials | None"
) -> tuple[str | None, "Credentials | None"]:
    if given["sandbox_faults"] and name != "sandbox" and given.origins["sandbox_faults"] != CONFIG:
        raise UsageError("--sandbox-faults is for --sandbox only.")
    asks_api = not given["dry_run"] or given["if_exists"] != IfExists.CREATE
    if name is None and asks_api:
        raise UsageError(_NO_DESTINATION)
    if name == "sandbox":
        from importer.api import Credentials  # noqa: PLC0415 - as above
        from importer.rehearsal import sandbox_running  # noqa: PLC0415 - --help need not wait

        address = stack.enter_context(sandbox_running(given["sandbox_faults"]))
        return address.url, Credentials(address.client_key, address.api_token)
    url = None if name is None else url_of(name, given)
    return url, (credentials or credentials_of(given)) if asks_api else None


def destination_of(base_url: str | None) -> str | None:
    """What the journal calls a base URL."""
    from importer.api import one_name_of  # noqa: PLC0415 - --help need not wait

    return None if base_url is None else one_name_of(base_url)


def url_of(name: str, given: Given) -> str:
    """The base URL that ``region`` or ``base_url`` gives."""
    from importer.api import base_url_of, check_base_url  # noqa: PLC0415 - --help need not wait

    return check_base_url(given[name]) if name == "base_url" else base_url_of(given[name])


def bar_of(given: Given) -> bool | None:
    """Whether to draw a progress bar; None is on a terminal only.

    Between lines of JSON there is no place for one.
    """
    return False if given["quiet"] or given["log_format"] == "json" else given["progress"]


def delivery_options(given: Given) -> DeliveryOptions:
    """How fast and how patiently, and what to do about contacts that are there."""
    return DeliveryOptions(
        concurrency=given["concurrency"],
        rate=given["rate"],
        timeout=given["timeout"],
        attempts=given["attempts"],
        if_exists=IfExists(given["if_exists"] or IfExists.CREATE),
        preview=bool(given["dry_run"]),
        max_errors=given["max_errors"],
    )


def credentials_of(given: Given) -> "Credentials":
    """Those of a file that was named on the spot, else of the environment, else of the config."""
    path: Path | None = given["credentials_file"]
    in_environment = any(os.environ.get(name) for name in VARIABLES)
    if path is None or (in_environment and given.origins["credentials_file"] == CONFIG):
        return from_environment()
    return read_credentials(path)
