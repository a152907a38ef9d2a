"""A call of every entry point that succeeds: a world made ready for it, and the call itself."""

from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, account_named, advance, now
from tests.helpers.doctored import doctor_house
from tests.helpers.protocol import (
    COOLDOWN,
    CROSS,
    ISOLATED,
    LIMIT,
    OPEN,
    TIERS,
    TRAILING_STOP,
    USD,
    WAD,
    Market,
    Order,
    Protocol,
    position_id,
    terms_named,
)
from tests.helpers.signing import bracket, key_of, permit, placement, signed, typed

Act = Callable[[], Receipt]
Scene = Callable[[Protocol], Act]

LOTS = 10**7  # 0.1 BTC, 5,000 USD
DAY = 86_400
KEY = b"\x07" * 32


def holding(protocol: Protocol) -> str:
    """A trader with a vault and a cross long in market 0, and cash."""
    trader = protocol.trader
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    protocol.trade(trader, 0, LOTS, margin_mode=CROSS)
    return trader


def by(role: str, function: str, *arguments: Any) -> Scene:
    """A call of the clearinghouse by somebody, or by the trader who holds positions."""

    def scene(protocol: Protocol) -> Act:
        trader = holding(protocol)
        sender = trader if role == "trader" else getattr(protocol, role)
        return lambda: protocol.clearinghouse.send(sender, function, *arguments)

    return scene


def trader_call(function: str, arguments: Callable[[Protocol], tuple[Any, ...]]) -> Scene:
    def scene(protocol: Protocol) -> Act:
        trader = holding(protocol)
        return lambda: protocol.clearinghouse.send(trader, function, *arguments(protocol))

    return scene


def flat_call(function: str, *arguments: Any) -> Scene:
    """By somebody who holds nothing."""

    def scene(protocol: Protocol) -> Act:
        return lambda: protocol.clearinghouse.send(protocol.trader, function, *arguments)

    return scene


def deposit_with_permit(protocol: Protocol) -> Act:
    """A permit that somebody has used before: the allowance is there."""
    protocol.token.send(protocol.trader, "approve", protocol.clearinghouse.address, USD)
    arguments = (protocol.trader, USD, now() + 60, 27, bytes(32), bytes(32))
    return lambda: protocol.clearinghouse.send(protocol.trader, "deposit_with_permit", *arguments)


def remove_margin(protocol: Protocol) -> Act:
    trader = holding(protocol)
    protocol.clearinghouse.send(trader, "add_margin", 0, True, 2 * USD)
    return lambda: protocol.clearinghouse.send(trader, "remove_margin", 0, True, USD)


def liquidate_isolated(protocol: Protocol) -> Act:
    vault = position_id(holding(protocol), 0, words.ISOLATED_LONG)
    protocol.push_price(0, 45_000)
    return lambda: protocol.liquidate_isolated(vault)


def liquidate_cross(protocol: Protocol) -> Act:
    trader = holding(protocol)
    protocol.withdraw(trader, protocol.cash(trader) - 200 * USD)
    protocol.push_price(0, 47_000)
    return lambda: protocol.liquidate_cross(trader)


def auto_deleverage(protocol: Protocol) -> Act:
    """The trader wins more than the market's share of what little cash is left."""
    vault = position_id(holding(protocol), 0, words.ISOLATED_LONG)
    protocol.push_price(0, 55_000)
    house = protocol.house()
    doctor_house(protocol, pool_cash=1_000 * USD, fees=house.fees + house.pool_cash - 1_000 * USD)
    return lambda: protocol.auto_deleverage(0, vault)


