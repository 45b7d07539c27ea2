"""Delivers each contact to the API exactly once, as procedures that the engine drives."""

from importer.delivery.delivery import Delivery
from importer.delivery.outcomes import exists_by_journal, row_not_sent

__all__ = ["Delivery", "exists_by_journal", "row_not_sent"]
