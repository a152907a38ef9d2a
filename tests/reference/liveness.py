"""From any reached state the way out is open: tried inside a snapshot, by everybody."""

from fractions import Fraction

import boa

from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import COOLDOWN, EXECUTED, MARKET, PLENTY, USD, position_id
from tests.reference import layouts
from tests.reference.machine import Actions
from tests.reference.margin import Ledger, requirement, vault_equity
from tests.reference.state import DAY, HOUR, ISOLATED, ONLY_BANKRUPT

DUST = 4  # quote units that judging may be off by
SOON = 2 * HOUR  # in which owners may not be done with closing


class Stuck(AssertionError):  # noqa: N818 - what was found
    """Somebody can not leave."""


def check(actions: Actions) -> None:
    """Everything of this file, each from the state as it is; then everybody leaves."""
    with actions.anchored():
        actions.refresh_all()
        _unhealthy_are_liquidated(actions)
    with actions.anchored():
        actions.end_doubts()
        _markets_end(actions)
        _owners_close(actions)
        _drains(actions)


def _unhealthy_are_liquidated(actions: Actions) -> None:
    state, clearinghouse = actions.state, actions.protocol.clearinghouse
    for place, position in list(state.positions.items()):
        account, market, slot = place
        price = state.prices[market]
        if slot < ISOLATED or not position.size or not price.may_trade(state.now):
            continue
        notional = position.size * price.price
        due = requirement(state.markets[market].tiers, notional, initial=False)
        due = 0 if price.caution == ONLY_BANKRUPT else due
        equity = vault_equity(state, account, market, slot & 1) + notional * price.confidence
        apart = abs(Fraction(due - equity))
        if apart <= DUST:
            continue
        with boa.env.anchor():
            ids = [position_id(*place)]
            receipt = clearinghouse.attempt(actions.protocol.keeper, "liquidate_isolated", ids)
            if receipt.result != int(due > equity):
                raise Stuck(f"liquidation of {place}: {receipt}")
    for account in actions.traders:
        ledger = Ledger(state, account, counts_silence=True)
        due = 0 if ledger.caution == ONLY_BANKRUPT else ledger.maintenance
        equity = ledger.equity + ledger.band
        tradable = [m for m in ledger.markets if state.prices[m].may_trade(state.now)]
        if not tradable or abs(Fraction(due - equity)) <= DUST:
            continue
        with boa.env.anchor():
            receipt = clearinghouse.attempt(actions.protocol.keeper, "liquidate_cross", [account])
            if receipt.result != int(due > equity):
                raise Stuck(f"liquidation of {account}: {receipt}")


def _markets_end(actions: Actions) -> None:
    """Where a market's hour has begun or soon will its price is fixed; settled positions close."""
    protocol = actions.protocol
    ends = [price.settles_at for price in actions.state.prices]
    for number in sorted(range(len(ends)), key=lambda n: ends[n]):
        price = actions.state.prices[number]
        if not price.settles_at or price.is_settled or now() < price.settles_at - SOON:
            continue
        advance(max(0, price.settles_at - now()))
        actions.refresh_all()
        advance(max(0, price.settles_at + HOUR - now()))
        receipt = protocol.oracle.attempt(protocol.keeper, "fix_settlement", number)
        if receipt.refusal == "settlement: no price yet":
            advance(3 * DAY)
            receipt = protocol.oracle.attempt(protocol.keeper, "fix_settlement", number)
        _must("settlement", receipt)
        actions.twin.sync()
        actions.refresh_all()
    settled = [
        place
        for place, position in actions.state.positions.items()
        if position.size and actions.state.prices[place[1]].is_settled
    ]
    ids = [position_id(*place) for place in settled]
    closed = protocol.clearinghouse.send(protocol.keeper, "settle_positions", ids).result
    actions.twin.sync()
    if closed != len(settled):
        raise Stuck(f"{len(settled) - closed} positions of settled markets")