def settled(protocol: Protocol) -> None:
    protocol.requote(0, kind=words.SETTLED, settles_at=now() // words.HOUR, trade_age=0)


def settle_positions(protocol: Protocol) -> Act:
    vault = position_id(holding(protocol), 0, words.ISOLATED_LONG)
    settled(protocol)
    return lambda: protocol.settle_positions(vault)


def claim_fees(protocol: Protocol) -> Act:
    holding(protocol)
    return lambda: protocol.clearinghouse.send(protocol.owner, "claim_fees", protocol.owner)


def withdraw_insurance(protocol: Protocol) -> Act:
    protocol.clearinghouse.send(protocol.owner, "request_insurance", USD)
    advance(3 * DAY)
    return lambda: protocol.clearinghouse.send(protocol.owner, "withdraw_insurance", protocol.owner)


def list_market(protocol: Protocol) -> Act:
    market = Market("XRP-PERP", 2, 2_000)
    protocol.set_feed(3, market)
    protocol.markets.append(market)
    protocol.push_price(3, market.price)
    return lambda: protocol.clearinghouse.send(
        protocol.owner, "list_market", market.symbol, terms_named(), TIERS
    )


def end_ramp(protocol: Protocol) -> Act:
    protocol.clearinghouse.send(protocol.owner, "ramp_tiers", 0, TIERS, DAY)
    advance(DAY)
    return lambda: protocol.clearinghouse.send(protocol.attacker, "end_ramp", 0)


def accept_ownership(protocol: Protocol) -> Act:
    protocol.clearinghouse.send(protocol.owner, "transfer_ownership", protocol.trader)
    return lambda: protocol.clearinghouse.send(protocol.trader, "accept_ownership")


# Orders


def place(protocol: Protocol) -> Act:
    """Placing is never blocked, whatever it is that the order will do."""
    trader = holding(protocol)
    order = protocol.order(trader, 0, LOTS)
    return lambda: protocol.book.send(trader, "place", order)


def closing(protocol: Protocol, margin_mode: int) -> Order:
    trader = holding(protocol)
    order = protocol.place(trader, 0, 0, margin_mode=margin_mode, is_buy=False, reduce_only=True)
    protocol.wait(0)
    return order


def execute(protocol: Protocol) -> Act:
    order = closing(protocol, CROSS)
    return lambda: protocol.execute(order)


def execute_orders(protocol: Protocol) -> Act:
    order = closing(protocol, ISOLATED)
    return lambda: protocol.book.send(protocol.keeper, "execute_orders", [order])


def cancel(protocol: Protocol) -> Act:
    trader = holding(protocol)
    order = protocol.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=protocol.femto(0, 40_000))
    return lambda: protocol.cancel(order)


def waiting(protocol: Protocol) -> Order:
    """A limit order far from the price."""
    limit = protocol.femto(0, 40_000)
    return protocol.place(holding(protocol), 0, LOTS, kind=LIMIT, acceptable_price=limit)


def cancel_orders(protocol: Protocol) -> Act:
    order = waiting(protocol)
    return lambda: protocol.book.send(order.account, "cancel_orders", [order])


def cancel_all(protocol: Protocol) -> Act:
    waiting(protocol)
    return lambda: protocol.cancel_all(protocol.trader)


def replace_order(protocol: Protocol) -> Act:
    old = waiting(protocol)
    new = old._replace(salt=old.salt + 10**6, size=2 * LOTS)
    return lambda: protocol.book.send(old.account, "replace", old, new)


def place_bracket(protocol: Protocol) -> Act:
    trader = holding(protocol)
    entry = protocol.order(trader, 0, LOTS)
    stop = protocol.exit_of(entry, trigger_price=protocol.femto(0, 45_000))
    return lambda: protocol.book.send(trader, "place_bracket", entry, [stop])


def ratchet(protocol: Protocol) -> Act:
    order = protocol.place(
        holding(protocol),
        0,
        0,
        kind=TRAILING_STOP,
        callback_rate=50_000,
        is_buy=False,
        reduce_only=True,
    )
    protocol.wait(0, 51_000)
    return lambda: protocol.ratchet(order)


def signing(protocol: Protocol) -> LocalAccount:
    """Somebody with a key and cash, who sends nothing himself."""
    key = key_of("signer")
    protocol.deposit(key.address, 5_000 * USD, payer=protocol.trader)
    return key


