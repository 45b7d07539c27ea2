"""``python -m importer.sandbox`` is ``contacts-sandbox``."""

from importer.sandbox.cli import main

main()
