"""Bulkhead in the shape of CCXT's unified structures."""

from decimal import Decimal
from itertools import pairwise

from bulkhead import MarginMode, OrderKind
from bulkhead.ccxt import leverage_tiers_to_ccxt, to_ccxt
from tests.sdk.world import World

BTC = "BTC-PERP"


def test_a_market_is_a_linear_swap(world: World) -> None:
    market = world.reader.market(BTC)
    found = to_ccxt(market)
    assert (found["id"], found["symbol"]) == (BTC, "BTC/USD:USD")
    assert (found["type"], found["linear"], found["active"]) == ("swap", True, True)
    assert found["taker"] == Decimal(market.terms.taker_fee) / 10**6
    assert found["precision"]["amount"] == market.size_of(1)
    assert found["limits"]["cost"]["min"] == market.terms.min_notional
    assert found["info"] is market


def test_leverage_tiers_meet_and_the_last_has_no_end(world: World) -> None:
    market = world.reader.market(BTC)
    found = leverage_tiers_to_ccxt(market)
    assert len(found) == len(market.tiers)
    assert found[0]["minNotional"] == 0
    assert found[-1]["maxNotional"] is None
    for one, following in pairwise(found):
        assert one["maxNotional"] == following["minNotional"]
        assert one["maxLeverage"] > following["maxLeverage"]
    rate = market.tiers[0].initial_rate
    assert found[0]["maxLeverage"] * rate == 10**6


def test_positions_say_their_margin_mode_and_side(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place(BTC, "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10))
    world.fill(trader.place(BTC, "0.05", is_buy=False, margin_mode=MarginMode.CROSS))
    account = world.reader.account(trader.address)
    vault, leg = to_ccxt(account.isolated[0]), to_ccxt(account.cross[0])
    assert (vault["marginMode"], vault["side"]) == ("isolated", "long")
    assert (leg["marginMode"], leg["side"]) == ("cross", "short")
    assert vault["contracts"] == Decimal("0.1")
    assert vault["collateral"] == account.isolated[0].margin
    assert vault["liquidationPrice"] == account.isolated[0].liquidation_price
    assert vault["leverage"] == vault["notional"] / account.isolated[0].equity
    assert leg["collateral"] is None
    assert isinstance(to_ccxt(account.isolated[0], number=str)["contracts"], str)


def test_an_order_is_open_until_it_fills(world: World) -> None:
    trader = world.trader()
    handle = trader.place(
        BTC, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=101_000, expiry=2**39
    )
    resting = handle.to_ccxt()
    assert (resting["status"], resting["filled"], resting["remaining"]) == (
        "open",
        0,
        Decimal("0.1"),
    )
    assert (resting["type"], resting["timeInForce"]) == ("limit", "GTD")
    assert resting["price"] == 101_000
    world.fill(handle)
    (fill,) = handle.outcome().fills
    filled = handle.to_ccxt()
    assert (filled["status"], filled["remaining"]) == ("closed", 0)
    assert filled["average"] == fill.price
    assert filled["fee"]["cost"] == fill.fee + Decimal("0.2")
    assert filled["id"] == "0x" + handle.hash.hex()


def test_a_cancelled_order_says_so_in_their_spelling(world: World) -> None:
    trader = world.trader()
    handle = trader.place(BTC, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000)
    trader.cancel(handle)
    assert handle.to_ccxt()["status"] == "canceled"


def test_a_ticker_has_the_oracle_s_price(world: World) -> None:
    state = world.reader.market_state(BTC)
    found = to_ccxt(state)
    assert found["last"] == found["markPrice"] == state.mark_price
    assert found["timestamp"] == state.price.published_at * 1_000
    assert found["datetime"].endswith("Z")
