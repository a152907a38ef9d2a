"""The arithmetic of the house: how fees and debts are shared. All in quote units."""

from dataclasses import replace

from bulkhead.protocol.fixed_point import FEMTO, PPM, div_up
from bulkhead.protocol.words import House, TradeTerms


def collect_fee(house: House, fee: int, terms: TradeTerms) -> House:
    """Shares a trading fee. Insurance and treasury get their shares down, the pool the rest.

    Args:
        house: Before the fee.
        fee: Quote.
        terms: The market's, whose two shares are together at most the whole.

    Returns:
        The house with the fee in it, to the last quote unit.
    """
    to_insurance = fee * terms.insurance_share // PPM
    to_treasury = fee * terms.treasury_share // PPM
    return replace(
        house,
        insurance=house.insurance + to_insurance,
        fees=house.fees + to_treasury,
        pool_cash=house.pool_cash + fee - to_insurance - to_treasury,
    )


def cover_deficit(house: House, deficit: int) -> House:
    """Pays a debt, in quote units, that nobody owes any more.

    Insurance pays what it can, the pool bears the rest. The whole loss has been counted as the
    pool's gain before.
    """
    from_insurance = min(deficit, house.insurance)
    return replace(
        house,
        insurance=house.insurance - from_insurance,
        pool_cash=house.pool_cash - (deficit - from_insurance),
    )


def insurance_need(size: int, price: int, penalty: int) -> int:
    """What liquidations may ask of insurance: a penalty on all of them, up.

    Args:
        size: Lots.
        price: Femto per lot.
        penalty: Parts per million of notional.

    Returns:
        Quote.
    """
    return div_up(size * price * penalty, PPM * FEMTO)
