"""Salted digests: how the journal recognises contacts and values without storing them.

Source: docs/journal.md, "What is stored".
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

ORDER_BYTES: Final = 8
CONTENT_BYTES: Final = 12
_SECRET_BYTES: Final = 32
_WHO_BYTES: Final = 10
_NOBODY: Final = bytes(_WHO_BYTES)
_TAG_BYTES: Final = 2
IDENTITY_BYTES: Final = _TAG_BYTES + _WHO_BYTES
_VALUE_BYTES: Final = 6
_FIELD_BYTES: Final = _TAG_BYTES + _VALUE_BYTES


class Hasher:
    """Digests for one destination of one journal.

    Args:
        salt: The journal's own, so that no digest can be looked up in another journal.
        destination: Name of the destination as the journal stores it.
    """

    def __init__(self, salt: bytes, destination: bytes) -> None:
        self._salt = salt
        self._destination = destination
        # Copies of these take half as long as a new digest of the same bytes.
        self._of_order = hashlib.blake2b(destination, digest_size=ORDER_BYTES, key=salt)
        self._of_content = hashlib.blake2b(destination, digest_size=CONTENT_BYTES, key=salt)
        # The intent and the outcome of a contact, and the rows of an order, are close together.
        self.order = functools.lru_cache(maxsize=4096)(self._order)

    def key(self, order: str, canonical: bytes) -> bytes:
        """Return the key of a contact: 8 bytes for its order and 12 for its content."""
        content = self._of_content.copy()
        content.update(canonical)
        return self.order(order) + content.digest()

    def digests(self, order: str, key_fields: Iterable[str], fields: Mapping[str, bytes]) -> bytes:
        """Return the digests of a contact; see :meth:`Journal.digests`."""
        names = sorted(key_fields)
        values = [fields.get(name, b"") for name in names]
        tag = key_tag(names)
        parts = [self._destination, order.lower().encode(), tag, *values]
        digest = hashlib.blake2b(
            b"".join(b"%d:%b" % (len(part), part) for part in parts),
            digest_size=_SECRET_BYTES + _WHO_BYTES,
            key=self._salt,
        ).digest()
        # One part of the digest is stored, the other is the key of the values' digests. So
        # equal values of two contacts look different, and only someone who has guessed the key
        # fields of a contact can guess its other values.
        secret, who = digest[:_SECRET_BYTES], digest[_SECRET_BYTES:]
        packed = (
            _tag(name) + hashlib.blake2b(value, digest_size=_VALUE_BYTES, key=secret).digest()
            for name, value in fields.items()
            if value
        )
        return b"".join((tag, who if any(values) else _NOBODY, *packed))

    def _order(self, order: str) -> bytes:
        digest = self._of_order.copy()
        digest.update(order.lower().encode())
        return digest.digest()


def key_tag(key_fields: Iterable[str]) -> bytes:
    """Return the first bytes of all digests that were made with those key fields."""
    return _tag("\0".join(sorted(key_fields)))


def identity_of(digests: bytes) -> bytes:
    """Return the part of a contact's digests that says who it is; ``b""`` if it has none.

    A contact whose key fields are all blank has none.
    """
    identity = digests[:IDENTITY_BYTES]
    return b"" if identity.endswith(_NOBODY) else identity


def changed_fields(before: bytes, after: bytes, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the fields with a new value.

    A field that has become blank is not one of them.

    Args:
        before: Digests of the contact as it was sent last.
        after: Digests of the contact now; of the same order and key fields.
        names: Names of all fields, in the order in which they are to be returned.
    """
    old, new = _values(before), _values(after)
    return tuple(name for name in names if (tag := _tag(name)) in new and new[tag] != old.get(tag))


def merged_digests(before: bytes, after: bytes) -> bytes:
    """Return the digests to record after an update: those of fields now blank stay."""
    merged = _values(before) | _values(after)
    return after[:IDENTITY_BYTES] + b"".join(tag + digest for tag, digest in merged.items())


def client_digest(salt: bytes, client_key: str) -> bytes:
    """Return the digest by which the journal recognises a client key; ``b""`` if there is none."""
    key = client_key.encode()
    return hashlib.blake2b(key, digest_size=16, key=salt).digest() if key else b""


@functools.cache
def _tag(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=_TAG_BYTES).digest()


def _values(digests: bytes) -> dict[bytes, bytes]:
    starts = range(IDENTITY_BYTES, len(digests), _FIELD_BYTES)
    return {
        digests[at : at + _TAG_BYTES]: digests[at + _TAG_BYTES : at + _FIELD_BYTES] for at in starts
    }
