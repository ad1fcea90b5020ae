"""An Ethereum machine in this process (py-evm, Cancun rules), with one contract in it."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector

FOLDER = Path(__file__).with_name("solidity")
DEPLOYER = bytes.fromhex("aa" * 20)
GAS = 25_000_000


class RevertedError(Exception):
    """The contract refused; the text is its reason."""


class LocalContract:
    """A contract deployed to a chain of its own."""

    def __init__(self, name: str, *arguments: Any, chain_id: int = 31337) -> None:
        built = json.loads((FOLDER / f"{name}.json").read_text())
        source = (FOLDER / f"{name}.sol").read_bytes()
        assert built["sourceSha256"] == hashlib.sha256(source).hexdigest(), "compile it again: compile.js"
        self.abi = {item.get("name", item["type"]): item for item in built["abi"]}
        from eth.chains.base import (
            MiningChain,
        )  # two seconds, which workers without these tests need not spend
        from eth.consensus.noproof import NoProofConsensus
        from eth.db.atomic import AtomicDB
        from eth.vm.forks.cancun import CancunVM

        # py-evm raises the limit for the whole process when it is imported; other tests then end it with deep JSON.
        sys.setrecursionlimit(1000)
        vm = CancunVM.configure(consensus_class=NoProofConsensus)
        chain = MiningChain.configure("Local", vm_configuration=((0, vm),), chain_id=chain_id)
        genesis = {"difficulty": 0, "gas_limit": 30_000_000, "timestamp": 1_700_000_000}
        account = {"balance": 10**20, "nonce": 0, "code": b"", "storage": {}}
        self._vm = chain.from_genesis(AtomicDB(), genesis, {DEPLOYER: account}).get_vm()
        self.address = bytes.fromhex("c0de" * 10)
        code = bytes.fromhex(built["bytecode"]) + encode(_types(self.abi["constructor"]["inputs"]), arguments)
        runtime = self._run(b"", code)
        self._vm.state.set_code(self.address, runtime)

    @property
    def timestamp(self) -> int:
        """The time of the block that is being built."""
        return int(self._vm.get_header().timestamp)

    def call(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        """Call a function, what it changes included."""
        function = self.abi[name]
        data = function_abi_to_4byte_selector(function) + encode(_types(function["inputs"]), arguments)
        output = self._run(data, self._vm.state.get_code(self.address))
        return decode(_types(function["outputs"]), output)

    def _run(self, data: bytes, code: bytes) -> bytes:
        done = self._vm.execute_bytecode(
            origin=DEPLOYER,
            gas_price=10**9,
            gas=GAS,
            to=self.address,
            sender=DEPLOYER,
            value=0,
            data=data,
            code=code,
        )
        if done.is_error:
            output = bytes(done.output)
            raise RevertedError(decode(["string"], output[4:])[0] if len(output) > 4 else repr(done.error))
        return bytes(done.output)


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [collapse_if_tuple(item) for item in inputs]
