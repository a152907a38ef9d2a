"""Sizes, leverage and margin from what may be lost, for one account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, Unpack

from bulkhead import sizing
from bulkhead.chain import Program, verb
from bulkhead.errors import PositionNotOpen, Unreached
from bulkhead.order_desk import Handle
from bulkhead.order_ticket import OrderFields
from bulkhead.orders import MarginMode
from bulkhead.previews import OrderPreview, PreviewVerbs
from bulkhead.values import PPM_DECIMALS, Amount, from_units

if TYPE_CHECKING:
    from bulkhead.reader import MarketName

LEVERAGE_STEP = 10_000  # ppm: a hundredth of one time
ONE_TIME = 10**PPM_DECIMALS


class PlanningVerbs(PreviewVerbs[Handle], Generic[Handle]):
    """Answers before anything is sent."""

    @verb
    def size_for_risk(
        self, market: MarketName, risk: Amount, stop_price: Amount, *, is_buy: bool
    ) -> Program[Decimal]:
        """The largest position of which a stop loses no more than so much, costs included.

        Args:
            market: Where.
            risk: USD that may be lost.
            stop_price: USD per base unit.
            is_buy: Whether it is long.
        """
        state = yield from self.exchange.market_state(market)
        terms = yield from self.exchange.order_terms(state.market)
        return sizing.size_for_risk(
            state, risk, stop_price, is_buy=is_buy, keeper_fee=terms.keeper_fee
        )

    @verb
    def margin_for_distance(
        self, market: MarketName, distance: Amount, *, is_long: bool
    ) -> Program[Decimal]:
        """What to add to a vault so that its liquidation price is so far from the mark price.

        Args:
            market: Where.
            distance: Of the mark price: 0.2 is twenty percent.
            is_long: Which side.

        Raises:
            PositionNotOpen: If there is no such vault.
        """
        found = yield from self.exchange.position(
            self.account, market, is_long=is_long, is_isolated=True
        )
        if found is None:
            raise PositionNotOpen
        return sizing.margin_for_distance(found, distance)

    @verb
    def leverage_for(
        self,
        market: MarketName,
        size: Amount,
        liquidation_price: Amount,
        **fields: Unpack[OrderFields],
    ) -> Program[Decimal]:
        """The most leverage with which a new vault is not liquidated before a price.

        Args:
            market: Where.
            size: As in `place`.
            liquidation_price: USD per base unit, the nearest it may be.
            **fields: As in `place`; the leverage is what is asked for.

        Returns:
            Times, down to hundredths.

        Raises:
            Unreached: If even one time is too much, or no such order fills.
        """
        found = yield from self.exchange.market(market)
        wanted = found.price_exact(liquidation_price)
        named: OrderFields = {**fields, "margin_mode": MarginMode.ISOLATED, "leverage": 1}
        order = yield from self.order(market, size, **named)
        engine = yield from self._engine([order.market], None)
        yield from self._take_rights(engine, order)

        def survives(steps: int) -> bool:
            asked = replace(order, leverage=steps * LEVERAGE_STEP)
            shown = self._filled(engine.copy(), [asked])
            return _survives(shown, wanted)

        low = ONE_TIME // LEVERAGE_STEP
        high = ONE_TIME * ONE_TIME // found.tiers[0].initial_rate // LEVERAGE_STEP
        if not survives(low):
            raise Unreached(
                f"liquidation_price: no leverage keeps the liquidation of {size} {found.symbol} "
                f"beyond {liquidation_price}"
            )
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if survives(middle) else (low, middle - 1)
        return from_units(low * LEVERAGE_STEP, PPM_DECIMALS)


def _survives(shown: OrderPreview, wanted: int) -> bool:
    """Whether what an order opens is not liquidated before a price."""
    if shown.reason:
        return False
    opened = [fill.slot for fill in shown.fills if fill.is_increase]
    for position in shown.positions:
        if position.slot in opened:
            if position.is_long:
                return position.liquidatable_below <= wanted
            return position.liquidatable_above is None or position.liquidatable_above >= wanted
    return False
