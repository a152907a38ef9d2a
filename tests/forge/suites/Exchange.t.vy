# pragma version 0.4.3
"""
@title Exchange
@license MIT
@notice Anybody's calls in any order, on an exchange with a deep pool.
"""

from ..handlers import suite

initializes: suite

exports: suite.__interface__


@external
def setUp():
    suite._set_up("Exchange", 5_000_000, 5_000_000, 2_000, 300_000)
