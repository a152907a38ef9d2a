# pragma version 0.4.3
"""
@title Thin
@license MIT
@notice The same on an exchange whose pool and insurance are all but empty: caps refuse, debts are
        written off, winners are deleveraged.
"""

from ..handlers import suite

initializes: suite

exports: suite.__interface__


@external
def setUp():
    suite._set_up("Thin", 20_000, 50)
