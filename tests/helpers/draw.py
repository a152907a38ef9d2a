"""Numbers where mistakes live: around zero, units, landmarks and the ends of ranges."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, TypeVar, get_args, get_type_hints

from bulkhead.protocol.margin_math import Tiers
from bulkhead.protocol.market_math import INDEX_DENOMINATOR
from bulkhead.protocol.price_bounds import Exposure
from bulkhead.protocol.words import MAX_INDEX, Bits

LANDMARKS = (0, 1, 10**6, 10**9, 10**15, 10**18)
WORD = 2**256

Struct = TypeVar("Struct")


class Draw:
    """A deterministic source of numbers, structs and tiers."""

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)

    def integer(self, low: int, high: int, *landmarks: int) -> int:
        """A number from low to high, both included."""
        dice = self.random.random()
        if dice < 0.25:
            return self.random.randint(low, high)
        if dice < 0.6:
            size = self.random.randint(0, max(-low, high).bit_length())
            number = self.random.getrandbits(size) * (self.random.choice((-1, 1)) if low < 0 else 1)
        else:
            number = self.random.choice((low, high, *LANDMARKS, *landmarks, *landmarks))
            number += self.random.randint(-2, 2)
        return min(max(number, low), high)

    def unsigned(self, bits: int, *landmarks: int) -> int:
        return self.integer(0, 2**bits - 1, *landmarks)

    def signed(self, bits: int, *landmarks: int) -> int:
        return self.integer(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, *landmarks)

    def boolean(self) -> bool:
        return self.random.random() < 0.5

    def struct(self, kind: Callable[..., Struct], /, **fixed: Any) -> Struct:
        """A struct whose fields lie in their ranges."""
        values: dict[str, int] = {}
        for name, (base, bits) in _layout(kind).items():
            if base is bool:
                values[name] = self.boolean()
            else:
                values[name] = self.signed(bits.width) if bits.signed else self.unsigned(bits.width)
        return kind(**values | fixed)

    def stretched(self, kind: Callable[..., Struct]) -> Struct:
        """A struct of which one field may lie anywhere in its Vyper type, if that is a number."""
        layout = _layout(kind)
        numbers = [name for name, (base, _) in layout.items() if base is int]
        name = self.random.choice(
            [name for name in numbers if name not in ("source", "second", "feed")]
        )
        bits = layout[name][1]
        edge = 2 ** (bits.width - bits.signed)
        number = self.signed(256, edge, -edge) if bits.signed else self.unsigned(256, edge)
        return self.struct(kind, **{name: number})

    def tiers(self, *, most: int = 8) -> Tiers:
        """One to eight tiers, floors and both rates rising."""
        count = self.random.randint(0, most - 1)
        bits = self.random.randint(4, 24)
        floors = sorted(self.random.sample(range(1, 2**bits), count))
        maintenance = self._rising(count + 1)
        initial = self._rising(count + 1)
        tail = [
            floor << 40 | mmr << 20 | imr
            for floor, mmr, imr in zip(floors, maintenance[1:], initial[1:], strict=True)
        ]
        words = [
            sum(tier << 64 * i for i, tier in enumerate(part)) for part in (tail[:4], tail[4:])
        ]
        return Tiers(maintenance[0], initial[0], *words)

    def exposure(self, *, area: int | None = None) -> Exposure:
        """One leg, or two far from or close to each other, with equity around a limit."""
        size, other = self.unsigned(56), self.unsigned(56)
        smaller = self.random.choice(
            (0, min(size, other), size * 99 // 100, max(size - 1, 0), size)
        )
        legs = (size, smaller) if self.boolean() else (smaller, size)
        if area is None:
            area = self.integer(-MAX_INDEX, MAX_INDEX, INDEX_DENOMINATOR, -INDEX_DENOMINATOR)
        price, index = self.unsigned(64), self.signed(64)
        lost = (legs[1] - legs[0]) * (price - index - area * price // INDEX_DENOMINATOR)
        due = max(legs) * price // self.random.choice((3, 10, 100, 1_000))
        return Exposure(*legs, self.signed(128, lost, lost + due), index, area)

    def _rising(self, count: int) -> list[int]:
        bits = self.random.randint(6, 20)
        return sorted(self.random.sample(range(1, 2**bits), count))


@cache
def _layout(kind: Callable[..., Any]) -> dict[str, tuple[type, Bits]]:
    return {
        name: get_args(hint) for name, hint in get_type_hints(kind, include_extras=True).items()
    }
