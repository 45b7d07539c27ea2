"""Deletes contacts that an import created, as procedures that the engine drives."""