def place_with_signature(protocol: Protocol) -> Act:
    key, deadline = signing(protocol), now() + 3_600
    order = protocol.order(key.address, 0, LOTS)
    signature = signed(key, typed(protocol, "Placement", placement(order, 7, deadline)))
    arguments = (order, 7, deadline, signature)
    return lambda: protocol.book.send(protocol.keeper, "place_with_signature", *arguments)


def place_bracket_with_signature(protocol: Protocol) -> Act:
    key, deadline = signing(protocol), now() + 3_600
    entry = protocol.order(key.address, 0, LOTS)
    children = [protocol.exit_of(entry, trigger_price=protocol.femto(0, 45_000))]
    message = bracket(entry, children, 7, deadline)
    signature = signed(key, typed(protocol, "Bracket", message))
    arguments = (entry, children, 7, deadline, signature)
    return lambda: protocol.book.send(protocol.keeper, "place_bracket_with_signature", *arguments)


def book_call(function: str, *arguments: Any) -> Scene:
    def scene(protocol: Protocol) -> Act:
        return lambda: protocol.book.send(protocol.trader, function, *arguments)

    return scene


def set_operator(protocol: Protocol) -> Act:
    return lambda: protocol.set_operator(protocol.trader, protocol.keeper)


def set_order_terms(protocol: Protocol) -> Act:
    return lambda: protocol.book.send(protocol.owner, "set_order_terms", 0, 0, 2, 60, 0)


# Liquidity


def pool_call(function: str, *arguments: Any) -> Scene:
    def scene(protocol: Protocol) -> Act:
        holding(protocol)
        provider = protocol.liquidity_provider
        named = [provider if argument is None else argument for argument in arguments]
        return lambda: protocol.pool.send(provider, function, *named)

    return scene


def requested(protocol: Protocol) -> int:
    provider = protocol.liquidity_provider
    return int(protocol.pool.send(provider, "requestRedeem", 10**12, provider, provider).result)


def fix(protocol: Protocol) -> Act:
    holding(protocol)
    number = requested(protocol)
    advance(COOLDOWN)
    protocol.refresh()
    return lambda: protocol.pool.send(protocol.keeper, "fix", number)


def lapse(protocol: Protocol) -> Act:
    number = requested(protocol)
    advance(COOLDOWN + DAY + 1)
    return lambda: protocol.pool.send(protocol.keeper, "lapse", number)


def claim(verb: str) -> Scene:
    def scene(protocol: Protocol) -> Act:
        fix(protocol)()
        provider = protocol.liquidity_provider
        return lambda: protocol.pool.send(provider, verb, 1_000, provider, provider)

    return scene


def transfer_shares(protocol: Protocol) -> Act:
    provider, pool = protocol.liquidity_provider, protocol.pool
    pool.send(provider, "approve", protocol.keeper, 10)
    arguments = (provider, protocol.trader, 10)
    return lambda: pool.send(protocol.keeper, "transferFrom", *arguments)


def permit_shares(protocol: Protocol) -> Act:
    key, keeper = Account.from_key(KEY), protocol.keeper
    signature = permit(key, protocol.pool, "Bulkhead Liquidity", keeper, 10, now() + 60)
    return lambda: protocol.pool.send(keeper, "permit", key.address, keeper, 10, *signature)


# Prices


def update(protocol: Protocol) -> Act:
    advance(1)
    return lambda: protocol.publish(0, 50_001)


def oracle_call(function: str, *arguments: Any) -> Scene:
    def scene(protocol: Protocol) -> Act:
        return lambda: protocol.oracle.send(protocol.owner, function, *arguments)

    return scene


