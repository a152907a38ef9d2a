"""Liquidations explained: every number worked out anew is the one that was logged."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from bulkhead import MarginMode, PositionSide, Trader, errors
from bulkhead.explain import Explanation, Part, explain_liquidation, latest_liquidation, told
from bulkhead.explain.reading import LIQUIDATIONS
from bulkhead.local import advance_time
from bulkhead.prices import published_price
from bulkhead.replay import Replay
from bulkhead.values import to_wad
from tests.sdk.world import World, people

BTC, ETH = "BTC-PERP", "ETH-PERP"
ISOLATED, CROSS = MarginMode.ISOLATED, MarginMode.CROSS


def explained(world: World) -> list[Explanation]:
    """What the keeper liquidates now, a transaction each."""
    transactions = dict.fromkeys(one.event.transaction for one in world.keeper.liquidate())
    return [explain_liquidation(world.reader, one) for one in transactions]


def only(found: Sequence[Explanation]) -> Explanation:
    (one,) = found
    assert one.agrees
    assert all(check.agrees for part in one.parts for check in part.checks)
    return one


def result(part: Part, what: str) -> Decimal | str:
    return next(step.result for step in part.steps if step.what == what)


def opened(world: World, trader: Trader, *orders: tuple[str, str, bool, MarginMode, int]) -> None:
    for symbol, size, is_buy, mode, leverage in orders:
        world.fill(trader.place(symbol, size, is_buy=is_buy, margin_mode=mode, leverage=leverage))


def test_a_small_vault_is_closed_whole_and_its_rest_comes_back(world: World) -> None:
    opened(world, world.trader(), (BTC, "0.05", True, ISOLATED, 10))
    world.move_price(BTC, 90_400)
    (part,) = only(explained(world)).parts
    assert (part.did, part.position) == ("closed whole", "BTC-PERP isolated long")
    assert part.account == world.wallet.account
    assert result(part, "maintenance margin of BTC-PERP") == Decimal("22.6")
    assert result(part, "margin ratio") == "liquidatable"
    returned = result(part, "account gets back")
    assert isinstance(returned, Decimal)
    assert returned > 0


def test_a_large_vault_keeps_what_it_can(world: World) -> None:
    opened(world, world.trader(50_000), (BTC, "4", True, ISOLATED, 10))
    world.move_price(BTC, 90_430)
    (part,) = only(explained(world)).parts
    assert part.did == "closed in part"
    assert result(part, "how much is closed") == "just enough"
    after = result(part, "equity after")
    assert isinstance(after, Decimal)
    assert after > 0


def test_insurance_pays_what_a_vault_lost_beyond_its_margin(world: World) -> None:
    world.admin.mint(world.admin.address, 10_000)
    world.admin.fund_insurance(10_000)
    opened(world, world.trader(), (BTC, "0.1", True, ISOLATED, 10))
    world.move_price(BTC, 80_000)
    found = only(explained(world))
    (part,) = found.parts
    deficit, reward = result(part, "deficit"), result(part, "liquidator's reward")
    assert isinstance(deficit, Decimal)
    assert isinstance(reward, Decimal)
    assert deficit > 900
    assert found.insurance_before - found.insurance_after == deficit + reward


def test_margin_is_added_before_anything_is_closed(world: World) -> None:
    trader = world.trader()
    opened(world, trader, (BTC, "0.1", True, ISOLATED, 20), (ETH, "0.1", True, CROSS, 5))
    trader.set_auto_margin(BTC, 1_000, is_long=True)
    world.move_price(ETH, 4_000)
    world.admin.set_price(BTC, 95_200)
    (part,) = only(explained(world)).parts
    assert part.did == "topped up: nothing is closed"
    added = result(part, "margin added")
    assert isinstance(added, Decimal)
    assert added > 0


def test_with_too_small_an_allowance_the_vault_is_closed_all_the_same(world: World) -> None:
    trader = world.trader()
    opened(world, trader, (BTC, "0.1", True, ISOLATED, 20))
    trader.set_auto_margin(BTC, 10, is_long=True)
    world.move_price(BTC, 95_200)
    (part,) = only(explained(world)).parts
    assert part.did == "closed whole"
    assert result(part, "margin top-up") == "none"


def test_a_short_is_explained_like_a_long(world: World) -> None:
    opened(world, world.trader(), (ETH, "2", False, ISOLATED, 10))
    world.move_price(ETH, 4_390)
    (part,) = only(explained(world)).parts
    assert part.position == "ETH-PERP isolated short"
    pnl = result(part, "PnL")
    assert isinstance(pnl, Decimal)
    assert pnl < -700


def test_a_cross_ledger_closes_just_enough(world: World) -> None:
    opened(world, world.trader(), (BTC, "0.5", True, CROSS, 20), (ETH, "1", False, CROSS, 5))
    world.move_price(ETH, 4_000)
    world.admin.set_price(BTC, 90_530)
    first, *_ = only(explained(world)).parts
    assert (first.did, first.position) == ("closed in part", "BTC-PERP cross long")


def test_a_bankrupt_cross_ledger_loses_all_legs_and_its_debt(world: World) -> None:
    opened(world, world.trader(), (BTC, "0.5", True, CROSS, 20), (ETH, "1", False, CROSS, 5))
    world.move_price(ETH, 4_000)
    world.admin.set_price(BTC, 80_000)
    parts = only(explained(world)).parts
    assert [part.did for part in parts] == ["closed whole", "closed whole", "debt written off"]
    assert parts[-1].position == ""


@pytest.mark.parametrize(("price", "closed"), [(84_000, []), (83_600, ["closed whole"])])
def test_the_legs_of_a_pair_are_netted_first(world: World, price: int, closed: list[str]) -> None:
    trader = world.trader()
    trader.set_hedge_mode(True)
    for size, is_buy, side in (
        ("0.5", True, PositionSide.LONG),
        ("0.2", False, PositionSide.SHORT),
    ):
        world.fill(trader.place(BTC, size, is_buy=is_buy, margin_mode=CROSS, position_side=side))
    world.move_price(BTC, price)
    parts = only(explained(world)).parts
    assert parts[0].position == "BTC-PERP cross long and short"
    assert parts[0].did.startswith("netted")
    assert [part.did for part in parts[1:]] == closed


def test_several_accounts_and_vaults_of_one_batch_share_one_insurance_fund(world: World) -> None:
    opened(world, world.trader(), (BTC, "0.1", True, ISOLATED, 10), (ETH, "2", True, ISOLATED, 10))
    other = Trader(world.reader, people(world.w3)[6])
    world.admin.mint(other.address, 5_000)
    other.deposit(5_000)
    opened(world, other, (BTC, "0.2", True, ISOLATED, 20))
    world.move_price(ETH, 3_000)
    world.admin.set_price(BTC, 80_000)
    found = only(explained(world))
    assert len(found.parts) == 3
    assert {part.account for part in found.parts} == {world.wallet.account, other.account}


def test_what_happened_earlier_in_the_block_counts(world: World) -> None:
    """The price and the liquidation, in one block."""
    trader = world.trader()
    opened(world, trader, (BTC, "0.1", True, ISOLATED, 10))
    contracts, chain = world.reader.contracts, world.reader.chain
    vault = world.reader.account(trader.account).isolated[0]
    now = advance_time(world.w3, 3).timestamp
    payload = published_price(to_wad(90_400), now)
    update = contracts.price_oracle.call("update", 0, payload)
    liquidate = contracts.clearinghouse.call("liquidate_isolated", [vault.id])
    tester = world.w3.provider.ethereum_tester  # type: ignore[attr-defined]
    tester.disable_auto_mine_transactions()
    price = chain.submit(update.to, update.data, world.admin.address, 1_000_000)
    sent = chain.submit(liquidate.to, liquidate.data, people(world.w3)[3], 3_000_000)
    tester.mine_block()
    tester.enable_auto_mine_transactions()
    assert chain.receipt(price).block == chain.receipt(sent).block
    found = explain_liquidation(world.reader, sent)
    assert found.agrees
    assert found.parts[0].steps[0].result == 90_400


def test_a_number_that_differs_does_not_agree(world: World) -> None:
    opened(world, world.trader(), (BTC, "0.1", True, ISOLATED, 10))
    world.move_price(BTC, 80_000)
    (report,) = world.keeper.liquidate()
    events = world.reader.events()
    mine = [one for one in events if one.transaction == report.event.transaction]
    forged = [
        replace(one, arguments={**one.arguments, "penalty": 1}) if one.name in LIQUIDATIONS else one
        for one in mine
    ]
    for told_events, agrees in ((mine, True), (forged, False)):
        replay = Replay(world.reader.contracts.liquidity_pool.address)
        replay.take_all(one for one in events if one.block < mine[0].block)
        now = world.reader.block(mine[0].block).timestamp
        assert told(replay, told_events, now).agrees is agrees


def test_a_transaction_that_liquidated_nothing_has_nothing_to_explain(world: World) -> None:
    receipt = world.wallet.deposit(1)
    with pytest.raises(ValueError, match="liquidated nothing"):
        explain_liquidation(world.reader, receipt.transaction)


def test_an_unknown_transaction_is_not_found(world: World) -> None:
    with pytest.raises(errors.NotFound):
        explain_liquidation(world.reader, "0x" + "ab" * 32)


def test_the_latest_liquidation_is_found_without_its_hash(world: World) -> None:
    with pytest.raises(errors.NotFound, match="nobody was liquidated"):
        latest_liquidation(world.reader)
    opened(world, world.trader(), (BTC, "0.05", True, ISOLATED, 10))
    world.move_price(BTC, 90_400)
    (report,) = world.keeper.liquidate()
    assert latest_liquidation(world.reader) == report.event.transaction
    assert latest_liquidation(world.reader, world.wallet.account) == report.event.transaction
    with pytest.raises(errors.NotFound):
        latest_liquidation(world.reader, world.stranger)
