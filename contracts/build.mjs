// Compiles WeidLog.sol and prints the artefact that stands in registry/engines/WeidLog.json.
//   cd benchmarks/engines && npm install && NODE_PATH=$PWD/node_modules node ../../contracts/build.mjs
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const solc = createRequire(process.cwd() + '/')('solc')
const source = readFileSync(new URL('WeidLog.sol', import.meta.url), 'utf8')
const settings = {
  // London has no PUSH0: the code runs on every chain this adapter is for.
  evmVersion: 'london',
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } }
}
const input = { language: 'Solidity', sources: { 'WeidLog.sol': { content: source } }, settings }
const output = JSON.parse(solc.compile(JSON.stringify(input)))
const wrong = (output.errors ?? []).map(error => error.formattedMessage)
if (wrong.length > 0) throw new Error(wrong.join('\n'))
const made = output.contracts['WeidLog.sol'].WeidLog
const compiler = solc.version().split('.Emscripten')[0]
console.log(JSON.stringify({ compiler, evmVersion: 'london', abi: made.abi, bytecode: made.evm.bytecode.object }, null, 1))