def set_chainlink_feed(protocol: Protocol) -> Act:
    aggregator = Contract("mocks/MockAggregator", 8)
    arguments = (0, WAD // protocol.markets[0].lots, 60, 3_600, aggregator.address)
    return lambda: protocol.oracle.send(protocol.owner, "set_chainlink_feed", *arguments)


def set_pyth_feed(protocol: Protocol) -> Act:
    pyth = Contract("mocks/MockPyth", 1)
    arguments = (0, WAD // protocol.markets[0].lots, 60, 3_600, pyth.address, b"\x07" * 32)
    return lambda: protocol.oracle.send(protocol.owner, "set_pyth_feed", *arguments)


def set_signed_feed(protocol: Protocol) -> Act:
    protocol.oracle.send(protocol.owner, "set_signers", [SOMEBODY], 1)
    arguments = (0, WAD // protocol.markets[0].lots, 60, 3_600)
    return lambda: protocol.oracle.send(protocol.owner, "set_signed_feed", *arguments)


def set_check(protocol: Protocol) -> Act:
    second = Contract("mocks/MockAggregator", 8)
    second.send(protocol.owner, "set_answer", 50_000 * 10**8, now())
    arguments = (0, second.address, 10_000, 10_000)
    return lambda: protocol.oracle.send(protocol.owner, "set_check", *arguments)


def set_sequencer(protocol: Protocol) -> Act:
    uptime = Contract("mocks/MockAggregator", 0)
    uptime.send(protocol.owner, "set_round", 1, 0, now() - DAY, now())
    return lambda: protocol.oracle.send(protocol.owner, "set_sequencer", uptime.address, 3_600)


def announced(protocol: Protocol) -> int:
    hour = now() // words.HOUR + 26
    protocol.oracle.send(protocol.owner, "announce_settlement", 0, hour)
    return hour * words.HOUR


def cancel_settlement(protocol: Protocol) -> Act:
    announced(protocol)
    return lambda: protocol.oracle.send(protocol.owner, "cancel_settlement", 0)


def fix_settlement(protocol: Protocol) -> Act:
    opens = announced(protocol)
    advance(opens - 10 - now())
    protocol.push_price(0, 50_000)
    advance(600)
    protocol.push_price(0, 50_000)
    advance(opens + words.HOUR - now())
    protocol.push_price(0, 50_000)
    return lambda: protocol.oracle.send(protocol.keeper, "fix_settlement", 0)


def settle_dead(protocol: Protocol) -> Act:
    advance(60 * DAY)
    return lambda: protocol.oracle.send(protocol.keeper, "settle_dead", 0)


SOMEBODY = account_named("somebody")
SCENES: dict[str, Scene] = {
    "Clearinghouse.deposit": trader_call("deposit", lambda p: (p.trader, USD)),
    "Clearinghouse.deposit_with_permit": deposit_with_permit,
    "Clearinghouse.deposit_margin": trader_call(
        "deposit_margin", lambda p: (p.trader, 0, True, USD)
    ),
    "Clearinghouse.withdraw": trader_call("withdraw", lambda p: (USD, p.trader)),
    "Clearinghouse.add_margin": by("trader", "add_margin", 0, True, USD),
    "Clearinghouse.remove_margin": remove_margin,
    "Clearinghouse.set_leverage": by("trader", "set_leverage", 0, 2 * 10**6, True, True),
    "Clearinghouse.set_default_margin_mode": by("trader", "set_default_margin_mode", 0, True),
    "Clearinghouse.set_hedge_mode": flat_call("set_hedge_mode", True),
    "Clearinghouse.set_auto_margin": by("trader", "set_auto_margin", 0, True, USD),
    "Clearinghouse.convert_position": by("trader", "convert_position", 0, True, False, 0),
    "Clearinghouse.advance_epoch": lambda p: (
        lambda: p.clearinghouse.send(p.book.address, "advance_epoch", p.trader)
    ),
    "Clearinghouse.liquidate_isolated": liquidate_isolated,
    "Clearinghouse.liquidate_cross": liquidate_cross,
    "Clearinghouse.auto_deleverage": auto_deleverage,
    "Clearinghouse.settle_positions": settle_positions,
    "Clearinghouse.fund_insurance": by("attacker", "fund_insurance", USD),
    "Clearinghouse.request_insurance": by("owner", "request_insurance", USD),
    "Clearinghouse.withdraw_insurance": withdraw_insurance,
    "Clearinghouse.claim_fees": claim_fees,
    "Clearinghouse.list_market": list_market,
    "Clearinghouse.set_terms": by("owner", "set_terms", 0, terms_named(taker_fee=400)),
    "Clearinghouse.ramp_tiers": by("owner", "ramp_tiers", 0, TIERS, DAY),
    "Clearinghouse.end_ramp": end_ramp,
    "Clearinghouse.replace_tiers": by("owner", "replace_tiers", 1, TIERS),
    "Clearinghouse.set_status": by("owner", "set_status", 0, OPEN),
    "Clearinghouse.set_guardian": by("owner", "set_guardian", SOMEBODY),
    "Clearinghouse.stop_opening": by("owner", "stop_opening", False),
    "Clearinghouse.transfer_ownership": by("owner", "transfer_ownership", SOMEBODY),
    "Clearinghouse.accept_ownership": accept_ownership,
    "OrderBook.place": place,
    "OrderBook.execute": execute,
    "OrderBook.execute_orders": execute_orders,
    "OrderBook.cancel": cancel,
    "OrderBook.cancel_orders": cancel_orders,
    "OrderBook.cancel_all": cancel_all,
    "OrderBook.cancel_nonces": book_call("cancel_nonces", 0, 1),
    "OrderBook.replace": replace_order,
    "OrderBook.place_bracket": place_bracket,
    "OrderBook.place_with_signature": place_with_signature,
    "OrderBook.place_bracket_with_signature": place_bracket_with_signature,
    "OrderBook.ratchet": ratchet,
    "OrderBook.approve_builder": book_call("approve_builder", SOMEBODY, 100),
    "OrderBook.set_referral_share": book_call("set_referral_share", 1_000),
    "OrderBook.set_referrer": book_call("set_referrer", SOMEBODY),
    "OrderBook.set_operator": set_operator,
    "OrderBook.set_order_terms": set_order_terms,
    "LiquidityPool.deposit": pool_call("deposit", USD, None),
    "LiquidityPool.mint": pool_call("mint", 10**12, None),
    "LiquidityPool.requestRedeem": pool_call("requestRedeem", 10**12, None, None),
    "LiquidityPool.fix": fix,
    "LiquidityPool.lapse": lapse,
    "LiquidityPool.redeem": claim("redeem"),
    "LiquidityPool.withdraw": claim("withdraw"),
    "LiquidityPool.setOperator": pool_call("setOperator", SOMEBODY, True),
    "LiquidityPool.transfer": pool_call("transfer", SOMEBODY, 10),
    "LiquidityPool.transferFrom": transfer_shares,
    "LiquidityPool.approve": pool_call("approve", SOMEBODY, 10),
    "LiquidityPool.permit": permit_shares,
    "PriceOracle.update": update,
    "PriceOracle.set_published_feed": oracle_call("set_published_feed", 0, 10**10, 60, 3_600),
    "PriceOracle.set_chainlink_feed": set_chainlink_feed,
    "PriceOracle.set_pyth_feed": set_pyth_feed,
    "PriceOracle.set_signed_feed": set_signed_feed,
    "PriceOracle.set_signers": oracle_call("set_signers", [SOMEBODY], 1),
    "PriceOracle.set_check": set_check,
    "PriceOracle.set_sequencer": set_sequencer,
    "PriceOracle.announce_settlement": lambda p: (
        lambda: p.oracle.send(p.owner, "announce_settlement", 0, now() // words.HOUR + 26)
    ),
    "PriceOracle.cancel_settlement": cancel_settlement,
    "PriceOracle.fix_settlement": fix_settlement,
    "PriceOracle.settle_dead": settle_dead,
    "PriceOracle.set_publisher": oracle_call("set_publisher", SOMEBODY, True),
}
# Called by the exchange's own contracts alone, in the calls above.
INTERNAL = {
    "Clearinghouse.escrow_order",
    "Clearinghouse.release_escrow",
    "Clearinghouse.execute_trade",
    "Clearinghouse.add_liquidity",
    "Clearinghouse.remove_liquidity",
}
