# pragma version 0.4.3
"""
@title Intruder
@license MIT
@notice A contract that, whenever somebody calls it (a token, a payment, one who asks for a signature or a
        price), makes the one call that it was armed with: for tests.
"""

interface Forwarder:
    def forward(target: address, payload: Bytes[4096]) -> (bool, Bytes[2048]): nonpayable

IS_VALID: constant(bytes4) = 0x1626BA7E
LOW: constant(int256) = 10**8
HIGH: constant(int256) = 2 * 10**8

_via: address  # who calls
_target: address
_payload: Bytes[4096]
was_called: public(bool)
succeeded: public(bool)
answer: public(Bytes[2048])


@external
def arm(via: address, target: address, payload: Bytes[4096]):
    self._via = via
    self._target = target
    self._payload = payload


@external
def forward(target: address, payload: Bytes[4096]) -> (bool, Bytes[2048]):
    success: bool = False
    answer: Bytes[2048] = b""
    success, answer = raw_call(target, payload, max_outsize=2048, revert_on_failure=False)
    return success, answer


@external
def on_tokens():
    self._strike()


@external
@payable
def __default__():
    self._strike()


@external
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> bytes4:
    """
    @notice Asked for no more than a word, so nothing is stored: it says yes if its call succeeds.
    """
    if self._try():
        return IS_VALID
    return 0x00000000


@external
@view
def decimals() -> uint8:
    return 8


@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice Nor here: the price is high if its call succeeds.
    """
    price: int256 = HIGH if self._try() else LOW
    return 1, price, block.timestamp, block.timestamp, 1


@internal
def _strike():
    if self.was_called or self._via == empty(address):
        return
    self.was_called = True
    success: bool = False
    answer: Bytes[2048] = b""
    success, answer = extcall Forwarder(self._via).forward(self._target, self._payload)
    self.succeeded = success
    self.answer = answer


@internal
def _try() -> bool:
    if self._via == empty(address):
        return False
    success: bool = False
    answer: Bytes[2048] = b""
    success, answer = extcall Forwarder(self._via).forward(self._target, self._payload)
    return success
