// Makes MintVerifier.json from MintVerifier.sol: npm install solc@0.8.37 && node compile.js
const fs = require("fs");
const path = require("path");
const crypto = require("crypto");
const solc = require("solc");

const source = fs.readFileSync(path.join(__dirname, "MintVerifier.sol"), "utf8");
const settings = { optimizer: { enabled: true, runs: 200 }, evmVersion: "cancun", outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } };
const input = { language: "Solidity", sources: { "MintVerifier.sol": { content: source } }, settings };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors || []) console.error(problem.formattedMessage);
const made = output.contracts["MintVerifier.sol"].MintVerifier;
const sha256 = crypto.createHash("sha256").update(source).digest("hex");
const file = { compiler: solc.version(), sourceSha256: sha256, abi: made.abi, bytecode: made.evm.bytecode.object };
fs.writeFileSync(path.join(__dirname, "MintVerifier.json"), JSON.stringify(file, null, 1) + "\n");
