"""Storage words, read as the table in section 2 of `docs/design.md` draws them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    shift: int
    bits: int
    is_signed: bool


class Layout:
    """Fields from the highest bits to the lowest: `name u56 | name i64`; together one word."""

    def __init__(self, drawn: str) -> None:
        self.fields: list[Field] = []
        shift = 256
        for part in drawn.split("|"):
            name, kind = part.split()
            bits = int(kind[1:])
            shift -= bits
            self.fields.append(Field(name, shift, bits, kind[0] == "i"))
        assert shift == 0, f"{drawn} is not one word"

    def read(self, word: int) -> dict[str, int]:
        found = {}
        for field in self.fields:
            value = word >> field.shift & (1 << field.bits) - 1
            if field.is_signed and value >> field.bits - 1:
                value -= 1 << field.bits
            found[field.name] = value
        return found

    def write(self, values: dict[str, int]) -> int:
        return sum((values[f.name] & (1 << f.bits) - 1) << f.shift for f in self.fields)


POSITION: Final = Layout("index i64 | size u56 | entry u56 | margin u56 | auto u1 | generation u23")
ACCOUNT: Final = Layout("cash i64 | legs u128 | vaults u8 | epoch u12 | flags u4 | escrow u40")
SIDE: Final = Layout("basis i160 | free u32 | size u64")
MARKET: Final = Layout(
    "index i64 | rate i40 | drift i40 | since u36 | ramping u1 | max_rate u19 | mmr u20 | imr u20"
    " | second_floor u16"
)
TIER: Final = Layout("free u192 | floor u24 | mmr u20 | imr u20")  # four in a word
RAMP: Final = Layout("free u144 | began_at u36 | ends_at u36 | mmr u20 | imr u20")
HOUSE: Final = Layout("pool_cash i96 | insurance u76 | fees u76 | flags u8")
PRICE: Final = Layout(
    "kind u4 | caution u4 | settles_at u20 | price u64 | confidence u20 | published_at u36"
    " | accepted_in u36 | silence u36 | trade_age u16 | max_age u20"
)
ORDER: Final = Layout(
    "free u17 | best u64 | opened u56 | generation u23 | is_spent u1 | is_bound u1 | is_child u1"
    " | is_escrowed u1 | epoch u12 | keeper_fee u40 | status u4 | executable_from u36"
)
OPERATOR: Final = Layout("free u16 | markets u128 | notional u64 | permissions u8 | expiry u40")
