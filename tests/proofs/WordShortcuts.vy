# pragma version 0.4.3
"""
@title What the shortcuts of `words` promise
@license MIT
@notice A shortcut does to a packed word what unpacking, changing and packing would do, and refuses what
        packing would refuse.
"""

from contracts.lib import words


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@external
@pure
def check_cash_is_read(word: uint256):
    self._prove(words.cash_of(word) == words.unpack_account(word).cash)


@external
@pure
def check_flags_are_read(word: uint256):
    self._prove(words.flags_of(word) == words.unpack_account(word).flags)


@external
@pure
def check_epoch_is_read(word: uint256):
    self._prove(words.epoch_of(word) == words.unpack_account(word).epoch)


@external
@pure
def check_publish_time_is_read(word: uint256):
    self._prove(words.published_at_of(word) == words.unpack_price(word).published_at)


@external
@pure
def check_status_is_read(word: uint256):
    self._prove(words.status_of(word) == words.unpack_order_state(word).status)


@external
@pure
def with_cash(word: uint256, amount: uint256) -> uint256:
    return words.with_cash(word, amount)


@external
@pure
def check_cash_is_added_exactly(word: uint256, amount: uint256):
    given: words.Account = words.unpack_account(word)
    wide: words.Account = words.unpack_account(words.with_cash(word, amount))
    self._prove(wide.cash == given.cash + convert(amount, int256))
    wide.cash = given.cash
    self._prove(words.pack_account(wide) == word)


@external
def check_cash_is_added_where_it_fits(word: uint256, amount: uint256):
    taken: bool = raw_call(
        self,
        abi_encode(word, amount, method_id=method_id("with_cash(uint256,uint256)")),
        revert_on_failure=False,
        is_static_call=True,
    )
    fits: bool = amount < 2**64
    if fits:
        fits = words.cash_of(word) + convert(amount, int256) < 2**63
    self._prove(taken == fits)


@external
@pure
def with_escrow(word: uint256, amount: uint256) -> uint256:
    return words.with_escrow(word, amount)


@external
@pure
def check_escrow_is_moved_exactly(word: uint256, amount: uint256):
    given: words.Account = words.unpack_account(word)
    moved: words.Account = words.unpack_account(words.with_escrow(word, amount))
    self._prove(moved.escrow == given.escrow + amount)
    self._prove(moved.cash == given.cash - convert(amount, int256))
    moved.cash = given.cash
    moved.escrow = given.escrow
    self._prove(words.pack_account(moved) == word)


@external
def check_escrow_is_moved_where_it_fits(word: uint256, amount: uint256):
    taken: bool = raw_call(
        self,
        abi_encode(word, amount, method_id=method_id("with_escrow(uint256,uint256)")),
        revert_on_failure=False,
        is_static_call=True,
    )
    fits: bool = amount < 2**40
    if fits:
        given: words.Account = words.unpack_account(word)
        fits = given.escrow + amount < 2**40
        if fits:
            fits = given.cash - convert(amount, int256) >= -(2**63)
    self._prove(taken == fits)


@external
@pure
def check_status_is_set_alone(word: uint256, status: uint256):
    given: words.OrderState = words.unpack_order_state(word)
    changed: words.OrderState = words.unpack_order_state(words.with_status(word, status))
    self._prove(changed.status == status)
    changed.status = given.status
    self._prove(words.pack_order_state(changed) == words.pack_order_state(given))


@external
@pure
def check_a_fill_is_set_alone(
    word: uint256, status: uint256, executable_from: uint256, filled: uint256, generation: uint256
):
    wanted: words.OrderState = words.unpack_order_state(word)
    wanted.status = status
    wanted.executable_from = executable_from
    wanted.filled = filled
    wanted.generation = generation
    found: uint256 = words.with_fill(word, status, executable_from, filled, generation)
    self._prove(words.pack_order_state(words.unpack_order_state(found)) == words.pack_order_state(wanted))


@external
@pure
def check_a_placed_order_is_packed_like_any(given: words.OrderState):
    wanted: words.OrderState = given
    wanted.is_spent = False
    wanted.filled = 0
    wanted.extreme = 0
    placed: uint256 = words.pack_placed_order(
        given.executable_from,
        given.status,
        given.keeper_fee,
        given.escrowed,
        given.epoch,
        given.is_child,
        given.is_bound,
        given.generation,
    )
    self._prove(placed == words.pack_order_state(wanted))


@external
@pure
def check_a_position_has_one_id(
    account: address, market: uint256, slot: uint256, other: address, second: uint256, side: uint256
):
    if market >= 2**24 or slot >= 2**8 or second >= 2**24 or side >= 2**8:
        return
    id: uint256 = words.position_id(account, market, slot)
    same: bool = account == other and market == second and slot == side
    self._prove((id == words.position_id(other, second, side)) == same)


@external
@pure
def check_an_id_names_its_position(account: address, market: uint256, slot: uint256):
    if market >= 2**24 or slot >= 2**8:
        return
    owner: address = empty(address)
    found: uint256 = 0
    place: uint256 = 0
    owner, found, place = words.split_position_id(words.position_id(account, market, slot))
    self._prove(owner == account and found == market and place == slot)
