"""Trees of RFC 6962, against the vectors of Certificate Transparency and against the definition in the RFC."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.attestation.merkle import (
    EMPTY_ROOT,
    InclusionProof,
    RootBuilder,
    leaf_hash,
    merkle_root,
    prove_inclusion,
)
from hokusai.errors import IntegrityError, InvalidInputError

# The test data of Certificate Transparency (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc).
CT_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CT_LEAVES = [leaf_hash(entry) for entry in CT_ENTRIES]


def tree_hash_of_the_rfc(entries: list[bytes]) -> bytes:
    """MTH as section 2.1 defines it, word by word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    left, right = tree_hash_of_the_rfc(entries[:k]), tree_hash_of_the_rfc(entries[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def path_of_the_rfc(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH as section 2.1.1 defines it."""
    if len(entries) == 1:
        return []
    k = 1
    while 2 * k < len(entries):
        k *= 2
    if m < k:
        return [*path_of_the_rfc(m, entries[:k]), tree_hash_of_the_rfc(entries[k:])]
    return [*path_of_the_rfc(m - k, entries[k:]), tree_hash_of_the_rfc(entries[:k])]


class TestRoot:
    @pytest.mark.parametrize("size", range(1, 9))
    def test_is_that_of_certificate_transparency(self, size):
        assert merkle_root(CT_LEAVES[:size]).hex() == CT_ROOTS[size - 1]

    def test_of_nothing_is_the_hash_of_nothing(self):
        assert merkle_root(b"") == EMPTY_ROOT
        assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @given(st.lists(st.binary(max_size=3), max_size=70))
    @settings(max_examples=40)
    def test_is_what_the_rfc_defines(self, entries):
        assert merkle_root(map(leaf_hash, entries)) == tree_hash_of_the_rfc(entries)

    @given(st.integers(0, 90), st.lists(st.integers(1, 40), max_size=8))
    @settings(max_examples=40)
    def test_does_not_depend_on_how_the_leaves_are_cut(self, size, cuts):
        leaves = b"".join(leaf_hash(bytes([i])) for i in range(size))
        builder, start = RootBuilder(), 0
        for n_leaves in [*cuts, size]:
            builder.add(leaves[start * 32 : (start + n_leaves) * 32])
            start += n_leaves
        assert (builder.root(), len(builder)) == (merkle_root(leaves), size)

    def test_can_be_taken_in_between(self):
        builder = RootBuilder()
        roots = []
        for leaf in CT_LEAVES:
            builder.add(leaf)
            roots.append(builder.root().hex())
        assert roots == CT_ROOTS

    def test_a_copy_goes_its_own_way(self):
        builder = RootBuilder()
        builder.add(b"".join(CT_LEAVES[:3]))
        twin = builder.copy()
        twin.add(CT_LEAVES[3])
        assert (builder.root().hex(), twin.root().hex()) == (CT_ROOTS[2], CT_ROOTS[3])
        assert (len(builder), len(twin)) == (3, 4)

    def test_half_a_hash_is_refused(self):
        with pytest.raises(InvalidInputError, match="33 bytes are not whole hashes"):
            merkle_root(bytes(33))


class TestInclusion:
    @pytest.mark.parametrize(("place", "path"), CT_PATHS.items())
    def test_path_is_that_of_certificate_transparency(self, place, path):
        index, size = place
        proof = prove_inclusion(b"".join(CT_LEAVES[:size]), index)
        assert [step.hex() for step in proof.path] == path
        proof.verify(CT_LEAVES[index], bytes.fromhex(CT_ROOTS[size - 1]))

    @pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 13, 33])
    def test_path_of_every_leaf_is_that_of_the_rfc_and_leads_to_the_root(self, size):
        entries = [bytes([i]) for i in range(size)]
        leaves = [leaf_hash(entry) for entry in entries]
        for index in range(size):
            proof = prove_inclusion(b"".join(leaves), index)
            assert list(proof.path) == path_of_the_rfc(index, entries)
            proof.verify(leaves[index], tree_hash_of_the_rfc(entries))

    def test_is_refused_for_another_leaf_or_place(self):
        root = bytes.fromhex(CT_ROOTS[7])
        proof = prove_inclusion(b"".join(CT_LEAVES), 5)
        with pytest.raises(IntegrityError, match="does not lead"):
            proof.verify(CT_LEAVES[4], root)
        with pytest.raises(IntegrityError, match="does not lead"):
            InclusionProof(4, 8, proof.path).verify(CT_LEAVES[5], root)
        with pytest.raises(IntegrityError, match="does not lead"):
            proof.verify(CT_LEAVES[5], bytes.fromhex(CT_ROOTS[6]))

    def test_every_flipped_bit_is_refused(self):
        root = bytes.fromhex(CT_ROOTS[6])
        proof = prove_inclusion(b"".join(CT_LEAVES[:7]), 6)
        assert len(proof.path) == 2
        for step in range(2):
            for bit in range(256):
                broken = list(proof.path)
                broken[step] = (int.from_bytes(broken[step]) ^ (1 << bit)).to_bytes(32)
                with pytest.raises(IntegrityError):
                    InclusionProof(6, 7, tuple(broken)).verify(CT_LEAVES[6], root)

    def test_an_inner_node_does_not_pass_for_an_entry(self):
        inner = CT_LEAVES[0] + CT_LEAVES[1]
        assert leaf_hash(inner) != merkle_root(CT_LEAVES[:2])

    def test_there_is_none_for_a_leaf_that_is_not_there(self):
        for index in (-1, 3):
            with pytest.raises(InvalidInputError, match="no leaf"):
                prove_inclusion(b"".join(CT_LEAVES[:3]), index)


class TestReading:
    def test_gives_the_proof_back(self):
        proof = prove_inclusion(b"".join(CT_LEAVES), 3)
        assert InclusionProof.from_dict(proof.to_dict()) == proof

    @pytest.mark.parametrize(
        "change",
        [
            {"index": 8},
            {"index": -1},
            {"index": True},
            {"index": 3.0},
            {"index": "3"},
            {"size": 2**53},
            {"size": 16},
            {"path": "ab"},
            {"path": []},
            {"path": ["00" * 32] * 65},
            {"path": ["00" * 32, "00" * 32, "00" * 31]},
            {"path": ["00" * 32, "00" * 32, "AA" * 32]},
            {"path": ["00" * 32, "00" * 32, "0g" * 32]},
            {"path": ["00" * 32, "00" * 32, None]},
            {"note": "unknown field"},
        ],
    )
    def test_refuses_anything_else(self, change):
        with pytest.raises(IntegrityError):
            InclusionProof.from_dict(prove_inclusion(b"".join(CT_LEAVES), 3).to_dict() | change)

    @pytest.mark.parametrize("data", [None, [], "proof", {}, {"index": 0, "size": 1}])
    def test_refuses_what_lacks_a_field(self, data):
        with pytest.raises(IntegrityError):
            InclusionProof.from_dict(data)
