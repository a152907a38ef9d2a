# pragma version 0.4.3
"""
@title Mock proxy
@license MIT
@notice A Chainlink proxy whose aggregator changes from phase to phase: for tests.
"""

interface Aggregator:
    def decimals() -> uint8: view
    def latestRoundData() -> (uint80, int256, uint256, uint256, uint80): view


aggregator: public(address)


@deploy
def __init__(aggregator: address):
    self.aggregator = aggregator


@external
def set_aggregator(aggregator: address):
    self.aggregator = aggregator


@external
@view
def decimals() -> uint8:
    return staticcall Aggregator(self.aggregator).decimals()


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return staticcall Aggregator(self.aggregator).latestRoundData()
