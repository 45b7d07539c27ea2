"""Which orders exist in the sandbox."""

from pathlib import Path

import pytest

from importer.sandbox.settings import SandboxError
from importer.sandbox.store import Orders, canonical_uuid, read_orders

ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
OTHER = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (ORDER, ORDER),
        (ORDER.upper(), ORDER),
        (ORDER.replace("-", ""), None),
        (f"{{{ORDER}}}", None),
        (f"urn:uuid:{ORDER}", None),
        ("../../guests", None),
        ("", None),
        (f"{ORDER}\n", None),
    ],
)
def test_a_uuid_has_one_form(text: str, canonical: str | None) -> None:
    """Only 8-4-4-4-12 is a ref, in upper or lower case."""
    assert canonical_uuid(text) == canonical


def test_without_a_file_any_uuid_and_any_number_is_an_order() -> None:
    """Every UUID is an order, and every number belongs to one order."""
    orders = Orders()
    assert orders.find(ORDER.upper()) == ORDER
    assert orders.find("A-17") is None
    assert orders.with_number("A-17") == Orders().with_number("A-17") != orders.with_number("A-18")
    assert orders.listed is None


def test_only_orders_of_the_file_exist(tmp_path: Path) -> None:
    """With a file only its orders exist, by reference and by number."""
    path = tmp_path / "orders.csv"
    path.write_text(
        f"\ufefforderRef,referenceId\n{ORDER.upper()},A-17\n{OTHER},A-17\n{OTHER},A-17\n"
    )
    orders = read_orders(path)
    assert orders.listed == [ORDER, OTHER]
    assert orders.find(ORDER) == ORDER
    assert orders.find("00000000-0000-4000-8000-000000000002") is None
    assert orders.with_number("A-17") == [ORDER, OTHER]
    assert orders.with_number("A-18") == []
    assert orders.number_of(ORDER) == "A-17"


def test_orders_need_no_number(tmp_path: Path) -> None:
    """The column of numbers may be missing or blank."""
    path = tmp_path / "orders.csv"
    path.write_text(f"orderRef\n{ORDER}\n")
    assert read_orders(path).find(ORDER) == ORDER
    assert read_orders(path).with_number("") == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"ref\n", "has no column orderRef"),
        (b"", "has no column orderRef"),
        (b"orderRef,referenceId\nA-17,x\n", "Line 2 of the orders file"),
        (f"orderRef,referenceId\n{ORDER},A\n{ORDER},B\n".encode(), "Line 3 of the orders file"),
        (b"orderRef\n\xff\n", "is not CSV in UTF-8"),
        (b'orderRef\n"x', "is not CSV in UTF-8"),
    ],
)
def test_invalid_orders_file_is_an_error(tmp_path: Path, content: bytes, complaint: str) -> None:
    """An invalid file is one error that names the place."""
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(SandboxError, match=complaint):
        read_orders(path)


def test_sample_is_valid() -> None:
    """The orders in sample_data can be read; one number belongs to two orders."""
    orders = read_orders(Path(__file__).parents[2] / "sample_data" / "orders.csv")
    assert len(orders.listed or ()) == 28
    assert len(orders.with_number("WEB-10001")) == 1
    assert len(orders.with_number("WEB-10026")) == 2
