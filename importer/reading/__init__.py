"""The source file: from bytes on disk to batches of records.

stored bytes (:mod:`~importer.reading.stored`) -> unpacked bytes (:mod:`~importer.reading.packing`)
-> text (:mod:`~importer.reading.decoding`) -> lines (:mod:`~importer.reading.lines`) -> records
(:mod:`~importer.reading.parsing`) -> batches (:mod:`~importer.reading.source`). No record is lost,
merged, padded or shifted on the way.

Source: docs/input.md.
"""

from importer.reading.source import Source, open_source
from importer.reading.stored import CHANGED, spooled

__all__ = ["CHANGED", "Source", "open_source", "spooled"]
