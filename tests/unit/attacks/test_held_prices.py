"""An old price, brought first, keeps no newer one out of its block."""

import pytest

from bulkhead import prices
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Receipt, advance, now
from tests.helpers.feeds import pyth_update, use_pyth
from tests.helpers.protocol import EXECUTED, ISOLATED, LIMIT, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
TRADE_AGE = 60
BLOCK = 12


@pytest.fixture
def pulled(protocol: Protocol) -> Protocol:
    """Market 0 on a pull feed, of which anyone may bring any price newer than the last."""
    use_pyth(protocol, fee=0, market=0)
    bring(protocol, 50_000)
    return protocol


def bring(protocol: Protocol, dollars: int, age: int = 0) -> Receipt:
    update = pyth_update(dollars * 10**8, published_at=now() - age)
    payload = prices.pyth_updates([update])
    return protocol.oracle.send(protocol.attacker, "update", 0, payload)


def pull(protocol: Protocol, dollars: int) -> None:
    advance(BLOCK)
    bring(protocol, dollars)


def vault_of(protocol: Protocol, trader: str) -> int:
    """5,000 USD long on 500 in a vault, liquidatable at 45,000."""
    protocol.deposit(trader, 1_000 * USD)
    order = protocol.place(trader, 0, LOTS, margin_mode=ISOLATED)
    pull(protocol, 50_000)
    assert protocol.execute(order).result == EXECUTED
    return position_id(trader, 0, ISOLATED_LONG)


def test_nobody_holds_a_liquidation_up_with_old_prices(pulled: Protocol, trader: str) -> None:
    """Whoever is first in a block would otherwise choose a price that no one can act on."""
    vault = vault_of(pulled, trader)
    advance(600)
    for _ in range(3):
        advance(BLOCK)
        bring(pulled, 50_000, age=TRADE_AGE + 1)
        bring(pulled, 45_000)
        with pulled.anchored():
            assert pulled.liquidate_isolated(vault).result == 1


def test_nobody_holds_an_order_up_with_old_prices(pulled: Protocol, trader: str) -> None:
    pulled.deposit(trader, 1_000 * USD)
    limit = pulled.femto(0, 51_000)
    order = pulled.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=limit)
    advance(TRADE_AGE + BLOCK)
    bring(pulled, 50_000, age=TRADE_AGE + 1)
    bring(pulled, 50_000)
    assert pulled.execute(order).result == EXECUTED


def test_of_two_prices_that_may_fill_the_first_of_a_block_stays(pulled: Protocol) -> None:
    """The last second of its age is one that fills: nobody chooses between two such prices."""
    advance(TRADE_AGE + BLOCK)
    bring(pulled, 50_000, age=TRADE_AGE)
    assert bring(pulled, 45_000).events == []
    assert pulled.dollars(0) == 50_000
