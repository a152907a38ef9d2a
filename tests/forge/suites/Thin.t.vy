# pragma version 0.4.3
"""
@title Thin
@license MIT
@notice The same on an exchange whose provider takes out whatever the pool can spare and whose owner
        does so with insurance: both are all but empty. Caps refuse, deficits go through insurance
        into the pool, winners are deleveraged, and some wait because the pool has no cash.
"""

from ..handlers import suite

initializes: suite

exports: suite.__interface__


@external
def setUp():
    suite._set_up("Thin", 5_000, 1_000, 20, 10_000)
