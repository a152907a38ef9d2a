# pragma version 0.4.3
"""
@title Mock wallet
@license MIT
@notice A wallet with code (ERC-1271) for tests: it says yes to what it was told, no to all else, or
        misbehaves.
"""

MAGIC: constant(bytes4) = 0x1626BA7E
HONEST: constant(uint256) = 0
REVERTS: constant(uint256) = 1
BURNS: constant(uint256) = 2  # all gas it is given
GARBAGE: constant(uint256) = 3  # a word that is not the answer
SHORT: constant(uint256) = 4  # fewer bytes than a word
LONG: constant(uint256) = 5  # many words, the answer first

_approved: HashMap[bytes32, bool]  # by the hash of digest and signature
_mood: uint256


@external
def approve(digest: bytes32, signature: Bytes[1024]):
    self._approved[keccak256(concat(digest, signature))] = True


@external
def set_mood(mood: uint256):
    self._mood = mood


@external
@view
@raw_return
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> Bytes[4096]:
    answer: bytes32 = empty(bytes32)
    if self._approved[keccak256(concat(digest, signature))]:
        answer = convert(MAGIC, bytes32)
    assert self._mood != REVERTS, "wallet: no"
    if self._mood == BURNS:
        for i: uint256 in range(1_000_000_000):
            answer = keccak256(answer)
    if self._mood == GARBAGE:
        answer = keccak256(answer)
    if self._mood == SHORT:
        return slice(concat(answer, b""), 0, 4)
    if self._mood == LONG:
        return concat(answer, empty(bytes32), answer)
    return concat(answer, b"")
