"""The table of answers in the documentation is the one that the program uses."""

from pathlib import Path

from importer.api import NextStep
from importer.api.rules import TABLE, Rule

PAGE = (Path(__file__).parents[2] / "docs/promise.md").read_text(encoding="utf-8")


def row(rule: Rule) -> str:
    """Return a rule as the documentation shows it."""
    stop = f": `stopped.{rule.stop}`" if rule.next_step is NextStep.STOP else ""
    slows = "yes" if rule.slows else "no"
    absent = f" {rule.when_absent} |" if rule.when_absent else " |"
    return f"| {rule.answer} | {rule.verdict} | {slows} | {rule.next_step}{stop} |{absent}"


def test_documented_table_is_the_one_that_is_used() -> None:
    """Every rule, in the same order, and no others."""
    table = PAGE.partition("## Answers")[2].partition("\n\n| next step |")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert rows[2:] == [row(rule) for rule in TABLE]


def test_every_next_step_is_explained() -> None:
    """In the order in which the program lists them."""
    table = PAGE.partition("\n\n| next step |")[2].partition("\n\n")[0]
    named = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert named == [str(step) for step in NextStep]
