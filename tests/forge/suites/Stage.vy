# pragma version 0.4.3
"""
@title Stage
@license MIT
@notice Deploys the exchange for the contract that is fuzzed, whose own code is long enough.
"""

from ..handlers import deployment
from ..handlers import IExchange
from ..handlers import stage

implements: IExchange

initializes: stage
initializes: deployment[stage := stage]


@deploy
def __init__(
    pool_cash: uint256, pool_size: uint256, insurance: uint256, reserve_rate: uint256
):
    """
    @param pool_cash USD, at the beginning.
    @param pool_size USD, what the provider then wants the pool to be.
    @param insurance USD.
    @param reserve_rate Ppm of a skew, what a market's share of the pool must be worth.
    """
    deployment._deploy(
        pool_cash * stage.USD, pool_size * stage.USD, insurance * stage.USD, reserve_rate
    )


@external
@view
def exchange() -> IExchange.Exchange:
    return stage.exchange
