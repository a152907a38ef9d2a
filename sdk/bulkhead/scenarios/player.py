"""Plays a story on a local chain, step by step, and says what happened and what should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bulkhead import world
from bulkhead.errors import BulkheadError, Refused, Unreachable
from bulkhead.handles import OrderHandle
from bulkhead.keeper import LiquidationReport, OrderReport
from bulkhead.liquidity import LiquidityProvider
from bulkhead.local.clock import advance_time
from bulkhead.orders import MarginMode, OrderState
from bulkhead.scenarios import sights
from bulkhead.scenarios.language import Step, Story
from bulkhead.scenarios.vocabulary import EXPECTATIONS
from bulkhead.values import to_usd
from bulkhead.world import World

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.trader import Trader

_BRACKET = ("take_profit", "stop_loss", "trailing")
_NOT_OF_ORDERS = ("buy", "sell", "close", "who", "market", "side", "name", "refused", "expires_in")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a step.

    Attributes:
        step: Which.
        lines: What happened, in sentences.
        failures: What should have and did not; each names file, step and word.
        is_last: Whether the story can not go on after it.
    """

    step: Step
    lines: tuple[str, ...]
    failures: tuple[str, ...] = ()
    is_last: bool = False


def open_stage(story: Story, w3: Web3) -> World:
    """A new exchange for a story, on a local chain's own accounts.

    Raises:
        Rejected: If the chain has fewer accounts than people.
    """
    accounts = [str(account) for account in w3.eth.accounts]
    world.require_people(accounts, len(story.people))
    return world.create(
        w3,
        accounts,
        story.people,
        story.listings,
        pool=story.pool,
        insurance=story.insurance,
    )


