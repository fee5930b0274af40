"""The bytes of a file on their way: known by size and digest, handed out block by block, never whole (contracts: tamara 4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator


class Cargo:
    """`blocks` begins anew at each call. Printing shows the size only."""

    def __init__(self, size: int, digest: str, blocks: Callable[[], Iterable[bytes]]) -> None:
        self.size = size
        self.digest = digest
        self._blocks = blocks

    @classmethod
    def of(cls, content: bytes) -> Cargo:
        """Bytes that are in memory anyway."""
        return cls(len(content), hashlib.sha256(content).hexdigest(), lambda: [content])

    @classmethod
    def measured(cls, blocks: Callable[[], Iterable[bytes]]) -> Cargo:
        """Size and digest as they are, after one pass."""
        size, digest = 0, hashlib.sha256()
        for block in blocks():
            size += len(block)
            digest.update(block)
        return cls(size, digest.hexdigest(), blocks)

    def after(self, offset: int) -> Iterator[memoryview]:
        """The blocks from byte `offset` on."""
        for block in self._blocks():
            if offset < len(block):
                yield memoryview(block)[offset:]
            offset = max(0, offset - len(block))

    def digest_of(self, length: int) -> str:
        """SHA-256 of the first `length` bytes in hex."""
        digest = hashlib.sha256()
        for block in self.after(0):
            digest.update(block[:length])
            length -= len(block)
            if length <= 0:
                break
        return digest.hexdigest()

    def __repr__(self) -> str:
        return f"Cargo({self.size} bytes)"
