# pragma version 0.4.3
"""
@title Odd token
@license MIT
@notice A token that anyone may mint, and that does what tokens should not: for tests. Whom it hooks it
        calls before it takes from him and after it gives to him, as ERC-777 does.
"""

interface Hooked:
    def on_tokens(): nonpayable

PLAIN: constant(uint256) = 0
SILENT: constant(uint256) = 1  # returns nothing
LYING: constant(uint256) = 2  # moves nothing, and says so by a word alone
TAXED: constant(uint256) = 3  # keeps a part of what is moved
BOMBING: constant(uint256) = 4  # returns far more than a word
BURSTING: constant(uint256) = 5  # reverts with far more than a reason

name: public(String[32])
symbol: public(String[8])
decimals: public(uint8)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
_mood: uint256
_is_barred: HashMap[address, bool]
_is_hooked: HashMap[address, bool]


@deploy
def __init__(name: String[32], symbol: String[8], decimals: uint8):
    self.name = name
    self.symbol = symbol
    self.decimals = decimals


@external
def set_mood(mood: uint256):
    self._mood = mood


@external
def set_barred(account: address, barred: bool):
    self._is_barred[account] = barred


@external
def set_hooked(account: address, hooked: bool):
    self._is_hooked[account] = hooked


@external
def mint(receiver: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[receiver] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
@raw_return
def transfer(receiver: address, amount: uint256) -> Bytes[16384]:
    self._transfer(msg.sender, receiver, amount)
    return self._answer()


@external
@raw_return
def transferFrom(sender: address, receiver: address, amount: uint256) -> Bytes[16384]:
    allowed: uint256 = self.allowance[sender][msg.sender]
    assert allowed >= amount, "token: allowance too low"
    if allowed != max_value(uint256):
        self.allowance[sender][msg.sender] = allowed - amount
    self._transfer(sender, receiver, amount)
    return self._answer()


@internal
def _transfer(sender: address, receiver: address, amount: uint256):
    assert not (self._is_barred[sender] or self._is_barred[receiver]), "token: barred"
    if self._mood == LYING:
        return
    if self._mood == BURSTING:
        bomb: Bytes[16384] = abi_encode(empty(uint256[500]))
        raw_revert(bomb)
    if self._is_hooked[sender]:
        extcall Hooked(sender).on_tokens()
    assert self.balanceOf[sender] >= amount, "token: balance too low"
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    if self._mood == TAXED:
        self.balanceOf[receiver] -= amount // 100
    if self._is_hooked[receiver]:
        extcall Hooked(receiver).on_tokens()


@internal
@view
def _answer() -> Bytes[16384]:
    if self._mood == SILENT:
        return b""
    if self._mood == LYING:
        return abi_encode(False)
    if self._mood == BOMBING:
        return concat(abi_encode(True), abi_encode(empty(uint256[500])))
    return abi_encode(True)
