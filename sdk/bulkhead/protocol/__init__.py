"""The protocol's arithmetic in exact integers, function by function as in `contracts/lib`.

Every module mirrors the library of the same name: same functions, same order of arguments, same
units, same rounding, bit for bit within the ranges of `words`. Quote is 1e-6 USD, femto is
1e-15 USD, prices and funding indices are femto per lot, rates are parts per million.
"""
