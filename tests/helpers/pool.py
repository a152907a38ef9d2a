"""What shares of the pool are worth, to those who enter it and to those who leave."""

from tests.helpers.protocol import Protocol

FEMTO = 10**9
VIRTUAL = 10**6

Ratio = tuple[int, int]


def equity(protocol: Protocol) -> int:
    return int(protocol.pool.read("equity")[0])


def supply(protocol: Protocol) -> int:
    return int(protocol.pool.read("totalSupply")) + VIRTUAL


def premium(protocol: Protocol) -> int:
    """What closing every market's skew at once would pay back, femto."""
    found = 0
    for market in range(protocol.clearinghouse.read("market_count")):
        scale = protocol.trade_terms(market).skew_scale
        found += protocol.skew(market) ** 2 * protocol.price(market).price // (2 * scale)
    return found


def price_of_share(protocol: Protocol) -> Ratio:
    """Equity and shares, the virtual ones included: numerator and denominator."""
    return equity(protocol) + FEMTO, supply(protocol)


def price_at_exit(protocol: Protocol) -> Ratio:
    """The same to those who leave, at prices without confidence."""
    return equity(protocol) - premium(protocol) + FEMTO, supply(protocol)


def is_no_lower(now: Ratio, then: Ratio) -> bool:
    return now[0] * then[1] >= then[0] * now[1]


def is_rounded_from(now: Ratio, then: Ratio) -> bool:
    """No lower, and higher by the rounding of one move: two units of the whole pool's equity."""
    return is_no_lower(now, then) and is_no_lower((then[0] + 2 * FEMTO, then[1]), now)
