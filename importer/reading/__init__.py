"""The source file: from bytes on disk to batches of records.

The way through this room: stored bytes (:mod:`~importer.reading.stored`) -> unpacked bytes
(:mod:`~importer.reading.packing`) -> text (:mod:`~importer.reading.decoding`) -> physical lines
(:mod:`~importer.reading.lines`) -> records (:mod:`~importer.reading.parsing`) -> batches
(:mod:`~importer.reading.source`). No record is ever lost, merged, padded or shifted on it.
Source: contract, section 3.
"""

from importer.reading.source import Source, open_source
from importer.reading.stored import CHANGED, spooled

__all__ = ["CHANGED", "Source", "open_source", "spooled"]
