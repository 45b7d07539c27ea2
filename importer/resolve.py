"""From what was asked for to everything that a run needs: destination, credentials, files.

Source: docs/options.md.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from importer.credentials import from_environment, read_credentials
from importer.errors import UsageError
from importer.files import STANDARD_STREAM
from importer.given import CREDENTIAL_VARIABLES, Given
from importer.journal import create_folder, default_path
from importer.options import Origin
from importer.settings import (
    DestinationSettings,
    ImportSettings,
    JournalSettings,
    RunOptions,
    SourceOptions,
    UndoSettings,
)

if TYPE_CHECKING:
    from importer.api import Credentials

_COMPRESSED: Final = {".gz", ".bz2", ".xz", ".zip", ".zst"}
_NO_DESTINATION: Final = (
    "Choose where to send: --region eu|us|ap|jp, --base-url URL, or --sandbox to rehearse."
)
_NO_PLACE: Final = "Choose where the contacts are: --region eu|us|ap|jp or --base-url URL."


def import_run(
    given: Given[ImportSettings], stack: ExitStack, credentials: "Credentials | None" = None
) -> tuple[RunOptions, "Credentials | None"]:
    """Return the options of an import and its credentials, with its sandbox running.

    Args:
        given: What was asked for.
        stack: Ends the sandbox.
        credentials: Those of the caller, if there are any.

    Raises:
        UsageError: Options contradict each other, or credentials are missing or wrong.
    """
    asked = given.options
    path = asked.source.path or STANDARD_STREAM
    out = _out(given, path, "results")
    choices = {"region": asked.region, "base_url": asked.base_url, "sandbox": asked.sandbox}
    chosen = given.strongest(choices, "Give only one of --region, --base-url and --sandbox.")
    in_file = given.origin("sandbox_faults") is Origin.CONFIG
    if asked.sandbox_faults and chosen != "sandbox" and not in_file:
        raise UsageError("--sandbox-faults is for --sandbox only.")
    asks_api = not asked.dry_run or asked.delivery.if_exists.compares
    if chosen is None and asks_api:
        raise UsageError(_NO_DESTINATION)
    if chosen == "sandbox":
        from importer.api import Credentials  # noqa: PLC0415 - a dry run need not wait
        from importer.rehearsal import sandbox_running  # noqa: PLC0415 - as above

        address = stack.enter_context(sandbox_running(asked.sandbox_faults))
        base_url: str | None = address.url
        destination: str | None = "sandbox"
        credentials = Credentials(address.client_key, address.api_token)
    else:
        base_url, destination = _address(asked, chosen)
        credentials = (credentials or credentials_of(given)) if asks_api else None
    journal = None
    if chosen in {"region", "base_url"}:
        journal = journal_path(asked, destination or "", creates=not asked.dry_run)
    unused = choices.keys() - {chosen or "sandbox"}
    if journal is None:
        unused |= {"journal"}
    options = RunOptions.of(
        asked,
        source=replace(asked.source, path=None if path == STANDARD_STREAM else path),
        delivery=replace(asked.delivery, preview=asked.dry_run),
        out=out,
        journal=journal,
        base_url=base_url,
        destination=destination,
        starts_sandbox=chosen == "sandbox",
        bar=asked.log.bar,
        reads=_reads(
            {
                "--config": asked.config,
                "--credentials-file": asked.credentials_file,
                "--sandbox-faults": asked.sandbox_faults,
            }
        ),
        shown=given.shown({"out": out, "journal": journal}, unused),
    )
    return options, credentials


def undo_run(given: Given[UndoSettings]) -> RunOptions:
    """Return the options of an undo.

    Raises:
        UsageError: Options contradict each other, or there is no destination.
    """
    asked = given.options
    path = asked.results_csv
    if (path is None) is not bool(asked.run):
        raise UsageError("Give the results file of the import, or --run N, but not both.")
    named = path or Path(f"run-{'-'.join(map(str, asked.run))}")
    out = _out(given, named, "undone")
    choices = {"region": asked.region, "base_url": asked.base_url}
    chosen = given.strongest(choices, "Give only one of --region and --base-url.")
    if chosen is None:
        raise UsageError(_NO_PLACE)
    base_url, destination = _address(asked, chosen)
    journal = journal_path(asked, destination or "", creates=not asked.dry_run)
    return RunOptions.of(
        asked,
        source=SourceOptions(path=path),
        delivery=replace(asked.delivery, preview=asked.dry_run),
        out=out,
        journal=journal,
        base_url=base_url,
        destination=destination,
        starts_sandbox=False,
        bar=asked.log.bar,
        reads=_reads({"--config": asked.config, "--credentials-file": asked.credentials_file}),
        shown=given.shown({"out": out, "journal": journal}, choices.keys() - {chosen}),
    )


def destination_of(given: Given[JournalSettings]) -> str | None:
    """Return what journals call the destination; None if none was chosen.

    Raises:
        UsageError: ``--region`` and ``--base-url`` contradict each other.
    """
    asked = given.options
    choices = {"region": asked.region, "base_url": asked.base_url}
    chosen = given.strongest(choices, "Give only one of --region and --base-url.")
    return _address(asked, chosen)[1]


def journal_path(asked: DestinationSettings, destination: str, *, creates: bool) -> Path:
    """Return the journal of a destination.

    Args:
        asked: What was asked for.
        destination: What journals call it.
        creates: Whether to create the folder if the journal is in the state folder.

    Raises:
        UsageError: The state folder cannot be used.
    """
    if asked.journal is not None:
        return asked.journal
    path = default_path(destination)
    if creates:
        create_folder(path)
    return path


def _out(given: Given[ImportSettings] | Given[UndoSettings], source: Path, kind: str) -> Path:
    """Return the results file; a dry run has another default, to keep the results of a run."""
    asked = given.options
    kind = "dry-run" if asked.dry_run else kind
    if asked.out is None:
        return default_out(source, kind)
    is_own = given.origin("out") in {Origin.CALL, Origin.COMMAND_LINE}
    if is_own or not asked.dry_run or asked.out == STANDARD_STREAM:
        return asked.out
    return asked.out.with_name(f"{asked.out.stem}.{kind}.csv")


def default_out(source: Path, kind: str = "results") -> Path:
    """Return ``<source stem>.<kind>.csv`` in the working directory."""
    if source == STANDARD_STREAM:
        return Path(f"stdin.{kind}.csv")
    name = source.stem if source.suffix.lower() in _COMPRESSED else source.name
    return Path(f"{Path(name).stem}.{kind}.csv")


def credentials_of(given: Given[ImportSettings] | Given[UndoSettings]) -> "Credentials":
    """Return the credentials.

    A file that an argument or a variable names comes first, then the environment, then a file
    that the configuration file names.

    Raises:
        UsageError: They are missing or wrong.
    """
    path = given.options.credentials_file
    in_environment = any(os.environ.get(name) for name in CREDENTIAL_VARIABLES)
    if path is None or (in_environment and given.origin("credentials_file") is Origin.CONFIG):
        return from_environment()
    return read_credentials(path)


def _address(asked: DestinationSettings, chosen: str | None) -> tuple[str | None, str | None]:
    """Return the base URL of the chosen option, and what the journal calls it."""
    from importer.api import (  # noqa: PLC0415 - a dry run need not wait
        base_url_of,
        check_base_url,
        one_name_of,
    )

    if chosen == "region" and asked.region is not None:
        url = base_url_of(asked.region)
    elif chosen == "base_url" and asked.base_url is not None:
        url = check_base_url(asked.base_url)
    else:
        return None, None
    return url, one_name_of(url)


def _reads(files: Mapping[str, Path | None]) -> dict[str, Path]:
    return {option: path for option, path in files.items() if path is not None}
