"""The whole protocol on titanoboa: deployed, funded, acted on by role, and checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import boa
from eth._utils.address import generate_contract_address
from eth_abi.abi import encode
from eth_typing import Address
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from bulkhead.protocol import margin_math, market_math, position_math, price_validity, words
from tests.helpers.chain import Contract, Receipt, account_named, advance, now

USD = 10**6  # quote units
PPM = 10**6
WAD = 10**18
FEMTO = 10**9  # femto USD in a quote unit
PLENTY = 10**6 * USD
NOBODY = "0x" + "0" * 40
NO_GROUP = bytes(32)

MARKET, LIMIT, STOP, TAKE_PROFIT, TRAILING_STOP = range(5)  # order kinds
DEFAULT, CROSS, ISOLATED = range(3)  # margin modes
ONE_WAY, LONG, SHORT = range(3)  # position sides
UNKNOWN, PENDING, EXECUTED, CANCELLED = range(4)  # order statuses
OPEN, REDUCE_ONLY = range(2)  # market statuses


class Order(NamedTuple):
    """An order as the book takes it."""

    account: str
    placer: str
    market: int
    kind: int
    margin_mode: int
    position_side: int
    is_buy: bool
    reduce_only: bool
    size: int
    trigger_price: int
    callback_rate: int
    acceptable_price: int
    margin: int
    leverage: int
    expiry: int
    group: bytes
    builder: str
    builder_fee: int
    salt: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A market's terms; the defaults are a liquid market's."""

    taker_fee: int = 500
    maker_fee: int = 200
    insurance_share: int = 100_000
    treasury_share: int = 200_000
    skew_scale: int = 10**15
    skew_cap: int = 1_000
    side_cap: int = 1_250
    min_notional: int = 10
    pool_share: int = 200_000
    reserve_rate: int = 300_000
    funding_velocity: int = 9 * 10**6
    max_funding_rate: int = 10_000
    penalty: int = 2_500
    keeper_share: int = 500_000
    keeper_floor: int = 12_500
    keeper_cap: int = 100 * USD
    buffer: int = 200_000
    partial_above: int = 10**10


# Zero fees, and an impact below one quote unit for anything a test trades.
FRICTIONLESS = Terms(
    taker_fee=0,
    maker_fee=0,
    skew_scale=2**56 - 1,
    funding_velocity=0,
    max_funding_rate=0,
)

# floor (thousand USD), maintenance rate, initial rate
TIERS = ((0, 5_000, 10_000), (1_000, 10_000, 20_000), (5_000, 25_000, 50_000))


@dataclass(frozen=True, slots=True)
class Market:
    """What a test says of a market to list it."""

    symbol: str
    price: int | str  # USD per base unit
    lots: int  # in one base unit
    terms: Terms = Terms()
    tiers: tuple[tuple[int, int, int], ...] = TIERS
    trade_age: int = 60
    max_age: int = 3_600
    keeper_fee: int = USD // 5
    delay: int = 2
    window: int = 60
    max_order_age: int = 0


BTC = Market("BTC-PERP", 50_000, 10**8)
ETH = Market("ETH-PERP", 2_500, 10**7)
SOL = Market("SOL-PERP", 100, 10**5)


