# pragma version 0.4.3
"""
@title Mock Pyth
@license MIT
@notice A Pyth contract that believes every update and takes a fee for each: for tests. An update is
        `abi_encode(id, price, conf, expo, publishTime)`.
"""

FEED: constant(uint256) = 160  # bytes of an update


struct Price:
    price: int64
    conf: uint64
    expo: int32
    publishTime: uint256


fee: public(uint256)  # wei an update
_prices: HashMap[bytes32, Price]


@deploy
def __init__(fee: uint256):
    self.fee = fee


@external
def set_fee(fee: uint256):
    self.fee = fee


@external
@view
def getUpdateFee(updateData: DynArray[Bytes[FEED], 8]) -> uint256:
    return self.fee * len(updateData)


@external
@payable
def updatePriceFeeds(updateData: DynArray[Bytes[FEED], 8]):
    assert msg.value >= self.fee * len(updateData), "pyth: fee too low"
    for update: Bytes[FEED] in updateData:
        assert len(update) == FEED, "pyth: bad update"
        id: bytes32 = empty(bytes32)
        price: Price = empty(Price)
        id, price = abi_decode(update, (bytes32, Price))
        if price.publishTime > self._prices[id].publishTime:
            self._prices[id] = price


@external
@view
def getPriceUnsafe(id: bytes32) -> Price:
    assert self._prices[id].publishTime != 0, "pyth: no price"
    return self._prices[id]
