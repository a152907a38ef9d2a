import subprocess
import sys

import pytest

import bulkhead
from bulkhead.interfaces import LOGIC_CONTRACTS, interface_of, load_artifact, user_abi


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, bulkhead; sys.exit('web3' in sys.modules or 'eth_abi' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reading_names_without_web3() -> None:
    code = (
        "import sys, bulkhead; bulkhead.Reader, bulkhead.Trader, bulkhead.Keeper, bulkhead.deploy;"
        "sys.exit('web3' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there() -> None:
    for name in bulkhead.__all__:
        assert getattr(bulkhead, name) is not None
    assert set(bulkhead.__all__) <= set(dir(bulkhead))


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="bulkhead has no Nothing"):
        _ = bulkhead.Nothing


def test_users_see_the_events_of_the_logic_contracts() -> None:
    interface = interface_of("Clearinghouse")
    for logic in LOGIC_CONTRACTS:
        for entry in load_artifact(logic).abi:
            if entry["type"] == "event":
                assert interface.topic_of(entry["name"])


def test_no_event_is_declared_twice() -> None:
    names = [entry["name"] for entry in user_abi("Clearinghouse") if entry["type"] == "event"]
    assert len(names) == len(set(names))
