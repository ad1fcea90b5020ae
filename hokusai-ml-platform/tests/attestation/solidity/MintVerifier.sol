// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What a contract checks of a mint request before it pays, written from EIP-712 and the message's description alone,
/// so that the Python that signs is held against something else than itself. It pays nothing.
contract MintVerifier {
    struct Contributor {
        address walletAddress;
        uint256 weight;
    }

    struct BenchmarkAnchors {
        bytes32 benchmarkSpecHash;
        bytes32 datasetHash;
        bytes32 attestationHash;
        bytes32 idempotencyKey;
        string metricName;
        string metricFamily;
    }

    struct MintRequestPayload {
        string pipelineRunId;
        uint256 baselineScoreBps;
        uint256 candidateScoreBps;
        uint256 maxCostUsdMicro;
        uint256 actualCostUsdMicro;
        uint256 totalSamples;
        BenchmarkAnchors anchors;
        bytes32 baselineCommitment;
        bytes32 candidateCommitment;
        uint256 deadline;
    }

    string private constant CONTRIBUTOR = "Contributor(address walletAddress,uint256 weight)";
    string private constant ANCHORS =
        "BenchmarkAnchors(bytes32 benchmarkSpecHash,bytes32 datasetHash,bytes32 attestationHash,bytes32 idempotencyKey,string metricName,string metricFamily)";
    string private constant PAYLOAD =
        "MintRequestPayload(string pipelineRunId,uint256 baselineScoreBps,uint256 candidateScoreBps,uint256 maxCostUsdMicro,uint256 actualCostUsdMicro,uint256 totalSamples,BenchmarkAnchors anchors,bytes32 baselineCommitment,bytes32 candidateCommitment,uint256 deadline)";

    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    mapping(address => bool) public attests;
    mapping(bytes32 => bool) public used;
    uint256 public immutable threshold;

    constructor(address[] memory attesters, uint256 needed) {
        require(needed > 0, "closed");
        for (uint256 i = 0; i < attesters.length; i++) attests[attesters[i]] = true;
        threshold = needed;
    }

    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("HokusaiDeltaVerifier"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    function digest(uint256 modelId, MintRequestPayload memory payload, Contributor[] memory contributors)
        public
        view
        returns (bytes32)
    {
        bytes32 kind = keccak256(
            abi.encodePacked(
                "MintRequest(uint256 modelId,MintRequestPayload payload,Contributor[] contributors)",
                ANCHORS,
                CONTRIBUTOR,
                PAYLOAD
            )
        );
        bytes32 request = keccak256(abi.encode(kind, modelId, _payload(payload), _contributors(contributors)));
        return keccak256(abi.encodePacked(bytes2(0x1901), domainSeparator(), request));
    }

    /// Accepts a request once, and gives the gain in basis points.
    function submit(
        uint256 modelId,
        MintRequestPayload memory payload,
        Contributor[] memory contributors,
        bytes[] memory signatures
    ) external returns (uint256) {
        require(!used[payload.anchors.idempotencyKey], "replayed");
        require(payload.baselineScoreBps <= 10000 && payload.candidateScoreBps <= 10000, "score");
        require(block.timestamp <= payload.deadline, "expired");
        _checkSigners(digest(modelId, payload, contributors), signatures);
        uint256 total = 0;
        for (uint256 i = 0; i < contributors.length; i++) {
            require(contributors[i].walletAddress != address(0), "nobody");
            total += contributors[i].weight;
        }
        require(total == 10000, "weights");
        used[payload.anchors.idempotencyKey] = true;
        return payload.candidateScoreBps > payload.baselineScoreBps
            ? payload.candidateScoreBps - payload.baselineScoreBps
            : 0;
    }

    function _checkSigners(bytes32 signed, bytes[] memory signatures) private view {
        require(signatures.length >= threshold, "too few");
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            address signer = _recover(signed, signatures[i]);
            require(signer > last, "order");
            require(attests[signer], "stranger");
            last = signer;
        }
    }

    function _recover(bytes32 signed, bytes memory signature) private pure returns (address) {
        require(signature.length == 65, "length");
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        require(uint256(s) <= HALF_ORDER, "high s");
        address signer = ecrecover(signed, v, r, s);
        require(signer != address(0), "nobody's");
        return signer;
    }

    function _contributors(Contributor[] memory contributors) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](contributors.length);
        for (uint256 i = 0; i < contributors.length; i++) {
            hashes[i] = keccak256(
                abi.encode(keccak256(bytes(CONTRIBUTOR)), contributors[i].walletAddress, contributors[i].weight)
            );
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _anchors(BenchmarkAnchors memory anchors) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(bytes(ANCHORS)),
                anchors.benchmarkSpecHash,
                anchors.datasetHash,
                anchors.attestationHash,
                anchors.idempotencyKey,
                keccak256(bytes(anchors.metricName)),
                keccak256(bytes(anchors.metricFamily))
            )
        );
    }

    function _payload(MintRequestPayload memory payload) private pure returns (bytes32) {
        bytes memory first = abi.encode(
            keccak256(abi.encodePacked(PAYLOAD, ANCHORS)),
            keccak256(bytes(payload.pipelineRunId)),
            payload.baselineScoreBps,
            payload.candidateScoreBps,
            payload.maxCostUsdMicro,
            payload.actualCostUsdMicro
        );
        bytes memory second = abi.encode(
            payload.totalSamples,
            _anchors(payload.anchors),
            payload.baselineCommitment,
            payload.candidateCommitment,
            payload.deadline
        );
        return keccak256(bytes.concat(first, second));
    }
}
