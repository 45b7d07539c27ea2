"""From the columns of the source file to the fields of the API.

The header is settled once for a run (:mod:`~importer.mapping.columns`); then each batch is mapped
column by column (:mod:`~importer.mapping.mapper`).

Source: docs/input.md.
"""

from importer.mapping.mapper import Mapper
from importer.mapping.tables import check_tables

__all__ = ["Mapper", "check_tables"]
