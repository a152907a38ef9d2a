"""Where the walk's prices come from.

One market's are published, another's compared with a second source, too, and a third's are Pyth's,
which says how certain it is of them.
"""

from decimal import Decimal

from eth_abi.abi import encode

from tests.helpers.chain import Contract
from tests.helpers.protocol import WAD, Market, Protocol
from tests.reference.state import PPM

PLAIN, CHECKED, PYTH = range(3)  # markets
MOST_OFF = 10_000  # ppm, by which the second source may be off
UNCERTAIN = 20_000  # ppm: a price less certain is refused
NAME = b"\x07" * 32  # Pyth's, of a market
DECIMALS = 8  # of both contracts


class World(Protocol):
    """An exchange whose prices have these sources, and whose token knows permits."""

    token_contract = "mocks/MockPermitToken"

    def __init__(self, *listed: Market, pool_cash: int, insurance: int) -> None:
        super().__init__(*listed, pool_cash=pool_cash, insurance=insurance)
        self.second = Contract("mocks/MockAggregator", DECIMALS)
        self.pyth = Contract("mocks/MockPyth", 0)
        market = listed[PYTH]
        self.oracle.send(self.owner, "set_check", CHECKED, self.second.address, MOST_OFF, 0)
        self.oracle.send(
            self.owner,
            "set_pyth_feed",
            *(PYTH, WAD // market.lots, market.trade_age, market.max_age),
            *(self.pyth.address, NAME),
        )

    def payload(self, market: int, price: Decimal, at: int, confidence: int) -> bytes:
        """What brings a price to the oracle."""
        if market != PYTH:
            return encode(["uint256", "uint256"], [int(price * WAD), at])
        whole = int(price * 10**DECIMALS)
        off = whole * confidence // PPM
        update = encode(
            ["bytes32", "int64", "uint64", "int32", "uint256"], [NAME, whole, off, -DECIMALS, at]
        )
        return encode(["bytes[]"], [[update]])

    def certainty(self, price: Decimal, confidence: int) -> int:
        """In ppm, up: what Pyth's whole numbers make of a confidence."""
        whole = int(price * 10**DECIMALS)
        return -(-(whole * confidence // PPM) * PPM // whole)

    def answer(self, price: Decimal, at: int) -> None:
        self.second.send(self.owner, "set_answer", int(price * 10**DECIMALS), at)
