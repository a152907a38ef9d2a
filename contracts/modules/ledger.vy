# pragma version 0.4.3
"""
@title Ledger
@license MIT
@notice Where accounts, positions, settings and the house keep their words. Every quote unit in
        custody is in exactly one of these: an account's cash or escrow, an isolated position's
        margin, the pool's cash, insurance, unclaimed fees.
"""

from ..lib import words

_accounts: HashMap[address, uint256]  # account words
_positions: HashMap[uint256, uint256]  # position words by position id
_settings: HashMap[uint256, uint256]  # settings words by the id of the market's first slot
_house: uint256  # house word
_insurance_requested: uint256  # quote, the withdrawal from insurance that is announced
_insurance_claimable_at: uint256  # seconds


@internal
@view
def _account(account: address) -> words.Account:
    return words.unpack_account(self._accounts[account])


@internal
def _store_account(account: address, state: words.Account) -> uint256:
    word: uint256 = words.pack_account(state)
    self._accounts[account] = word
    return word


@internal
@view
def _position(id: uint256) -> words.Position:
    return words.unpack_position(self._positions[id])


@internal
def _store_position(id: uint256, position: words.Position) -> uint256:
    word: uint256 = words.pack_position(position)
    self._positions[id] = word
    return word


@internal
@view
def _settings_of(account: address, market: uint256) -> words.Settings:
    return words.unpack_settings(self._settings[words.position_id(account, market, 0)])


@internal
def _store_settings(account: address, market: uint256, settings: words.Settings) -> uint256:
    word: uint256 = words.pack_settings(settings)
    self._settings[words.position_id(account, market, 0)] = word
    return word


@internal
@view
def _load_house() -> words.House:
    return words.unpack_house(self._house)


@internal
def _store_house(house: words.House) -> uint256:
    word: uint256 = words.pack_house(house)
    self._house = word
    return word


@internal
def _pay(account: address, amount: uint256):
    """
    @notice Adds to an account's cash, and touches nothing where there is nothing to add.
    """
    if amount != 0:
        self._credit(account, amount)


@internal
def _credit(account: address, amount: uint256) -> uint256:
    """
    @return The account's word with the amount added to its cash.
    """
    word: uint256 = words.with_cash(self._accounts[account], amount)
    self._accounts[account] = word
    return word
