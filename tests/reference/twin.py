"""Chain and model, side by side: every action is done on both and its results compared.

After an action the model goes on from the chain's words, so each difference is one action's own.
What rounding took is added up: it must be for the pool.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import boa

from tests.helpers.chain import Contract, Receipt, now
from tests.helpers.protocol import COOLDOWN, Protocol
from tests.reference.book import EXECUTED, PENDING, Book, Order, Rules, domain_of
from tests.reference.margin import worth
from tests.reference.orders import Refused
from tests.reference.providers import Shares
from tests.reference.reading import Reader
from tests.reference.state import FEMTO, ISOLATED, LONG, SHORT, Dust, Money, Quote, State

Act = Callable[[State, Dust], Any]


class Difference(AssertionError):  # noqa: N818 - what was found
    """Chain and model do not agree."""


def wealth(state: State, account: str) -> Money:
    """Cash, escrow, margins and the values of all positions."""
    held = state.accounts[account].cash + state.accounts[account].escrow
    for (whose, market, slot), position in state.positions.items():
        if whose == account and position.size:
            # Values at the state's own indices: an index is compared by itself.
            listed, price = state.markets[market], state.prices[market].price
            held += worth(position, slot & 1, price, listed.index)
            held += position.margin if slot >= ISOLATED else 0
    return held


class Comparison:
    """What two states differ in beyond the dust of one action.

    `cuts`: into how many pieces the action may have rounded: each may cost a few quote units.
    """

    def __init__(
        self, model: State, chain: State, cuts: int, earners: Collection[str] = ()
    ) -> None:
        self.found: list[str] = []
        self._dust = 3 + 2 * cuts
        for name, account in model.accounts.items():
            other = chain.accounts[name]
            self._near(f"cash of {name}", account.cash, other.cash, self._dust)
            # Escrow moves whole but for what a debt claws back of it.
            self._near(f"escrow of {name}", account.escrow, other.escrow, self._dust)
            self._same(f"mode of {name}", account.is_hedge, other.is_hedge)
            self._same(f"epoch of {name}", account.epoch, other.epoch)
        for number, market in enumerate(model.markets):
            listed = chain.markets[number]
            self._near(f"index of {number}", market.index, listed.index, Fraction(4, FEMTO))
            self._near(f"rate of {number}", market.rate, listed.rate, Fraction(2, 10**12))
            self._near(f"drift of {number}", market.drift, listed.drift, Fraction(2, 10**12))
            self._same(f"clock of {number}", market.since, listed.since)
            self._same(f"sizes of {number}", market.sizes, listed.sizes)
            self._same(f"ramp of {number}", market.ramp, listed.ramp)
            self._same(f"status of {number}", market.is_reduce_only, listed.is_reduce_only)
        for number, price in enumerate(model.prices):
            final = chain.prices[number]
            self._same(f"price of {number}", price.price, final.price)
            self._same(f"end of {number}", price.settles_at, final.settles_at)
            self._same(f"whether {number} is over", price.is_settled, final.is_settled)
            self._same(f"life of {number}", price.max_age, final.max_age)
            self._same(f"youth of {number}", price.trade_age, final.trade_age)
            now = chain.now
            self._same(f"firmness of {number}", price.is_firm(now), final.is_firm(now))
            self._same(f"own time of {number}", price.clock(now), final.clock(now))
        for slot in model.positions:
            self._position(slot, model, chain)
        self._same("what is announced", model.house.announced, chain.house.announced)
        self._same("whether opening is stopped", model.house.is_stopped, chain.house.is_stopped)
        for name in ("pool_cash", "insurance", "fees"):
            ours, theirs = getattr(model.house, name), getattr(chain.house, name)
            self._near(name, ours, theirs, self._dust)
        self.lost: Money = 0
        for name in model.accounts:
            ours, theirs = wealth(model, name), wealth(chain, name)
            if ours == theirs:
                continue
            lots = sum(p.size for (whose, *_), p in model.positions.items() if whose == name)
            slack = Fraction(4 * lots, FEMTO)  # of indices
            if name in earners:
                slack += cuts  # what they get is a part of what was rounded up
            if not -slack <= ours - theirs <= self._dust + slack:
                self.found.append(f"wealth of {name}: {float(ours)} but {float(theirs)}")
            self.lost += ours - theirs

    def _position(self, slot: tuple[str, int, int], model: State, chain: State) -> None:
        position, other = model.positions[slot], chain.positions[slot]
        if position == other:
            return
        for name in ("size", "is_auto", "generation", "leverage"):
            self._same(f"{name} of {slot}", getattr(position, name), getattr(other, name))
        self._near(f"entry of {slot}", position.entry, other.entry, 2)
        self._near(f"margin of {slot}", position.margin, other.margin, self._dust)
        self._near(f"index of {slot}", position.index, other.index, Fraction(6, FEMTO))

    def _same(self, name: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            self.found.append(f"{name}: {ours} but {theirs}")

    def _near(self, name: str, ours: Money, theirs: Money, dust: Money) -> None:
        if ours != theirs and abs(Fraction(ours - theirs)) > dust:
            self.found.append(f"{name}: {float(ours)} but {float(theirs)}")


def check_books(chain: State) -> list[str]:
    """What must be exact on the chain: tokens held, and both words of each side of a market."""
    house = chain.house
    held = house.pool_cash + house.insurance + house.fees
    held += sum(account.cash + account.escrow for account in chain.accounts.values())
    held += sum(position.margin for position in chain.positions.values())
    found = [] if held == chain.tokens else [f"tokens: {chain.tokens} for {held}"]
    for number, market in enumerate(chain.markets):
        for side in (LONG, SHORT):
            open_here = [
                position
                for (_, at, slot), position in chain.positions.items()
                if at == number and slot & 1 == side
            ]
            size = sum(position.size for position in open_here)
            basis = sum((p.entry - p.size * p.index) * FEMTO for p in open_here)
            if (size, basis) != (market.sizes[side], market.bases[side]):
                found.append(f"side {side} of {number} is not the sum of its positions")
    return found


class Twin:
    """Does every action on both."""

    def __init__(self, protocol: Protocol, reader: Reader) -> None:
        self.protocol = protocol
        self.reader = reader
        rules = [Rules(m.keeper_fee, m.delay, m.window) for m in protocol.markets]
        domain = domain_of(boa.env.evm.patch.chain_id, protocol.book.address)
        supply = int(protocol.pool.read("totalSupply"))
        held = {protocol.liquidity_provider: supply}
        self.state = reader.state(Book(domain, rules), Shares(supply, COOLDOWN, held))
        self.seen: Counter[str] = Counter()
        self.entered: Counter[str] = Counter()  # external functions that took a call
        self.dust: Money = 0
        self.steps = 0

    def sync(self) -> None:
        """Time or prices have moved, nothing else."""
        kept = self.state
        self.state = self.reader.state(kept.book, kept.shares)
        self._keep(kept)

    def _keep(self, kept: State) -> None:
        """What the chain's words are not read for."""
        self.state.allowances = kept.allowances
        self.state.settings = kept.settings
        self.state.isolates = kept.isolates
        self.state.book = kept.book
        self.state.shares = kept.shares
        for number, price in enumerate(self.state.prices):
            if price.settles_at:
                known = kept.quotes.get(number, ())
                is_new = not known or known[-1].published_at < price.published_at
                last = (Quote(price.published_at, price.price),) if is_new else ()
                self.state.quotes[number] = known + last

    def call(self, contract: Contract, sender: str, function: str, *arguments: Any) -> Receipt:
        receipt = contract.attempt(sender, function, *arguments)
        if receipt.refusal is None:
            self.entered[f"{contract.name}.{function}"] += 1
        return receipt

    def both(
        self,
        name: str,
        call: Callable[[], Receipt],
        act: Act,
        cuts: int = 1,
        earners: Collection[str] = (),
    ) -> Receipt:
        """One action on chain and model: both refuse it, or both take it with the same result."""
        self.steps += 1
        if self.state.now != now():
            self.sync()
        before = self.state
        receipt = call()
        chain = self.reader.state(before.book, before.shares)
        closed = {
            (event.account, event.market, event.slot): int(event.size)
            for event in receipt.events
            if event.name in ("PositionLiquidated", "PositionDeleveraged")
        }
        books = check_books(chain)
        tried: list[str] = []
        for leans in (True, False):
            dust = Dust(leans=leans)
            dust.closed = closed
            model = before.copy()
            try:
                act(model, dust)
                refused: tuple[str, ...] = ()
            except Refused as refusal:
                model, refused = before.copy(), refusal.reasons
            found = self._outcome(receipt, refused)
            compared = Comparison(model, chain, cuts, earners)
            found += compared.found + books + self._differing_orders(before.book, model.book)
            found += [
                f"shares of {holder}: {shares}"
                for holder, shares in model.shares.held.items()
                if before.shares.held.get(holder) != shares
                and self.reader.shares_of(holder) != shares
            ]
            if not found:
                break
            tried += found
            if not dust.is_tied:
                raise Difference("\n".join([name, *tried, repr(receipt)[:300]]))
            self.seen["tied"] += 1
        else:
            raise Difference("\n".join([name, "either way", *tried, repr(receipt)[:300]]))
        self.dust += compared.lost
        self.seen[name if receipt.refusal is None else f"{name}: refused"] += 1
        self.state = chain
        self._keep(model)
        return receipt

    def _outcome(self, receipt: Receipt, refused: tuple[str, ...]) -> list[str]:
        if (receipt.refusal is not None) != bool(refused):
            return [f"chain says {receipt.refusal!r}, model {refused}"]
        if refused and receipt.refusal not in refused:
            return [f"chain refuses for {receipt.refusal!r}, model for {refused}"]
        return []

    def _differing_orders(self, before: Book, after: Book) -> list[str]:
        """Of what is pending or was changed: the words of orders and operators."""
        found = []
        for name, order in after.orders.items():
            if order.status == PENDING or before.orders.get(name) is not order:
                held = self.reader.order(name)
                found += [
                    f"{field} of order {name.hex()[:8]}: {value} but {held[field]}"
                    for field, value in remembered(order).items()
                    if held[field] != value
                ]
        for (account, who), operator in after.operators.items():
            if before.operators.get((account, who)) is not operator:
                word = self.reader.operator(account, who)
                if word | asdict(operator) != word:
                    found.append(f"operator {who} of {account}: {operator} but {word}")
        return found


def remembered(order: Order) -> dict[str, int]:
    """What the chain's word holds of an order, in any state of it."""
    known = {
        "status": order.status,
        "best": order.best,
        "is_child": int(order.is_child),
        "is_spent": int(order.is_spent),
        "is_escrowed": int(order.is_escrowed),
        "epoch": order.epoch,
        "keeper_fee": order.keeper_fee,
        "is_bound": int(order.bound_to is not None),
    }
    if order.status == PENDING:
        known["executable_from"] = order.executable_from
        if order.bound_to is not None:
            known["generation"] = order.bound_to
    if order.status == EXECUTED and not order.placed.reduce_only:
        known["opened"] = order.opened
    return known
