"""What the owner, his guardian and his publishers do, whoever they are: nobody is asked for.

`HouseLogic.vy`, `MarketLogic.vy`, `PriceOracle.vy`, and the order book's terms.
"""

from collections.abc import Sequence

from bulkhead.listings import Terms, TierTerms
from bulkhead.simulate import house, listing, oracle, order_terms, tier_ramps
from bulkhead.simulate.calls import Caller, Done


class OwnerVerbs(Caller):
    """Arguments are the contract's."""

    def update(
        self, market: int, price: int, published_at: int | None = None, confidence: int = 0
    ) -> Done[int]:
        """Publishes a price, WAD USD per base unit, as of now unless it says when."""
        when = self.ledger.now if published_at is None else published_at
        return self.call(oracle.update, market, price, when, confidence)

    def set_published_feed(
        self, market: int, lot_size: int, trade_age: int, max_age: int
    ) -> Done[None]:
        """Sets where a market's prices come from."""
        return self.call(oracle.set_published_feed, market, lot_size, trade_age, max_age)

    def announce_settlement(self, market: int, hour: int) -> Done[None]:
        """Announces the hour, since 1970, whose average a market will end at."""
        return self.call(oracle.announce_settlement, market, hour)

    def cancel_settlement(self, market: int) -> Done[None]:
        """Takes an announcement back."""
        return self.call(oracle.cancel_settlement, market)

    def fix_settlement(self, market: int) -> Done[int]:
        """Fixes a market's final price once its hour is over."""
        return self.call(oracle.fix_settlement, market)

    def settle_dead(self, market: int) -> Done[int]:
        """Settles a market whose feed has long been silent, at its last good price."""
        return self.call(oracle.settle_dead, market)

    def list_market(self, symbol: str, terms: Terms, tiers: Sequence[TierTerms]) -> Done[int]:
        """Lists a market whose feed is set and live; returns its id."""
        return self.call(listing.list_market, symbol, terms, tuple(tiers))

    def set_terms(self, market: int, terms: Terms) -> Done[None]:
        """Changes a market's terms."""
        return self.call(listing.set_terms, market, terms)

    def set_status(self, market: int, status: int) -> Done[None]:
        """Makes a market reduce-only, or opens it again."""
        return self.call(listing.set_status, market, status)

    def ramp_tiers(self, market: int, tiers: Sequence[TierTerms], duration: int) -> Done[None]:
        """Begins to move a market's rates to others."""
        return self.call(tier_ramps.ramp_tiers, market, tuple(tiers), duration)

    def end_ramp(self, market: int) -> Done[None]:
        """Takes the mark of a ramp that is over off its market."""
        return self.call(tier_ramps.end_ramp, market)

    def replace_tiers(self, market: int, tiers: Sequence[TierTerms]) -> Done[None]:
        """Changes a market's tiers at once, while nothing is open."""
        return self.call(tier_ramps.replace_tiers, market, tuple(tiers))

    def set_order_terms(
        self, market: int, keeper_fee: int, delay: int, window: int, max_age: int
    ) -> Done[None]:
        """Sets when a market's orders may fill and what that costs."""
        return self.call(order_terms.set_order_terms, market, keeper_fee, delay, window, max_age)

    def stop_opening(self, stopped: bool) -> Done[None]:
        """Stops all opening and growing, or lets it go on."""
        return self.call(house.stop_opening, stopped)

    def fund_insurance(self, payer: str, amount: int) -> Done[None]:
        """Gives to the insurance fund. Anyone may."""
        return self.call(house.fund_insurance, payer, amount)

    def request_insurance(self, amount: int) -> Done[None]:
        """Announces a withdrawal from insurance."""
        return self.call(house.request_insurance, amount)

    def withdraw_insurance(self, receiver: str) -> Done[None]:
        """Sends what was announced, as far as what stays covers open positions."""
        return self.call(house.withdraw_insurance, receiver)

    def claim_fees(self, receiver: str) -> Done[None]:
        """Sends the treasury's fees."""
        return self.call(house.claim_fees, receiver)

    def add_liquidity(self, amount: int) -> Done[None]:
        """Counts money that the pool has brought in as pool cash."""
        return self.call(house.add_liquidity, amount)

    def remove_liquidity(self, amount: int) -> Done[None]:
        """Moves pool cash to the pool's own account."""
        return self.call(house.remove_liquidity, amount)
