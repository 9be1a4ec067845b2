from __future__ import annotations

from typing import cast

import pytest

import libglide


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        ("foo", 12182),
        (b"foo", 12182),
        ("", 0),
        ("123456789", 12739),
        ("{user1000}.following", 3443),
        ("{user1000}.followers", 3443),
        ("foo{}{bar}", 8363),
        ("foo{{bar}}zap", 4015),
    ],
)
def test_a_key_has_the_slot_of_its_hash_tag(key: bytes | str, slot: int) -> None:
    assert libglide.key_slot(key) == slot


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="not int"):
        libglide.key_slot(cast(str, 1))


def test_the_library_says_its_version() -> None:
    assert libglide.library_version().count(".") == 2