@dataclass(slots=True)
class Player:
    """Plays one story in one world.

    Attributes:
        story: What is played.
        world: Where, as `open_stage` makes it.
    """

    story: Story
    world: World
    _orders: dict[str, OrderHandle] = field(default_factory=dict)
    _pass: dict[str, Decimal | int] = field(default_factory=dict)

    def play(self) -> Iterator[Told]:
        """Every step, once it has happened. A step that should not have been refused is the last.

        Raises:
            Unreachable: If the node is gone.
        """
        for step in self.story.steps:
            told = self._play(step)
            yield told
            if told.is_last:
                return

    def _play(self, step: Step) -> Told:
        where = self.story.at(step)
        if step.verb == "expect":
            return Told(step, (), tuple(self._misses(step, where)))
        try:
            lines = tuple(getattr(self, f"_{step.verb}")(step))
        except Unreachable:
            raise
        except (BulkheadError, ValueError) as error:
            reason = error.reason if isinstance(error, Refused) else str(error)
            if step.refused == reason:
                return Told(step, (f"Refused, as it must be: {reason}.",))
            wanted = f", not {step.refused!r}" if step.refused else ""
            return Told(step, (), (f"{where}: refused: {error}{wanted}",), is_last=True)
        if step.refused is not None:
            failure = f"{where}, refused: it was not, and should be: {step.refused}"
            return Told(step, lines, (failure,))
        return Told(step, lines)

    def _misses(self, step: Step, where: str) -> Iterator[str]:
        """What is not as it is expected to be."""
        subject = step.object
        if subject == "keeper":
            seen: Mapping[str, Any] = {**dict.fromkeys(EXPECTATIONS[subject]), **self._pass}
        elif subject == "order":
            seen = sights.of_order(self._orders[step.words["of"]])
        else:
            seen = sights.SIGHTS[subject](self.world, step.words)
        for word, wanted in step.words.items():
            if word in seen and seen[word] != wanted:
                yield f"{where}, {word}: {_said(seen[word])}, not {_said(wanted)}"
        if subject == "books" and seen["mismatches"]:
            yield f"{where}: the books do not add up: {', '.join(seen['mismatches'])}"

    # What people tell

    def _chapter(self, step: Step) -> Iterator[str]:
        yield step.object

    def _say(self, step: Step) -> Iterator[str]:
        yield step.object

    def _show(self, step: Step) -> Iterator[str]:  # noqa: ARG002 - whoever narrates shows it
        yield from ()

    # What people do

    def _deposit(self, step: Step) -> Iterator[str]:
        for name in step.words["who"]:
            self._trader(name).deposit(step.object)
            yield f"{name} deposits {_said(step.object)} USD."

    def _withdraw(self, step: Step) -> Iterator[str]:
        for name in step.words["who"]:
            self._trader(name).withdraw(step.object)
            yield f"{name} withdraws {_said(step.object)} USD."

    def _provide(self, step: Step) -> Iterator[str]:
        for name in step.words["who"]:
            LiquidityProvider(self.world.reader, self._trader(name).signer).deposit(step.object)
            yield f"{name} brings {_said(step.object)} USD into the pool."

    def _buy(self, step: Step) -> Iterator[str]:
        return self._place(step, is_buy=True)

    def _sell(self, step: Step) -> Iterator[str]:
        return self._place(step, is_buy=False)

    def _place(self, step: Step, *, is_buy: bool) -> Iterator[str]:
        name, market = step.words["who"], step.words["market"]
        fields = {**self._fields(step), "is_buy": is_buy}
        trader = self._trader(name)
        if any(word in fields for word in _BRACKET):
            handle, *_ = trader.place_bracket(market, step.object, **fields)
        else:
            handle = trader.place(market, step.object, **fields)
        self._name(step, handle)
        act = "buys" if is_buy else "sells"
        yield f"{name} {act} {_said(step.object)} {market}{_manner(step)}."

    def _close(self, step: Step) -> Iterator[str]:
        name, side = step.words["who"], "long" if step.words["side"] else "short"
        trader, market = self._trader(name), step.object
        handle = trader.close_position(market, is_long=step.words["side"], **self._fields(step))
        self._name(step, handle)
        yield f"{name} closes the {side} in {market}{_manner(step)}."

    def _cancel(self, step: Step) -> Iterator[str]:
        handle = self._orders[step.object]
        name = self.world.name_of(handle.order.account)
        self._trader(name).cancel(handle)
        yield f"{name} cancels {step.object}."

    def _add_margin(self, step: Step) -> Iterator[str]:
        name, market, is_long = self._side(step)
        self._trader(name).add_margin(market, step.object, is_long=is_long)
        yield f"{name} adds {_said(step.object)} USD to the position in {market}."

    def _remove_margin(self, step: Step) -> Iterator[str]:
        name, market, is_long = self._side(step)
        self._trader(name).remove_margin(market, step.object, is_long=is_long)
        yield f"{name} takes {_said(step.object)} USD from the position in {market}."

    def _auto_margin(self, step: Step) -> Iterator[str]:
        name, market, is_long = self._side(step)
        self._trader(name).set_auto_margin(market, step.object, is_long=is_long)
        yield f"{name} lets liquidations add {_said(step.object)} USD in {market}."

    def _convert(self, step: Step) -> Iterator[str]:
        name, market, is_long = self._side(step)
        trader = self._trader(name)
        if step.object == "isolated":
            trader.convert_to_isolated(market, step.words.get("margin", 0), is_long=is_long)
        else:
            trader.convert_to_cross(market, is_long=is_long)
        yield f"{name} makes the position in {market} {step.object}."

    def _set_leverage(self, step: Step) -> Iterator[str]:
        name, market = step.words["who"], step.words["market"]
        self._trader(name).set_leverage(
            market,
            step.object,
            is_isolated=step.words.get("margin_mode") == "isolated",
            is_long=step.words.get("side", True),
        )
        yield f"{name} sets the leverage in {market} to {_said(step.object)}."

    def _hedge_mode(self, step: Step) -> Iterator[str]:
        for name in step.words["who"]:
            self._trader(name).set_hedge_mode(step.object)
            yield f"{name} goes into {'hedge' if step.object else 'one-way'} mode."

    # What happens to them

    def _prices(self, step: Step) -> Iterator[str]:
        if step.object is None:
            self.world.refresh_prices()
            yield "All prices are published again."
            return
        self.world.set_prices(step.object)
        for market, price in step.object.items():
            yield f"{market} is at {_said(price)}."

    def _wait(self, step: Step) -> Iterator[str]:
        advance_time(self.world.reader.chain.w3, step.object)
        yield f"{step.object:,} seconds pass, and no price is published."

    def _keeper(self, step: Step) -> Iterator[str]:
        self._pass = {}
        keeper = self.world.keeper
        for act in step.object:
            match act:
                case "execute":
                    yield from self._executed(keeper.execute_orders())
                case "liquidate":
                    yield from self._liquidated(keeper.liquidate())
                case "ratchet":
                    yield self._counted("ratcheted", keeper.ratchet(), "trailing stops are moved")
                case "deleverage":
                    cut = len(keeper.deleverage())
                    yield self._counted("deleveraged", cut, "positions are deleveraged")
                case "settle":
                    yield self._counted("settled", len(keeper.settle()), "positions are settled")

    def _executed(self, reports: tuple[OrderReport, ...]) -> Iterator[str]:
        ended = (OrderState.CANCELLED, OrderState.EXPIRED)
        self._pass["executed"] = sum(one.state is OrderState.EXECUTED for one in reports)
        self._pass["cancelled"] = sum(one.state in ended for one in reports)
        if not reports:
            yield "A keeper finds no order to execute."
        for report in reports:
            order = report.placed.order
            market = self.world.reader.market(order.market).symbol
            reason = f" ({report.reason})" if report.reason else ""
            yield (
                f"{self.world.name_of(order.account)}'s order in {market} is {report.state}"
                f"{reason}; the keeper earns {to_usd(report.keeper_fee):,.2f} USD."
            )

    def _liquidated(self, reports: tuple[LiquidationReport, ...]) -> Iterator[str]:
        self._pass["liquidated"] = sum(not one.is_top_up for one in reports)
        self._pass["topped_up"] = sum(one.is_top_up for one in reports)
        for word in ("penalty", "reward", "deficit"):
            self._pass[word] = sum((getattr(one, word) for one in reports), Decimal(0))
        if not reports:
            yield "A keeper finds nothing to liquidate."
        for report in reports:
            mode = "isolated" if report.is_isolated else "cross"
            market = self.world.reader.market(report.market).symbol
            act = "tops up" if report.is_top_up else "liquidates"
            yield (
                f"A keeper {act} {self.world.name_of(report.account)}'s {mode} {market}: penalty "
                f"{report.penalty:,.2f}, keeper {report.reward:,.2f}, insurance and pool pay "
                f"{report.deficit:,.2f} USD."
            )

    def _counted(self, word: str, number: int, what: str) -> str:
        self._pass[word] = number
        return f"{number} {what}."

    def _trader(self, name: str) -> Trader:
        return self.world.traders[name]

    def _side(self, step: Step) -> tuple[str, str, bool]:
        return step.words["who"], step.words["market"], step.words["side"]

    def _name(self, step: Step, handle: OrderHandle) -> None:
        if "name" in step.words:
            self._orders[step.words["name"]] = handle

    def _fields(self, step: Step) -> dict[str, Any]:
        """What an order says besides market, size and direction."""
        fields = {word: one for word, one in step.words.items() if word not in _NOT_OF_ORDERS}
        if "expires_in" in step.words:
            fields["expiry"] = self.world.reader.now() + step.words["expires_in"]
        return fields


def _manner(step: Step) -> str:
    """How an order is placed, beyond a market order in the default mode."""
    words = step.words
    parts = [
        words["kind"].name.lower().replace("_", " ") if "kind" in words else "",
        words["margin_mode"].name.lower()
        if words.get("margin_mode", MarginMode.DEFAULT) is not MarginMode.DEFAULT
        else "",
        f"at {_said(words['leverage'])}x" if "leverage" in words else "",
        f"with {_said(words['margin'])} USD" if "margin" in words else "",
        f"at {_said(words['trigger_price'])}" if "trigger_price" in words else "",
    ]
    said = " ".join(part for part in parts if part)
    return f", {said}" if said else ""


def _said(value: Any) -> str:
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else str(value)
