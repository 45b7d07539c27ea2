"""The first reading of the results file, before anybody is asked: what there is to delete."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from importer.api import is_loopback
from importer.errors import UsageError
from importer.journal import Claims, Journal
from importer.reading import Source
from importer.records import CONTACT_DUPLICATED
from importer.undoing.candidates import Candidate, candidates, created_records, own_columns


@dataclass(slots=True, kw_only=True)
class Survey:
    """What a results file contains.

    Attributes:
        name: Name of the file, or of the runs.
        rows: Its records.
        created: Those that are ``created``: each has a result.
        contacts: Contacts that they name, each counted once.
        known: Those of them that the journal knows at the destination.
        elsewhere: Those whose href is at another host than the destination, and that the
            journal does not know.
        duplicated: Records whose contact is there a second time, says their error.
        sha256: Digest of the file, hexadecimal; the second reading must give the same.
        found: Contacts that the runs found and did not create; they are left alone.
        updated: Rows whose contacts the runs changed, which cannot be undone.
    """

    name: str = ""
    rows: int = 0
    created: int = 0
    contacts: int = 0
    known: int = 0
    elsewhere: int = 0
    duplicated: int = 0
    sha256: str = ""
    found: int = 0
    updated: int = 0


def survey(open_source: Callable[[], Source], name: str, journal: Journal, base_url: str) -> Survey:
    """Read the results file to its end.

    Args:
        open_source: Opens it.
        name: Its name, for error texts.
        journal: What the import has sent to the destination.
        base_url: The destination.

    Raises:
        InputError: It cannot be read to its end, or is no results file.
        UsageError: It contains contacts of another destination.
    """
    found = Survey(name=name)
    with open_source() as source, closing(Claims()) as claims:
        columns = own_columns(name, source.header)
        for batch in source.batches():
            found.rows += len(batch.lines)
            created = list(candidates(created_records(name, batch, columns), columns))
            named = [one for one in created if one.has_ref]
            taken = claims.claim([one.key for one in named], [one.row for one in named])
            first = [one for one in named if one.row not in taken]
            known = {entry.ref for entry in journal.find_refs([one.ref for one in first])}
            found.created += len(created)
            found.contacts += len(first)
            found.known += sum(one.ref in known for one in first)
            found.duplicated += sum(one.error_code == CONTACT_DUPLICATED for one in created)
            # The journal's own destination proves more than an address: the API behind a
            # gateway gives its own.
            strangers = [
                one for one in first if one.ref not in known and not _is_at(one.href, base_url)
            ]
            if strangers and not is_loopback(urlsplit(base_url).hostname or ""):
                raise _elsewhere(name, strangers[0], base_url)
            found.elsewhere += len(strangers)
        found.sha256 = source.sha256
    return found


def _is_at(href: str, base_url: str) -> bool:
    """Whether an address may be of the destination; one that is not told may."""
    here, there = _host(base_url), _host(href)
    return not href or here == there or (is_loopback(here) and is_loopback(there))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _elsewhere(name: str, stranger: Candidate, base_url: str) -> UsageError:
    return UsageError(
        f"{name}: the contact of row {stranger.row} is at {_host(stranger.href) or 'no host'}, "
        f"and the destination is {_host(base_url)}, where it would seem gone. Give the --region "
        "or --base-url of the import, and its --journal if that has another name. Nothing was "
        "deleted."
    )