class Protocol:
    """One world. Everyone who takes part is an account by its role's name."""

    token_contract = "mocks/MockToken"

    def __init__(
        self,
        *listed: Market,
        token_decimals: int = 6,
        pool_cash: int = 5 * PLENTY,
        insurance: int = 10_000 * USD,
    ) -> None:
        self.owner = account_named("owner")
        self.trader = account_named("trader")
        self.keeper = account_named("keeper")
        self.liquidity_provider = account_named("liquidity_provider")
        self.guardian = account_named("guardian")
        self.attacker = account_named("attacker")
        self.actors = [
            self.owner,
            self.trader,
            self.keeper,
            self.liquidity_provider,
            self.guardian,
            self.attacker,
        ]
        self.accounts: set[str] = set(self.actors)  # everyone seen: whose money is counted
        self.markets: list[Market] = []
        self.orders: dict[bytes, Order] = {}  # placed, by hash
        self._salt = 0

        self.token = Contract(self.token_contract, "USD Coin", "USDC", token_decimals)
        self.token_unit = 10 ** (token_decimals - 6) if token_decimals >= 6 else 1
        self._deploy()
        self.accounts.add(self.pool.address)
        self.oracle.send(self.owner, "set_publisher", self.owner, True)
        self.clearinghouse.send(self.owner, "set_guardian", self.guardian)
        for actor in self.actors:
            self.endow(actor)
        for market in listed:
            self.list_market(market)
        if pool_cash:
            self.add_liquidity(pool_cash)
        if insurance:
            self.fund_insurance(insurance)

    def _deploy(self) -> None:
        deployer = account_named("deployer")
        raw = bytes.fromhex(deployer[2:])
        nonce = boa.env.evm.vm.state.get_nonce(raw)
        ahead = [
            to_checksum_address(generate_contract_address(Address(raw), nonce + i))
            for i in range(9)
        ]
        oracle, account, house, liquidation, market, orders, book, pool, clearinghouse = ahead
        token = self.token.address
        self.oracle = Contract("PriceOracle", clearinghouse, deployer=deployer)
        self.account_logic = Contract("AccountLogic", token, oracle, book, deployer=deployer)
        self.house_logic = Contract("HouseLogic", token, oracle, pool, deployer=deployer)
        self.liquidation_logic = Contract("LiquidationLogic", oracle, deployer=deployer)
        self.market_logic = Contract("MarketLogic", oracle, deployer=deployer)
        self.order_logic = Contract("OrderLogic", clearinghouse, oracle, deployer=deployer)
        self.book = Contract("OrderBook", clearinghouse, oracle, orders, deployer=deployer)
        self.pool = Contract(
            "LiquidityPool", clearinghouse, token, oracle, COOLDOWN, deployer=deployer
        )
        self.clearinghouse = Contract(
            "Clearinghouse",
            *(self.owner, token, book, pool, oracle, account, house, liquidation, market),
            deployer=deployer,
        )
        # Calls that the clearinghouse does not know are the market logic's.
        self.clearinghouse.functions |= self.market_logic.functions
        self.book.functions |= self.order_logic.functions
        self.logics = [
            self.account_logic,
            self.house_logic,
            self.liquidation_logic,
            self.market_logic,
        ]
        self.contracts = [
            *self.logics,
            self.order_logic,
            *(self.oracle, self.book, self.pool, self.clearinghouse),
        ]
        assert self.clearinghouse.address == clearinghouse

    @contextmanager
    def anchored(self) -> Iterator["Protocol"]:
        """The world as it is now; whatever happens in the block is undone after it."""
        accounts, listed, orders = set(self.accounts), list(self.markets), dict(self.orders)
        with boa.env.anchor():
            yield self
        self.accounts, self.markets, self.orders = accounts, listed, orders

    # Setting the scene

    def actor(self, name: str) -> str:
        """Another account, with tokens and an allowance."""
        account = account_named(name)
        if account not in self.accounts:
            self.accounts.add(account)
            self.endow(account)
        return account

    def endow(self, account: str, amount: int = 10 * PLENTY) -> None:
        self.token.send(account, "mint", account, self.tokens(amount))
        self.token.send(account, "approve", self.clearinghouse.address, 2**256 - 1)
        self.token.send(account, "approve", self.pool.address, 2**256 - 1)

    def set_feed(self, id: int, market: Market) -> None:  # noqa: A002 - the contract's word
        self.oracle.send(
            self.owner,
            "set_published_feed",
            *(id, WAD // market.lots, market.trade_age, market.max_age),
        )

    def list_market(self, market: Market) -> int:
        """Sets the feed, publishes the first price, lists. Returns the market's id."""
        number = int(self.clearinghouse.read("market_count"))
        self.set_feed(number, market)
        self.markets.append(market)
        self.push_price(number, market.price)
        self.clearinghouse.send(
            self.owner, "list_market", market.symbol, astuple(market.terms), market.tiers
        )
        self.book.send(
            self.owner,
            "set_order_terms",
            *(
                number,
                market.keeper_fee,
                market.delay,
                market.window,
                market.max_order_age,
            ),
        )
        return number

    def set_terms(self, market: int, **changes: int) -> Receipt:
        terms = replace(self.markets[market].terms, **changes)
        return self.clearinghouse.send(self.owner, "set_terms", market, astuple(terms))

    def add_liquidity(self, amount: int) -> Receipt:
        return self.pool.send(
            self.liquidity_provider, "deposit", self.tokens(amount), self.liquidity_provider
        )

    def fund_insurance(self, amount: int) -> Receipt:
        return self.clearinghouse.send(self.owner, "fund_insurance", self.tokens(amount))

    # Verbs

    def deposit(self, account: str, amount: int, *, payer: str | None = None) -> Receipt:
        self.accounts.add(account)
        return self.clearinghouse.send(payer or account, "deposit", account, self.tokens(amount))

    def withdraw(self, account: str, amount: int) -> Receipt:
        return self.clearinghouse.send(account, "withdraw", self.tokens(amount), account)

    def push_price(self, market: int, dollars: int | str | Decimal) -> Receipt:
        """Publishes a price in a block of its own, a second later."""
        advance(1)
        return self.publish(market, dollars)

    def publish(
        self, market: int, dollars: int | str | Decimal, published_at: int | None = None
    ) -> Receipt:
        price = int(Decimal(dollars) * WAD)
        payload = encode(
            ["uint256", "uint256"], [price, now() if published_at is None else published_at]
        )
        return self.oracle.send(self.owner, "update", market, payload)

    def requote(self, market: int, **changes: int) -> None:
        """Changes what the oracle holds of a price, whatever made it so."""
        word = words.pack_price(replace(self.price(market), **changes))
        boa.env.set_storage(self.oracle.address, self.oracle.slots["_prices"] + market, word)

    def refresh(self) -> None:
        """Publishes every market's price again."""
        advance(1)
        for market in range(len(self.markets)):
            self.publish(market, self.dollars(market))

    def order(self, account: str, market: int, size: int, **fields: Any) -> Order:
        """A market order to buy, unless the fields say otherwise; every one has its own salt."""
        self._salt += 1
        known: dict[str, Any] = {
            "placer": account,
            "kind": MARKET,
            "margin_mode": CROSS,
            "position_side": ONE_WAY,
            "is_buy": True,
            "reduce_only": False,
            "trigger_price": 0,
            "callback_rate": 0,
            "acceptable_price": 0,
            "margin": 0,
            "leverage": 0,
            "expiry": 0,
            "group": NO_GROUP,
            "builder": NOBODY,
            "builder_fee": 0,
            "salt": self._salt,
        }
        unknown = fields.keys() - known.keys()
        assert not unknown, f"an order has no {unknown}"
        return Order(account=account, market=market, size=size, **known | fields)

    def place(self, account: str, market: int, size: int, **fields: Any) -> Order:
        """Commits an order; returns it as it was resolved."""
        order = self.order(account, market, size, **fields)
        return self.commit(order)

    def commit(self, order: Order) -> Order:
        (placed,) = self.placed_in(self.book.send(order.placer, "place", order))
        return placed

    def execute(self, order: Order, *, keeper: str | None = None) -> Receipt:
        """Executes at the price that is there."""
        return self.book.send(keeper or self.keeper, "execute", order)

    def wait(self, market: int, dollars: int | str | Decimal | None = None) -> None:
        """Lets the delay pass and publishes a price that may fill what was placed before.

        As keepers do, it publishes the other markets' prices again, too, but for silent ones.
        """
        advance(self.markets[market].delay)
        self.push_price(market, self.dollars(market) if dollars is None else dollars)
        for other in range(len(self.markets)):
            if other != market and price_validity.is_live(self.price(other), now()):
                self.publish(other, self.dollars(other))

    def fill(
        self, order: Order, dollars: int | str | Decimal | None = None, *, keeper: str | None = None
    ) -> Receipt:
        """Executes a placed order at a later price, the same as before if none is named."""
        self.wait(order.market, dollars)
        return self.execute(order, keeper=keeper)

    def trade(
        self,
        account: str,
        market: int,
        size: int,
        dollars: int | str | Decimal | None = None,
        **fields: Any,
    ) -> Receipt:
        """Places an order, lets time pass, executes it: which must fill it."""
        receipt = self.fill(self.place(account, market, size, **fields), dollars)
        assert receipt.result == EXECUTED, receipt.events
        return receipt

    def cancel(self, order: Order, *, sender: str | None = None) -> Receipt:
        return self.book.send(sender or order.account, "cancel", order)

    def bracket(self, entry: Order, *children: Order) -> tuple[Order, ...]:
        """Commits an entry and its children; returns them as they were resolved."""
        receipt = self.book.send(entry.placer, "place_bracket", entry, children)
        return self.placed_in(receipt)

    def exit_of(self, entry: Order, **fields: Any) -> Order:
        """A child for an entry: a stop far away, unless the fields say otherwise."""
        known: dict[str, Any] = {
            "placer": entry.placer,
            "kind": STOP,
            "margin_mode": entry.margin_mode,
            "position_side": entry.position_side,
            "is_buy": not entry.is_buy,
            "reduce_only": True,
            "trigger_price": 2**63 if not entry.is_buy else 1,
        }
        return self.order(entry.account, entry.market, 0, **known | fields)

    def placed_in(self, receipt: Receipt) -> tuple[Order, ...]:
        """The orders that a call has placed."""
        placed = []
        for event in receipt.named("OrderPlaced"):
            order = Order(*event.order)
            self.accounts |= {order.account, order.placer}
            self.orders[event.order_hash] = order
            placed.append(order)
        return tuple(placed)

    def replace(self, old: Order, order: Order, *, sender: str | None = None) -> Order:
        """Cancels an order for another; returns that as it was resolved."""
        receipt = self.book.send(sender or old.account, "replace", old, order)
        (placed,) = self.placed_in(receipt)
        return placed

    def ratchet(self, *orders: Order) -> Receipt:
        return self.book.send(self.keeper, "ratchet", orders)

    def cancel_all(self, account: str, *, sender: str | None = None) -> Receipt:
        return self.book.send(sender or account, "cancel_all", account)

    def set_operator(
        self,
        account: str,
        operator: str,
        *,
        permissions: int = 15,
        markets: int = 0,
        notional: int = 2**64 - 1,
        expiry: int = 2**40 - 1,
    ) -> Receipt:
        """Lets an operator do everything, unless told otherwise."""
        return self.book.send(
            account, "set_operator", operator, permissions, markets, notional, expiry
        )

    def liquidate_isolated(self, *ids: int, liquidator: str | None = None) -> Receipt:
        return self.clearinghouse.send(liquidator or self.keeper, "liquidate_isolated", ids)

    def liquidate_cross(self, *accounts: str, liquidator: str | None = None) -> Receipt:
        return self.clearinghouse.send(liquidator or self.keeper, "liquidate_cross", accounts)

    def auto_deleverage(self, market: int, *ids: int, sender: str | None = None) -> Receipt:
        """Proposes positions, in the order that the contract wants."""
        return self.clearinghouse.send(
            sender or self.keeper, "auto_deleverage", market, sorted(ids)
        )

    def settle_positions(self, *ids: int, sender: str | None = None) -> Receipt:
        return self.clearinghouse.send(sender or self.keeper, "settle_positions", ids)

    def set_auto_margin(self, account: str, market: int, is_long: bool, allowance: int) -> Receipt:
        return self.clearinghouse.send(account, "set_auto_margin", market, is_long, allowance)

    # Readers

    def tokens(self, quote: int) -> int:
        """Quote units as token units, for tokens of six decimals and more."""
        return quote * self.token_unit

    def balance(self, account: str) -> int:
        """Token units outside the protocol."""
        return int(self.token.read("balanceOf", account))

    def account(self, account: str) -> words.Account:
        return words.unpack_account(self.clearinghouse.read("account_word", account))

    def cash(self, account: str) -> int:
        return self.account(account).cash

    def position(self, account: str, market: int, slot: int) -> words.Position:
        return words.unpack_position(
            self.clearinghouse.read("position_word", position_id(account, market, slot))
        )

    def settings(self, account: str, market: int) -> words.Settings:
        return words.unpack_settings(self.clearinghouse.read("settings_word", account, market))

    def house(self) -> words.House:
        return words.unpack_house(self.clearinghouse.read("house_word"))

    def market_words(self, market: int) -> list[int]:
        return list(self.clearinghouse.read("market_words", market))

    def market(self, market: int) -> words.Market:
        """As stored: funding accrued up to the last change."""
        return words.unpack_market(self.market_words(market)[0])

    def side(self, market: int, is_long: bool) -> words.Side:
        return words.unpack_side(self.market_words(market)[1 if is_long else 2])

    def skew(self, market: int) -> int:
        return self.side(market, True).size - self.side(market, False).size

    def trade_terms(self, market: int) -> words.TradeTerms:
        return words.unpack_trade_terms(self.market_words(market)[3])

    def liquidation_terms(self, market: int) -> words.LiquidationTerms:
        return words.unpack_liquidation_terms(self.market_words(market)[4])

    def tiers(self, market: int) -> margin_math.Tiers:
        found = self.market_words(market)
        market_word = words.unpack_market(found[0])
        return margin_math.Tiers(
            market_word.maintenance_rate, market_word.initial_rate, found[5], found[6]
        )

    def price(self, market: int) -> words.Price:
        return words.unpack_price(self.oracle.read("price_word", market))

    def dollars(self, market: int) -> Decimal:
        """The last price in USD per base unit."""
        return self.dollars_of(market, self.markets[market].lots)

    def dollars_of(self, market: int, lots: int) -> Decimal:
        return Decimal(self.price(market).price * lots) / 10**15

    def femto(self, market: int, dollars: int | str | Decimal) -> int:
        """USD per base unit as femto per lot, the unit of triggers and acceptable prices."""
        return int(Decimal(dollars) * 10**15) // self.markets[market].lots

    def hash_of(self, order: Order) -> bytes:
        return bytes(self.book.read("hash_of", order))

    def order_state(self, order: Order) -> words.OrderState:
        return words.unpack_order_state(self.book.read("order_word", self.hash_of(order)))

    def status(self, order: Order) -> int:
        return self.order_state(order).status

    def accrued(self, market: int) -> words.Market:
        """The market with funding up to now."""
        return accrue(self.market(market), self.price(market))

    def value(self, account: str, market: int, slot: int) -> int:
        """A position's unrealised PnL less funding, femto, at the last price."""
        return position_math.value_of(
            self.position(account, market, slot),
            slot & 1 == 0,
            self.price(market).price,
            self.accrued(market).funding_index,
        )

    def state(self) -> dict[str, int]:
        """Every word there is, by a name: equal before and after what changes nothing."""
        ledger = Ledger(self)
        found = {"house": ledger.house}
        for number in range(ledger.market_count):
            for kind, word in enumerate(ledger.market_words(number)):
                found[f"market {number} {kind}"] = word
            found[f"price {number}"] = ledger.price(number)
        for account in sorted(self.accounts):
            found[f"account {account}"] = ledger.account(account)
            found[f"tokens {account}"] = ledger.tokens(account)
            for number in range(ledger.market_count):
                found[f"settings {account} {number}"] = ledger.settings(account, number)
                for slot in range(4):
                    found[f"position {account} {number} {slot}"] = ledger.position(
                        account, number, slot
                    )
        for order_hash in self.orders:
            found[f"order {order_hash.hex()}"] = ledger.order(order_hash)
        return found

    # Invariants

    def check_invariants(self) -> None:
        """Everything that must hold after any action, from storage itself.

        (a) conservation, exact; (b) side words are the sums of position words; (c) account bits
        and vault counts name the open positions; (d) what the pool owes a market's traders, from
        the side words, is the sum of their positions' values.
        """
        ledger = Ledger(self)
        house = words.unpack_house(ledger.house)
        held = house.pool_cash + house.insurance + house.fees
        count = ledger.market_count
        sizes = [[0, 0] for _ in range(count)]
        bases = [[0, 0] for _ in range(count)]
        values = [[0, 0] for _ in range(count)]
        quoted = [words.unpack_price(ledger.price(market)) for market in range(count)]
        prices = [price.price for price in quoted]
        states = [words.unpack_market(ledger.market_words(market)[0]) for market in range(count)]
        indices = [
            accrue(state, price).funding_index for state, price in zip(states, quoted, strict=True)
        ]
        for account in self.accounts:
            state = words.unpack_account(ledger.account(account))
            held += state.cash + state.escrow
            legs = vaults = 0
            for market in range(count):
                for slot in range(4):
                    position = words.unpack_position(ledger.position(account, market, slot))
                    if position.size == 0:
                        ended = words.Position(0, 0, 0, position.generation, 0)
                        assert position == ended, "a closed slot keeps its generation alone"
                        continue
                    side = slot & 1
                    sizes[market][side] += position.size
                    bases[market][side] += position_math.basis_of(position)
                    values[market][side] += position_math.value_of(
                        position, side == 0, prices[market], indices[market]
                    )
                    if slot < words.ISOLATED_LONG:
                        legs |= words.leg_bit(market, slot)
                    else:
                        vaults += 1
                        held += position.margin
            assert state.legs == legs, f"legs of {account}"
            assert state.vaults == vaults, f"vaults of {account}"
            assert legs or state.cash >= 0, f"{account} owes without a leg"
        for market in range(count):
            found = ledger.market_words(market)
            for side in range(2):
                word = words.unpack_side(found[1 + side])
                assert word == words.Side(sizes[market][side], bases[market][side])
                owed = market_math.side_value(word, side == 0, prices[market], indices[market])
                assert owed == values[market][side], f"owed to side {side} of market {market}"
        assert ledger.tokens(self.clearinghouse.address) == self.tokens(held), "conservation"


COOLDOWN = 3_600  # seconds from a redemption's request to its maturity


class Ledger:
    """The clearinghouse's words straight from storage: hundreds of them in a few milliseconds."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._read = protocol.clearinghouse.storage
        self._slots = protocol.clearinghouse.slots

    @property
    def house(self) -> int:
        return self._read(self._slots["ledger._house"])

    @property
    def market_count(self) -> int:
        return self._read(self._slots["markets.count"])

    def tokens(self, account: str) -> int:
        token = self._protocol.token
        (slot,) = [at for name, at in token.slots.items() if name.endswith("balanceOf")]
        return token.storage(mapped(slot, int(account, 16)))

    def price(self, market: int) -> int:
        oracle = self._protocol.oracle
        return oracle.storage(oracle.slots["_prices"] + market)

    def order(self, order_hash: bytes) -> int:
        book = self._protocol.book
        return book.storage(
            mapped(book.slots["order_store._orders"], int.from_bytes(order_hash, "big"))
        )

    def account(self, account: str) -> int:
        return self._read(mapped(self._slots["ledger._accounts"], int(account, 16)))

    def position(self, account: str, market: int, slot: int) -> int:
        return self._read(
            mapped(self._slots["ledger._positions"], position_id(account, market, slot))
        )

    def settings(self, account: str, market: int) -> int:
        return self._read(mapped(self._slots["ledger._settings"], position_id(account, market, 0)))

    def market_words(self, market: int) -> list[int]:
        first = self._slots["markets._words"] + 16 * market
        return [self._read(first + kind) for kind in range(10)]


@cache
def mapped(slot: int, key: int) -> int:
    """Where a mapping keeps the value of a key."""
    return int.from_bytes(keccak(slot.to_bytes(32, "big") + key.to_bytes(32, "big")), "big")


def position_id(account: str, market: int, slot: int) -> int:
    return words.position_id(int(account, 16), market, slot)


def terms_named(**changes: int) -> tuple[int, ...]:
    """The default terms with some changed, as the contract takes them."""
    return astuple(replace(Terms(), **changes))


def accrue(market: words.Market, price: words.Price) -> words.Market:
    """Funding up to now, or to the end of the last price's life."""
    return market_math.accrue_funding(market, price.price, market_math.live_time(price, now()))
