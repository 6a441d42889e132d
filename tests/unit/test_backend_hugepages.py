"""Large mappings are found, and moved without a change of what they hold."""

from __future__ import annotations

import numpy as np

from cotenant.backend.hugepages import HUGE_PAGE_BYTES, collapse, large_mappings

MIB = 1 << 20


def mapping(start: int, size: int, resident: int, kind: str = "rw-p", file: str = "") -> list[str]:
    return [f"{start:x}-{start + size:x} {kind} 00000000 00:00 0 {file}".rstrip(), f"Size: {size >> 10} kB", f"Rss: {resident >> 10} kB"]


def test_the_huge_pages_that_lie_within_a_resident_mapping_are_found() -> None:
    smaps = mapping(3 * MIB, 6 * MIB, 6 * MIB)
    assert list(large_mappings(smaps)) == [(4 * MIB, 8 * MIB)]


def test_what_was_hardly_touched_is_of_a_file_or_read_only_is_left_alone() -> None:
    smaps = [
        *mapping(4 * MIB, 8 * MIB, 1 * MIB),
        *mapping(16 * MIB, 8 * MIB, 8 * MIB, file="/lib/x.so"),
        *mapping(32 * MIB, 8 * MIB, 8 * MIB, kind="r--p"),
        *mapping(48 * MIB, 8 * MIB, 8 * MIB, file="[stack]"),
        *mapping(64 * MIB, 1 * MIB, 1 * MIB),
    ]
    assert list(large_mappings(smaps)) == []


def test_what_memory_holds_is_the_same_after_it_was_moved() -> None:
    weights = np.arange(4 * HUGE_PAGE_BYTES, dtype=np.uint8)
    before = weights.copy()
    moved_bytes = collapse()
    assert moved_bytes % HUGE_PAGE_BYTES == 0
    assert np.array_equal(weights, before)