def _owners_close(actions: Actions) -> None:
    """Owners close what is healthy by an order of their own; the rest is liquidated.

    The larger leg of a pair goes first: to close the smaller one raises what is not matched, and so
    needs initial margin. Of two alike each does: who has less brings it.
    """
    protocol = actions.protocol
    clearinghouse = protocol.clearinghouse
    positions = actions.state.positions
    for place in sorted(positions, key=lambda place: -positions[place].size):
        account, market, slot = place
        if not positions[place].size:
            continue
        state = actions.state
        if slot >= ISOLATED:
            ids = [position_id(*place)]
            while clearinghouse.send(protocol.keeper, "liquidate_isolated", ids).result:
                pass
        else:
            while clearinghouse.send(protocol.keeper, "liquidate_cross", [account]).result:
                pass
        actions.twin.sync()
        if not actions.state.positions[place].size:
            continue
        twin = actions.state.positions.get((account, market, slot ^ 1))
        if twin is not None and twin.size == actions.state.positions[place].size:
            protocol.deposit(account, PLENTY)
        side = 0 if not state.accounts[account].is_hedge else 1 + (slot & 1)
        order = protocol.place(
            *(account, market, 0),
            kind=MARKET,
            is_buy=slot & 1 == 1,
            reduce_only=True,
            margin_mode=2 if slot >= ISOLATED else 1,
            position_side=side,
        )
        actions.wait_all()
        receipt = protocol.book.attempt(account, "execute", order)
        if receipt.refusal == "pool: short of cash":
            protocol.fund_insurance(PLENTY)
            receipt = protocol.book.attempt(account, "execute", order)
        actions.twin.sync()
        if receipt.result != EXECUTED or actions.state.positions[place].size:
            raise Stuck(f"closing {place}: {receipt} {receipt.events}")


def _drains(actions: Actions) -> None:
    """Orders are cleared, the flat withdraw with the oracle dead, providers leave what is left."""
    protocol = actions.protocol
    actions.leave_orders()
    with boa.env.anchor():
        has_pool = protocol.house().pool_cash > 0  # else its providers have lost all
        if has_pool:
            _providers_leave(actions)
        advance(10 * DAY)  # every feed is dead
        for account in [*actions.traders, protocol.keeper]:
            cash = protocol.cash(account)
            if cash:
                _must(account, protocol.clearinghouse.attempt(account, "withdraw", cash, account))
        if protocol.house().fees:
            owner = protocol.owner
            _must("fees", protocol.clearinghouse.attempt(owner, "claim_fees", owner))
        house = layouts.HOUSE.read(protocol.clearinghouse.read("house_word"))
        left = protocol.balance(protocol.clearinghouse.address)
        rest = house["pool_cash"] + house["insurance"] + protocol.cash(protocol.pool.address)
        if left != rest + actions.held_by_others():
            raise Stuck(f"{left} tokens are left for {rest}")
        if has_pool and not 0 <= house["pool_cash"] < USD:
            raise Stuck(f"the pool keeps {house['pool_cash']} of those who left")


def _providers_leave(actions: Actions) -> None:
    protocol = actions.protocol
    requests = _request_all(actions)
    for _ in range(2):
        advance(COOLDOWN // 2 + 1)
        actions.refresh_all()
    for request in requests:
        _must("fix", protocol.pool.attempt(protocol.keeper, "fix", request))
    for who in actions.providers:
        claim = protocol.pool.read("maxRedeem", who)
        if claim:
            _must("redeem", protocol.pool.attempt(who, "redeem", claim, who, who))


def _request_all(actions: Actions) -> list[int]:
    """All shares are on their way out: what waits is left to lapse, and asked for again."""
    pool, waiting = actions.protocol.pool, actions.state.shares.requests
    if waiting:
        latest = max(request.matures_at for request in waiting.values())
        advance(max(0, latest + DAY + 1 - now()))
    for number in waiting:
        _must("lapse", pool.attempt(actions.protocol.keeper, "lapse", number))
    requests = []
    for who in actions.providers:
        shares = int(pool.read("balanceOf", who))
        if shares:
            receipt = pool.attempt(who, "requestRedeem", shares, who, who)
            _must("request", receipt)
            requests.append(int(receipt.result))
    return requests


def _must(what: str, receipt: Receipt) -> None:
    if receipt.refusal is not None:
        raise Stuck(f"{what}: {receipt.refusal}")
