"""Pull feeds on a stage, and what the servers of their prices answer."""

from typing import Any

from aiohttp import web
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bulkhead import prices
from bulkhead.interfaces import encode_constructor
from bulkhead.listings import BTC, ETH
from bulkhead.local import advance_time
from tests.keeper.stage import Stage

WAD = 10**18
FEE = 7  # wei a Pyth update
IDS = (b"\x07" * 32, b"\x08" * 32)
SIGNERS: list[LocalAccount] = [Account.from_key(number.to_bytes(32, "big")) for number in (5, 6, 7)]
LISTINGS = (BTC, ETH)


def use_pyth(stage: Stage) -> str:
    """Both markets' prices come from a Pyth contract."""
    chain = stage.world.reader.chain
    sender = stage.world.keeper.address
    transaction = chain.submit(None, encode_constructor("MockPyth", (FEE,)), sender)
    address = str(chain.wait(transaction).created)
    for market, listing in enumerate(LISTINGS):
        stage.world.admin.set_pyth_feed(market, listing, address, IDS[market])
    advance_time(chain.w3, 5)
    return address


def use_signers(stage: Stage, threshold: int = 2) -> None:
    admin = stage.world.admin
    admin.set_signers([one.address for one in SIGNERS], threshold)
    for market, listing in enumerate(LISTINGS):
        admin.set_signed_feed(market, listing)
    advance_time(stage.world.reader.chain.w3, 5)


def update(stage: Stage, market: int, dollars: int) -> bytes:
    at = stage.world.reader.now()
    fields = [IDS[market], dollars * 10**8, 0, -8, at]
    return encode(["bytes32", "int64", "uint64", "int32", "uint256"], fields)


def hermes_of(stage: Stage, dollars: int = 50_000) -> Any:
    """What Hermes answers for one price."""

    def answer(request: web.Request) -> Any:
        (name,) = request.query.getall("ids[]")
        if bytes.fromhex(name[2:]) not in IDS:
            return web.Response(status=404, text="Price ids not found")
        data = update(stage, IDS.index(bytes.fromhex(name[2:])), dollars).hex()
        return {"binary": {"encoding": "hex", "data": [data]}, "parsed": None}

    return answer


def quotes_of(stage: Stage, signer: LocalAccount, dollars: int = 50_000, market: int = 0) -> Any:
    """What a signer's server answers."""
    deployment, at = stage.world.reader.deployment, stage.world.reader.now()
    signature = prices.sign_price(
        signer, deployment.chain_id, deployment.price_oracle, market, dollars * WAD, at
    )
    entry = {
        "market": market,
        "price": str(dollars * WAD),
        "published_at": at,
        "signature": "0x" + signature.hex(),
    }
    return {"prices": [entry]}
