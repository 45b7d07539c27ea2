"""Why a value cannot be sent."""


class Fault:
    """What stands in a cell in place of a value that cannot be sent.

    Because it takes the place of the value, no failure text of a library can hold the value.

    Attributes:
        messages: Each thing that is wrong and how to mend it, without the value itself.
    """

    __slots__ = ("messages",)

    def __init__(self, *messages: str) -> None:
        self.messages = messages

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.messages == getattr(other, "messages", None)

    def __hash__(self) -> int:
        return hash((type(self), self.messages))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.messages))})"


class Missing(Fault):
    """Nothing stands where something is required."""

    __slots__ = ()
