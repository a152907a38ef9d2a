# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Signed feed
@license MIT
@notice Prices that some of the owner's signers have signed, brought by anyone: for private chains.
"""

from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator

from ..interfaces import IPriceOracle

uses: eip712_domain_separator

MAX_PAYLOAD: constant(uint256) = 64 + 8 * 65
MAX_SIGNERS: constant(uint256) = 16
MAX_SIGNATURES: constant(uint256) = 8
SIGNATURE: constant(uint256) = 65  # bytes
# Its domain names the chain and the oracle.
PRICE_TYPEHASH: constant(bytes32) = keccak256(
    "Price(uint256 market,uint256 price,uint256 published_at)"
)

_signers: DynArray[address, MAX_SIGNERS]
threshold: public(uint256)  # how many must sign; 0 while there are no signers
is_signer: public(HashMap[address, bool])


@internal
@view
def _price(market: uint256, payload: Bytes[MAX_PAYLOAD]) -> (uint256, uint256):
    """
    @notice The price in WAD USD per base unit and when it was published, as enough signers say.
            Their signatures are in the order of their addresses, so that none counts twice.
    """
    length: uint256 = len(payload)
    assert length >= 64 and (length - 64) % SIGNATURE == 0, "payload: bad length"
    count: uint256 = (length - 64) // SIGNATURE
    threshold: uint256 = self.threshold
    assert threshold != 0 and count >= threshold, "signer: too few"
    price: uint256 = convert(slice(payload, 0, 32), uint256)
    published_at: uint256 = convert(slice(payload, 32, 32), uint256)
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(PRICE_TYPEHASH, market, price, published_at))
    )
    last: uint256 = 0
    for i: uint256 in range(count, bound=MAX_SIGNATURES):
        signer: address = ecdsa._recover_sig(digest, slice(payload, 64 + SIGNATURE * i, SIGNATURE))
        assert self.is_signer[signer], "signer: not allowed"
        assert convert(signer, uint256) > last, "signer: not ascending"
        last = convert(signer, uint256)
    return price, published_at


@internal
def _set_signers(signers: DynArray[address, MAX_SIGNERS], threshold: uint256):
    assert (
        threshold != 0 and threshold <= min(len(signers), MAX_SIGNATURES)
    ), "signer: bad threshold"
    for signer: address in self._signers:
        self.is_signer[signer] = False
    last: uint256 = 0
    for signer: address in signers:
        assert convert(signer, uint256) > last, "signer: not ascending"
        last = convert(signer, uint256)
        self.is_signer[signer] = True
    self._signers = signers
    self.threshold = threshold
    log IPriceOracle.SignersSet(signers=signers, threshold=threshold)
