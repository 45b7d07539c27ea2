"""The deliver room: each contact to the API exactly once."""

from importer.delivery.delivery import Delivery
from importer.delivery.outcomes import exists, not_sent
from importer.delivery.policy import Stop

__all__ = ["Delivery", "Stop", "exists", "not_sent"]
