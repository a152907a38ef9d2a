"""A market that is over: everybody closes everybody at the final price, and all come out even."""

import pytest

from bulkhead.protocol import market_math, words
from tests.helpers.chain import advance, now
from tests.helpers.protocol import BTC, ISOLATED, LONG, SHORT, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ETH_LOTS = 2 * 10**7  # 2 ETH, 5,000 USD
FEMTO = 10**9


def end(protocol: Protocol, market: int, dollars: int) -> None:
    """The market's settlement began with this hour, and this is its final price."""
    protocol.requote(
        market,
        kind=words.SETTLED,
        price=protocol.femto(market, dollars),
        settles_at=now() // words.HOUR,
        trade_age=0,
    )


@pytest.fixture
def open_interest(protocol: Protocol, trader: str, attacker: str) -> Protocol:
    """Both sides, both margin modes, and another market."""
    for account in (trader, attacker):
        protocol.deposit(account, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, ETH_LOTS)
    protocol.trade(attacker, 0, LOTS // 2, is_buy=False)
    protocol.trade(attacker, 0, LOTS // 2, is_buy=False, margin_mode=ISOLATED, margin=300 * USD)
    return protocol


def all_of(protocol: Protocol, market: int = 0) -> list[int]:
    return [
        position_id(account, market, slot)
        for account in sorted(protocol.accounts)
        for slot in range(4)
    ]


def worth(protocol: Protocol, market: int = 0) -> int:
    """What the pool owes a market's traders, femto."""
    price, index = protocol.price(market).price, protocol.accrued(market).funding_index
    return sum(
        market_math.side_value(protocol.side(market, side), side, price, index)
        for side in (True, False)
    )


def test_a_vault_gets_its_margin_and_what_it_is_worth(
    open_interest: Protocol, trader: str, keeper: str
) -> None:
    end(open_interest, 0, 51_000)
    cash, house, earned = (
        open_interest.cash(trader),
        open_interest.house(),
        open_interest.cash(keeper),
    )
    realised = open_interest.value(trader, 0, 2) // FEMTO

    receipt = open_interest.settle_positions(position_id(trader, 0, 2))

    assert receipt.result == 1
    event = receipt.event("PositionSettled")
    assert (event.account, event.market, event.slot, event.size) == (trader, 0, 2, LOTS)
    assert (event.price, event.deficit) == (open_interest.price(0).price, 0)
    assert event.realised == realised
    assert open_interest.position(trader, 0, 2) == words.Position(0, 0, 0, 1, 0)
    assert open_interest.cash(trader) == cash + 500 * USD + realised
    assert open_interest.account(trader).vaults == 0
    assert open_interest.house().pool_cash == house.pool_cash - realised
    assert (open_interest.house().insurance, open_interest.house().fees) == (
        house.insurance,
        house.fees,
    )
    assert open_interest.cash(keeper) == earned


def test_the_words_in_the_events_are_the_state_after_them(
    open_interest: Protocol, trader: str
) -> None:
    end(open_interest, 0, 51_000)
    receipt = open_interest.settle_positions(position_id(trader, 0, 0))
    event, read = receipt.event("PositionSettled"), open_interest.clearinghouse.read
    assert event.position_word == read("position_word", position_id(trader, 0, 0))
    assert event.account_word == read("account_word", trader)
    settled = receipt.event("MarketSettled")
    found = open_interest.market_words(0)[:3]
    assert [settled.market_word, settled.long_word, settled.short_word] == found
    assert receipt.event("HouseSettled").house_word == read("house_word")


@pytest.mark.parametrize("dollars", [1, 45_000, 50_000, 60_000])
def test_once_all_is_closed_the_sides_are_empty_and_all_came_out_even(
    open_interest: Protocol, dollars: int
) -> None:
    end(open_interest, 0, dollars)
    owed, house = worth(open_interest), open_interest.house()
    receipt = open_interest.settle_positions(*all_of(open_interest))
    assert receipt.result == 4
    assert open_interest.side(0, True) == open_interest.side(0, False) == words.Side(0, 0)
    events = receipt.named("PositionSettled")
    paid = sum(event.realised for event in events)
    # The pool paid what it owed, less a part of a unit for each.
    assert 0 <= owed - paid * FEMTO < len(events) * FEMTO
    deficits = sum(event.deficit for event in events)
    after = open_interest.house()
    assert after.pool_cash + after.insurance == house.pool_cash + house.insurance - paid - deficits
    open_interest.check_invariants()


def test_funding_ends_with_the_hour_of_settlement(open_interest: Protocol, trader: str) -> None:
    open_interest.refresh()
    end(open_interest, 0, 50_000)
    with open_interest.anchored():
        early = open_interest.settle_positions(position_id(trader, 0, 2)).event("PositionSettled")
    advance(10 * 86_400)
    late = open_interest.settle_positions(position_id(trader, 0, 2)).event("PositionSettled")
    assert late.realised == early.realised


def test_a_cross_leg_is_worth_cash_and_the_others_stay(
    open_interest: Protocol, trader: str
) -> None:
    end(open_interest, 0, 52_000)
    cash, realised = open_interest.cash(trader), open_interest.value(trader, 0, 0) // FEMTO
    open_interest.settle_positions(position_id(trader, 0, 0))
    assert open_interest.cash(trader) == cash + realised
    assert open_interest.account(trader).legs == words.leg_bit(1, 0)


def test_what_a_vault_lost_beyond_its_margin_is_insurances(
    open_interest: Protocol, trader: str
) -> None:
    end(open_interest, 0, 40_000)
    cash, house = open_interest.cash(trader), open_interest.house()
    event = open_interest.settle_positions(position_id(trader, 0, 2)).event("PositionSettled")
    assert event.deficit == -event.realised - 500 * USD > 0
    assert open_interest.cash(trader) == cash
    assert open_interest.house().insurance == house.insurance - event.deficit


def test_an_accounts_debt_is_written_off_with_its_last_leg(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, ETH_LOTS)
    protocol.place(trader, 1, ETH_LOTS, kind=1, acceptable_price=1)  # escrows a keeper's fee
    end(protocol, 0, 30_000)
    end(protocol, 1, 2_500)
    receipt = protocol.settle_positions(position_id(trader, 0, 0))
    assert receipt.named("DebtWrittenOff") == []
    owed = protocol.cash(trader)
    assert owed < 0
    house = protocol.house()
    receipt = protocol.settle_positions(position_id(trader, 1, 0))
    written, settled = receipt.event("DebtWrittenOff"), receipt.event("PositionSettled")
    assert written.escrow == 200_000
    assert written.deficit == -owed - settled.realised - written.escrow
    assert protocol.account(trader).cash == protocol.account(trader).escrow == 0
    assert protocol.house().insurance == house.insurance - written.deficit


def test_what_insurance_cannot_pay_is_the_pools() -> None:
    protocol = Protocol(BTC, insurance=0)
    trader = protocol.trader
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    end(protocol, 0, 40_000)
    house = protocol.house()
    event = protocol.settle_positions(position_id(trader, 0, 2)).event("PositionSettled")
    assert event.deficit > house.insurance
    assert protocol.house().insurance == 0
    uncovered = event.deficit - house.insurance
    assert protocol.house().pool_cash == house.pool_cash - event.realised - uncovered
    protocol.check_invariants()


def test_nothing_is_settled_before_the_price_is_final(open_interest: Protocol) -> None:
    before = open_interest.state()
    receipt = open_interest.settle_positions(*all_of(open_interest))
    assert (receipt.result, receipt.events) == (0, [])
    assert open_interest.state() == before
    open_interest.requote(0, settles_at=now() // words.HOUR)
    assert open_interest.settle_positions(*all_of(open_interest)).result == 0


def test_whatever_else_is_named_is_skipped(open_interest: Protocol, trader: str) -> None:
    end(open_interest, 0, 50_000)
    mine = position_id(trader, 0, 2)
    receipt = open_interest.settle_positions(
        0, 2**256 - 1, mine | 1 << 200, mine | 4, position_id(trader, 1, 0), mine, mine
    )
    assert receipt.result == 1


def test_a_settled_leg_is_neither_liquidated_nor_asks_for_margin(
    open_interest: Protocol, trader: str
) -> None:
    end(open_interest, 0, 1)
    open_interest.push_price(1, 2_500)
    assert open_interest.liquidate_isolated(*all_of(open_interest)).result == 0
    receipt = open_interest.liquidate_cross(trader)  # 5,000 lost of what it had
    assert [event.market for event in receipt.named("PositionLiquidated")] == [1]
    assert open_interest.position(trader, 0, 0).size == LOTS


def test_a_settled_leg_shields_no_account(protocol: Protocol, trader: str) -> None:
    """Its loss counts, whatever it was; and with it gone the rest is as due as before."""
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, ETH_LOTS)
    end(protocol, 0, 40_200)
    protocol.push_price(1, 2_500)
    with protocol.anchored():
        protocol.settle_positions(position_id(trader, 0, 0))
        alone = protocol.liquidate_cross(trader)
        assert alone.result == 1
        left = protocol.cash(trader)
    receipt = protocol.liquidate_cross(trader)
    assert receipt.result == 1
    penalties = [r.event("PositionLiquidated").penalty for r in (alone, receipt)]
    assert penalties[0] == penalties[1]
    protocol.settle_positions(position_id(trader, 0, 0))
    assert abs(protocol.cash(trader) - left) <= 1
    assert protocol.account(trader).legs == 0


def test_both_legs_of_a_pair_are_settled(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    cash = protocol.cash(trader)
    end(protocol, 0, 1)
    assert protocol.settle_positions(*all_of(protocol)).result == 2
    assert abs(protocol.cash(trader) - cash) < USD
    assert protocol.account(trader).legs == 0


def test_a_batch_goes_through_many_markets(open_interest: Protocol, trader: str) -> None:
    end(open_interest, 0, 50_000)
    end(open_interest, 1, 2_500)
    receipt = open_interest.settle_positions(
        position_id(trader, 0, 0), position_id(trader, 1, 0), position_id(trader, 0, 2)
    )
    assert receipt.result == 3
    assert [event.market for event in receipt.named("MarketSettled")] == [0, 1, 0]
    open_interest.check_invariants()
