"""A liquidation told from its events and what was before them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bulkhead import valuation
from bulkhead.explain import steps
from bulkhead.explain.tale import Check, Explanation, Part, Tale, quote, usd
from bulkhead.interfaces import Event
from bulkhead.markets import MarketState, market_of, state_of
from bulkhead.protocol import margin_math, position_math, words
from bulkhead.protocol.fixed_point import FEMTO, quote_down, quote_up
from bulkhead.protocol.words import Account, House, Position
from bulkhead.replay import LedgerReplay
from bulkhead.valuation import CLOSED, Valuation
from bulkhead.values import femto_to_usd, to_usd


def told(
    replay: LedgerReplay, events: Sequence[Event], now: int, outdated: Collection[int] = ()
) -> Explanation:
    """A liquidation explained. Pure.

    Args:
        replay: What the exchange held before it; it is moved on.
        events: Everything that the transaction logged.
        now: The chain's time.
        outdated: Markets whose feed had something newer than the price taken.
    """
    teller = _Teller(replay, now, outdated)
    insurance = replay.house.insurance
    for event in events:
        teller.take(event)
    parts = tuple(teller.parts)
    checks = (*(check for part in parts for check in part.checks), *teller.payments)
    return Explanation(
        transaction=events[0].transaction,
        block=events[0].block,
        time=now,
        insurance_before=to_usd(insurance),
        insurance_after=to_usd(replay.house.insurance),
        agrees=all(check.agrees for check in checks),
        parts=parts,
        payments=tuple(teller.payments),
    )


@dataclass(slots=True)
class _Debtor:
    """A cross ledger on its way through a liquidation."""

    account: str
    equity: int = 0  # femto
    maintenance: int = 0  # femto
    carried: int = 0  # femto
    keeps_part: bool = False
    is_closing: bool = False  # whether pairs are done with


class _Teller:
    """Follows the events of one transaction."""

    def __init__(self, replay: LedgerReplay, now: int, outdated: Collection[int]) -> None:
        self.replay = replay
        self.now = now
        self.outdated = outdated
        self.house = replay.house
        self.rewards = 0
        self.debtor: _Debtor | None = None
        self.parts: list[Part] = []
        self.payments: list[Check] = []

    def take(self, event: Event) -> None:
        """Explains an event by what was before it, and then takes it in."""
        match event.name:
            case "MarginToppedUp":
                self._top_up(event)
            case "PairNetted":
                self._net(event)
            case "PositionLiquidated" if valuation.is_isolated(event["slot"]):
                self._close_vault(event)
            case "PositionLiquidated":
                self._close_leg(event)
            case "DebtWrittenOff" if self.debtor is not None:
                self._write_off(event)
            case "LiquidatorPaid":
                self._pay(event)
        self.replay.take(event)
        if "house_word" in event.arguments:
            # A batch ends, or something else has just changed the house.
            self.house, self.rewards, self.debtor = self.replay.house, 0, None

    # What was before

    def _state(self, market: int) -> MarketState:
        held, found = self.replay, self.replay.market_words(market)
        return state_of(
            market_of(market, held.symbols[market], held.lot_sizes[market], found),
            found,
            words.pack_price(held.prices[market]),
            self.now,
            is_latest=market not in self.outdated,
        )

    def _legs(self, account: str) -> dict[tuple[int, int], Position]:
        keys = valuation.leg_keys(self.replay.accounts[account])
        return {key: self.replay.positions[account, *key] for key in keys}

    def _value_legs(self, account: str) -> tuple[Valuation, dict[int, MarketState]]:
        legs = self._legs(account)
        states = {market: self._state(market) for market in valuation.markets_of(legs)}
        return valuation.value_legs(legs, states), states

    # Isolated margin

    def _tell_vault(self, event: Event, tale: Tale) -> tuple[MarketState, Position, Valuation]:
        """The vault of an event before it: equity, maintenance margin, ratio."""
        market, slot = event["market"], event["slot"]
        state = self._state(market)
        position = self.replay.positions[event["account"], market, slot]
        steps.tell_price(tale, state)
        value = steps.tell_value(tale, state, slot, position)
        vault = valuation.value_vault(state, slot, position)
        tale.tell(
            "equity",
            f"margin {quote(position.margin)} + PnL less funding {usd(value)}",
            femto_to_usd(vault.worth),
        )
        steps.tell_maintenance(tale, state, position.size)
        steps.tell_verdict(tale, vault)
        return state, position, vault

    def _top_up(self, event: Event) -> None:
        tale = Tale()
        state, position, vault = self._tell_vault(event, tale)
        account, slot = event["account"], event["slot"]
        amount = quote_up(vault.initial - vault.worth)
        reward = state.market.liquidation_terms.keeper_floor
        tale.tell(
            "margin added",
            f"initial margin {usd(vault.initial)} less equity {usd(vault.worth)}, up",
            to_usd(amount),
        )
        settings = self.replay.settings[account, event["market"]]
        is_long = valuation.is_long(slot)
        allowance = settings.long_allowance if is_long else settings.short_allowance
        legs, _ = self._value_legs(account)
        free = valuation.withdrawable(self.replay.accounts[account], legs)
        tale.tell(
            "paid from cash",
            f"{quote(amount)} and {quote(reward)} for the liquidator, of {quote(free)} that may "
            f"leave the cross ledger and {quote(allowance)} that the owner allows",
            to_usd(amount + reward),
        )
        tale.check("margin added", to_usd(amount), to_usd(event["amount"]))
        tale.check("reward", to_usd(reward), to_usd(event["reward"]))
        after = words.unpack_position(event["position_word"])
        tale.check("margin after", to_usd(position.margin + amount), to_usd(after.margin))
        self.rewards += reward
        self._add("topped up: nothing is closed", event, tale)

    def _close_vault(self, event: Event) -> None:
        tale = Tale()
        state, position, vault = self._tell_vault(event, tale)
        if position.auto_margin and vault.worth > 0:
            tale.tell("margin top-up", "allowed, but its allowance or cash fell short", "none")
        lots, equity = position.size, quote_down(vault.worth)
        if steps.tell_whole_or_part(tale, vault.worth, vault.maintenance):
            lots = steps.tell_closing_size(tale, state, position.size, vault.worth)
        if lots < position.size:
            _, released = position_math.decrease(position, valuation.is_long(event["slot"]), lots)
            realised = quote_down(valuation.value_of(state, event["slot"], released))
            equity = max(position.margin + realised, 0)
            tale.tell(
                "margin before the penalty",
                f"margin {quote(position.margin)} + {quote(realised)} realised by what is closed",
                to_usd(equity),
            )
        realised = equity - position.margin
        self.house, penalty, reward = steps.tell_charge(tale, state, self.house, equity, lots)
        self.rewards += reward
        self._book(realised)
        left = equity - penalty
        deficit = max(-equity, 0)
        if lots < position.size:
            tale.tell("margin left", f"{quote(equity)} less the penalty", to_usd(left))
            after = words.unpack_position(event["position_word"])
            tale.check("margin left", to_usd(left), to_usd(after.margin))
        else:
            returned = max(left, 0)
            tale.tell("account gets back", "what is left of its margin", to_usd(returned))
            if deficit:
                self.house = steps.tell_deficit(tale, self.house, deficit)
            before = self.replay.accounts[event["account"]].cash
            after_cash = words.unpack_account(event["account_word"]).cash
            tale.check("cash after", to_usd(before + returned), to_usd(after_cash))
        self._check_close(tale, event, state, lots, realised, penalty, reward)
        tale.check("deficit", to_usd(deficit), to_usd(event["deficit"]))
        self._add(_closed(lots, position.size), event, tale)

    # Cross margin

    def _judged(self, event: Event, tale: Tale, *, is_closing: bool) -> _Debtor:
        """The account of an event; it is judged before its pairs are netted, and after."""
        account = event["account"]
        debtor = self.debtor
        if debtor is None or debtor.account != account:
            debtor = self.debtor = _Debtor(account)
        elif debtor.is_closing or not is_closing:
            return debtor
        debtor.is_closing = is_closing
        self._tell_ledger(tale, debtor)
        if is_closing:
            debtor.keeps_part = steps.tell_whole_or_part(tale, debtor.equity, debtor.maintenance)
        return debtor

    def _tell_ledger(self, tale: Tale, debtor: _Debtor) -> None:
        """A cross ledger: equity, maintenance margin, ratio."""
        held = self.replay.accounts[debtor.account]
        total, states = self._value_legs(debtor.account)
        legs = self._legs(debtor.account)
        for state in states.values():
            steps.tell_price(tale, state)
            id = state.market.id  # noqa: A001 - the protocol's word
            pair = {slot: legs[id, slot] for slot in range(2) if (id, slot) in legs}
            for slot, leg in pair.items():
                value = steps.tell_value(tale, state, slot, leg)
                name = f"value of {state.market.symbol} {valuation.slot_name(slot)}"
                tale.tell(name, "PnL less funding owed", femto_to_usd(value))
            long, short = pair.get(0, CLOSED), pair.get(1, CLOSED)
            if valuation.value_pair(state, long, short).maintenance:
                steps.tell_maintenance(tale, state, max(long.size, short.size))
        debtor.equity = valuation.cross_equity(held, total) + debtor.carried
        debtor.maintenance = total.maintenance
        rest = f" + {usd(debtor.carried)} carried" if debtor.carried else ""
        tale.tell(
            "equity",
            f"cash {quote(held.cash)} + escrow {quote(held.escrow)} + positions "
            f"{usd(total.worth)}{rest}",
            femto_to_usd(debtor.equity),
        )
        steps.tell_verdict(tale, replace(total, worth=debtor.equity))

    def _net(self, event: Event) -> None:
        tale = Tale()
        debtor = self._judged(event, tale, is_closing=False)
        market, state = event["market"], self._state(event["market"])
        pair = [self.replay.positions[debtor.account, market, slot] for slot in range(2)]
        lots = min(leg.size for leg in pair)
        tale.tell("size netted", "the smaller of the two legs", state.market.size_of(lots))
        worth = sum(
            valuation.value_of(state, slot, position_math.decrease(leg, slot == 0, lots)[1])
            for slot, leg in enumerate(pair)
        )
        realised = _realise(debtor, worth)
        tale.tell("realised", f"both parts' value {usd(worth)}, down to 0.000001", to_usd(realised))
        self._book(realised)
        before = self.replay.accounts[debtor.account].cash
        after = words.unpack_account(event["account_word"]).cash
        tale.check("size", state.market.size_of(lots), state.market.size_of(event["size"]))
        tale.check("price", state.mark_price, state.market.price_of(event["price"]))
        tale.check("realised", to_usd(realised), to_usd(event["realised"]))
        tale.check("cash after", to_usd(before + realised), to_usd(after))
        self._add("netted: long against short, without fee or penalty", event, tale)

    def _close_leg(self, event: Event) -> None:
        tale = Tale()
        debtor = self._judged(event, tale, is_closing=True)
        market, slot = event["market"], event["slot"]
        state = self._state(market)
        leg = self.replay.positions[debtor.account, market, slot]
        lots = leg.size
        if debtor.keeps_part:
            price, tiers = state.price.price, state.tiers
            mine = margin_math.maintenance_margin(leg.size * price, tiers)
            others = debtor.maintenance - mine
            lots = steps.tell_closing_size(tale, state, leg.size, debtor.equity, others)
            rest = margin_math.maintenance_margin((leg.size - lots) * price, tiers)
            debtor.maintenance = others + rest
        _, released = position_math.decrease(leg, valuation.is_long(slot), lots)
        worth = valuation.value_of(state, slot, released)
        realised = _realise(debtor, worth)
        tale.tell("realised", f"value {usd(worth)}, down to 0.000001", to_usd(realised))
        self.house, penalty, reward = steps.tell_charge(
            tale, state, self.house, quote_down(debtor.equity), lots
        )
        debtor.equity -= penalty * FEMTO
        self.rewards += reward
        self._book(realised)
        cash = self.replay.accounts[debtor.account].cash + realised - penalty
        tale.tell(
            "cash after", f"{quote(cash - realised + penalty)} + realised - penalty", to_usd(cash)
        )
        after = words.unpack_account(event["account_word"]).cash
        self._check_close(tale, event, state, lots, realised, penalty, reward)
        tale.check("cash after", to_usd(cash), to_usd(after))
        self._add(_closed(lots, leg.size), event, tale)

    def _write_off(self, event: Event) -> None:
        held: Account = self.replay.accounts[event["account"]]
        tale = Tale()
        escrow = min(-held.cash, held.escrow)
        tale.tell("debt", "cash below zero, and no position left", to_usd(-held.cash))
        tale.tell("escrow takes", "what waited for keepers pays first", to_usd(escrow))
        deficit = -held.cash - escrow
        self.house = steps.tell_deficit(tale, self.house, deficit)
        tale.check("escrow", to_usd(escrow), to_usd(event["escrow"]))
        tale.check("deficit", to_usd(deficit), to_usd(event["deficit"]))
        self._add("debt written off", event, tale)

    # Both

    def _check_close(
        self,
        tale: Tale,
        event: Event,
        state: MarketState,
        lots: int,
        realised: int,
        penalty: int,
        reward: int,
    ) -> None:
        market = state.market
        tale.check("size", market.size_of(lots), market.size_of(event["size"]))
        tale.check("price", state.mark_price, market.price_of(event["price"]))
        tale.check("realised", to_usd(realised), to_usd(event["realised"]))
        tale.check("penalty", to_usd(penalty), to_usd(event["penalty"]))
        tale.check("reward", to_usd(reward), to_usd(event["reward"]))

    def _book(self, realised: int) -> None:
        """What an account gains the pool loses."""
        self.house = replace(self.house, pool_cash=self.house.pool_cash - realised)

    def _pay(self, event: Event) -> None:
        after: House = words.unpack_house(event["house_word"])
        tale = Tale()
        tale.check("liquidator paid", to_usd(self.rewards), to_usd(event["amount"]))
        tale.check("insurance after", to_usd(self.house.insurance), to_usd(after.insurance))
        tale.check("pool cash after", to_usd(self.house.pool_cash), to_usd(after.pool_cash))
        self.payments += tale.checks

    def _add(self, did: str, event: Event, tale: Tale) -> None:
        position = ""
        if "market" in event.arguments:
            symbol = self.replay.symbols[event["market"]]
            pair = "cross long and short"
            slot = event.arguments.get("slot")
            position = f"{symbol} {pair if slot is None else valuation.slot_name(slot)}"
        checks = tuple(tale.checks)
        self.parts.append(Part(did, event["account"], position, tuple(tale.steps), checks))


def _realise(debtor: _Debtor, worth: int) -> int:
    """Quote units, down; what that leaves of one is carried to the next."""
    total = worth + debtor.carried
    realised = quote_down(total)
    debtor.carried = total - realised * FEMTO
    return realised


def _closed(lots: int, size: int) -> str:
    return "closed whole" if lots == size else "closed in part"
