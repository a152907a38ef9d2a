# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Signed orders
@license MIT
@notice Who signed what, and which nonces are spent. Nonces have no order: each is a bit.
@dev A wallet with code is asked first, as ERC-1271 says; an account whose code is only delegated to
     (EIP-7702) may also sign with its key.
"""

from snekmate.utils import ecdsa

from ..interfaces import IOrderBook

MAX_SIGNATURE: constant(uint256) = 1_024  # bytes
# Enough for a passkey; what a hostile wallet can burn of it is the relayer's alone.
WALLET_GAS: constant(uint256) = 1_000_000
IS_VALID: constant(Bytes[4]) = method_id("isValidSignature(bytes32,bytes)")

_nonces: HashMap[address, HashMap[uint256, uint256]]  # bits spent, by signer and nonce >> 8


@external
def cancel_nonces(index: uint256, mask: uint256):
    self._spend(msg.sender, index, mask)


@external
@view
def nonce_word(signer: address, index: uint256) -> uint256:
    return self._nonces[signer][index]


@internal
def _take(
    signer: address,
    digest: bytes32,
    nonce: uint256,
    deadline: uint256,
    signature: Bytes[MAX_SIGNATURE],
):
    """
    @notice Accepts a signature, once and in time.
    """
    assert block.timestamp <= deadline, "signature: expired"
    bit: uint256 = 1 << (nonce & 255)
    assert self._nonces[signer][nonce >> 8] & bit == 0, "signature: nonce is spent"
    self._spend(signer, nonce >> 8, bit)
    if not self._is_wallets(signer, digest, signature):
        assert len(signature) == 65, "signature: not the signer's"
        recovered: address = ecdsa._recover_sig(digest, slice(signature, 0, 65))
        assert recovered == signer, "signature: not the signer's"


@internal
def _spend(signer: address, index: uint256, mask: uint256):
    word: uint256 = self._nonces[signer][index] | mask
    self._nonces[signer][index] = word
    log IOrderBook.NoncesSpent(signer=signer, index=index, nonce_word=word)


@internal
@view
def _is_wallets(signer: address, digest: bytes32, signature: Bytes[MAX_SIGNATURE]) -> bool:
    if not signer.is_contract:
        return False
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        signer,
        abi_encode(digest, signature, method_id=IS_VALID),
        max_outsize=32,
        gas=WALLET_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, bytes32) == convert(IS_VALID, bytes32)
