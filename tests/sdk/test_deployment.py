import json
from dataclasses import replace
from pathlib import Path

import pytest

from bulkhead import Deployment, Reader, Trader
from bulkhead.deployment import contract_address, deploy, verify
from bulkhead.errors import DeploymentError, TokenBadDecimals
from bulkhead.local import memory_chain
from tests.sdk.world import World, people


def test_the_address_of_a_contract_follows_from_its_creator_s_nonce() -> None:
    creator = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    expected = [
        "0xcd234A471b72ba2F1Ccf0A70FCABA648a5eeCD8d",
        "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8",
        "0xf778B86FA74E846c4f0a1fBd1335FE81c00a0C91",
    ]
    assert [contract_address(creator, nonce) for nonce in range(3)] == expected


def test_a_deployment_is_verified(world: World) -> None:
    verify(world.w3, world.reader.deployment)


def test_a_wrong_address_is_found(world: World) -> None:
    wrong = replace(world.reader.deployment, order_book=world.stranger)
    with pytest.raises(DeploymentError, match=r"OrderBook at .* has 0 bytes"):
        verify(world.w3, wrong)


def test_a_deployment_is_saved_and_loaded(world: World, tmp_path: Path) -> None:
    deployment = world.reader.deployment
    path = deployment.save(tmp_path)
    assert path == tmp_path / f"{deployment.chain_id}.json"
    assert Deployment.load(world.w3, tmp_path) == deployment


def test_a_file_of_another_genesis_is_refused(world: World, tmp_path: Path) -> None:
    replace(world.reader.deployment, genesis_hash="0x00").save(tmp_path)
    with pytest.raises(DeploymentError, match="belongs to another chain with id"):
        Deployment.load(world.w3, tmp_path)


def test_a_missing_file_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="no exchange is deployed on chain"):
        Deployment.load(world.w3, tmp_path)


def test_a_file_of_another_version_is_refused(world: World, tmp_path: Path) -> None:
    path = world.reader.deployment.save(tmp_path)
    path.write_text(json.dumps({"chain_id": 1}))
    with pytest.raises(DeploymentError, match="written by another version"):
        Deployment.load(world.w3, tmp_path)


def test_the_deployer_keeps_nothing(world: World) -> None:
    assert world.reader.owner() == world.people[1]


def test_another_token_can_be_the_collateral() -> None:
    w3 = memory_chain(accounts=3)
    token = deploy(w3, people(w3)[0]).token
    second = deploy(w3, people(w3)[0], token=token)
    assert second.token == token
    trader = Trader(Reader(w3, second), people(w3)[1])
    assert trader.reader.token_balance(trader.address) == 0


def test_a_refused_constructor_names_its_reason() -> None:
    from bulkhead.chain import Chain
    from bulkhead.deployment import _gas_of
    from bulkhead.interfaces import encode_constructor

    w3 = memory_chain(accounts=2)
    chain = Chain(w3)
    account = people(w3)[0]
    code = encode_constructor("MockToken", ("Odd", "ODD", 1))
    token = chain.wait(chain.submit(None, code, account)).created
    code = encode_constructor("AccountLogic", (token, account, account))
    with pytest.raises(TokenBadDecimals):
        chain.wait(chain.submit(None, code, account, _gas_of("AccountLogic")))
