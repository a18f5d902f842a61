// ecdsa-sd-2023 and bbs-2023 by Digital Bazaar, as peers: `bench`, or `verify` (reads a derived credential).
import * as vc from '@digitalbazaar/vc';
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as bbs from '@digitalbazaar/bbs-2023-cryptosuite';
import * as ecdsaSd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {contexts as vcContexts} from '@digitalbazaar/credentials-context';
import diContext from '@digitalbazaar/data-integrity-context';
import {readFileSync} from 'node:fs';

const suites = {
  'ecdsa-sd-2023': {library: ecdsaSd, generate: () => EcdsaMultikey.generate({curve: 'P-256'})},
  'bbs-2023': {
    library: bbs,
    generate: () => Bls12381Multikey.generateBbsKeyPair({algorithm: Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256}),
  },
};

const documents = new Map();
async function documentLoader(url) {
  const document = vcContexts.get(url) ?? diContext.contexts.get(url) ?? documents.get(url) ?? keyDocument(url);
  if (!document) throw new Error(`not fetched: ${url}`);
  return {contextUrl: null, documentUrl: url, document};
}

// did:key by hand: the driver of the peer knows no BBS keys
function keyDocument(url) {
  if (!url.startsWith('did:key:')) return undefined;
  const [did, fragment] = url.split('#');
  const multikey = did.slice('did:key:'.length);
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1', id: `${did}#${multikey}`, type: 'Multikey', controller: did,
    publicKeyMultibase: multikey,
  };
  return fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'], id: did,
    verificationMethod: [method], assertionMethod: [method.id],
  };
}

const mandatory = ['/issuer', '/validFrom'];
const shown = ['/credentialSubject/name', '/credentialSubject/degree'];

function credential(issuer) {
  return {
    '@context': ['https://www.w3.org/ns/credentials/v2', {'@vocab': 'urn:weid:terms#'}],
    type: ['VerifiableCredential'], issuer, validFrom: '2026-01-01T00:00:00Z',
    credentialSubject: JSON.parse(process.env.WEID_CLAIMS_JSON),
  };
}

const proofs = library => ({
  verify: () => new DataIntegrityProof({cryptosuite: library.createVerifyCryptosuite()}),
  derive: () => new DataIntegrityProof({cryptosuite: library.createDiscloseCryptosuite({selectivePointers: shown})}),
  sign: keyPair => new DataIntegrityProof({
    signer: keyPair.signer(), cryptosuite: library.createSignCryptosuite({mandatoryPointers: mandatory})}),
});

async function perSecond(work, seconds) {
  for (let i = 0; i < 3; i++) await work();
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const start = performance.now();
    while (performance.now() - start < seconds * 1000 / 3) { await work(); count++; }
    rounds.push(count / ((performance.now() - start) / 1000));
  }
  return rounds.sort((a, b) => a - b)[1];
}

async function bench(name) {
  const {library, generate} = suites[name];
  const keyPair = await generate();
  const multikey = (await keyPair.export({publicKey: true})).publicKeyMultibase;
  const did = `did:key:${multikey}`;
  keyPair.id = `${did}#${multikey}`;
  keyPair.controller = did;
  const make = proofs(library);
  const issue = () => vc.issue({credential: credential(did), suite: make.sign(keyPair), documentLoader});
  const base = await issue();
  const derive = () => vc.derive({verifiableCredential: structuredClone(base), suite: make.derive(), documentLoader});
  const derived = await derive();
  const verify = async () => {
    const result = await vc.verifyCredential({credential: structuredClone(derived), suite: make.verify(), documentLoader});
    if (!result.verified) throw new Error(String(result.error?.errors ?? result.error));
  };
  return {issue: await perSecond(issue, 3), derive: await perSecond(derive, 3), verify: await perSecond(verify, 3), derived, base};
}

if (process.argv[2] === 'verify') {
  const read = JSON.parse(readFileSync(0, 'utf8'));
  const {library} = suites[read.proof.cryptosuite];
  const result = await vc.verifyCredential({credential: read, suite: proofs(library).verify(), documentLoader});
  console.log(JSON.stringify({verified: result.verified, error: result.error && String(result.error.errors ?? result.error)}));
  process.exit(result.verified ? 0 : 1);
} else {
  const answer = {};
  for (const name of Object.keys(suites)) answer[name] = await bench(name);
  console.log(JSON.stringify(answer));
}
