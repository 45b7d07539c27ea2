"""Run ``contacts-sandbox`` as ``python -m importer.sandbox``."""

from importer.sandbox.cli import main

main()
