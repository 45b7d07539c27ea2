"""Which orders the sandbox knows."""

from pathlib import Path

import pytest

from importer.sandbox.options import SandboxError
from importer.sandbox.orders import Orders, canonical_uuid, read_orders

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
    """Only 8-4-4-4-12 is a reference, in whatever case."""
    assert canonical_uuid(text) == canonical


def test_without_a_file_any_uuid_and_any_number_is_an_order() -> None:
    """An open set knows every UUID, and gives every number one order of its own."""
    orders = Orders()
    assert orders.known(ORDER.upper()) == ORDER
    assert orders.known("A-17") is None
    assert orders.of_number("A-17") == Orders().of_number("A-17") != orders.of_number("A-18")
    assert orders.listed is None


def test_a_file_is_all_there_is(tmp_path: Path) -> None:
    """With a file only its orders exist, by reference and by number."""
    path = tmp_path / "orders.csv"
    path.write_text(
        f"\ufefforderRef,referenceId\n{ORDER.upper()},A-17\n{OTHER},A-17\n{OTHER},A-17\n"
    )
    orders = read_orders(path)
    assert orders.listed == [ORDER, OTHER]
    assert orders.known(ORDER) == ORDER
    assert orders.known("00000000-0000-4000-8000-000000000002") is None
    assert orders.of_number("A-17") == [ORDER, OTHER]
    assert orders.of_number("A-18") == []
    assert orders.number_of(ORDER) == "A-17"


def test_orders_need_no_number(tmp_path: Path) -> None:
    """The column of numbers may be missing or blank; a blank is no number."""
    path = tmp_path / "orders.csv"
    path.write_text(f"orderRef\n{ORDER}\n")
    assert read_orders(path).known(ORDER) == ORDER
    assert read_orders(path).of_number("") == []


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
def test_a_file_that_is_no_orders_file_is_told(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    """A file that cannot be used is one error that says where."""
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(SandboxError, match=complaint):
        read_orders(path)


def test_the_sample_is_understood() -> None:
    """The orders in sample_data can be read; one number belongs to two of them."""
    orders = read_orders(Path(__file__).parents[2] / "sample_data" / "orders.csv")
    assert len(orders.listed or ()) == 28
    assert len(orders.of_number("WEB-10001")) == 1
    assert len(orders.of_number("WEB-10026")) == 2
