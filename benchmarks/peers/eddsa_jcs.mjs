// eddsa-jcs-2022 by Digital Bazaar, as a peer: `bench`, `issue` (prints a credential) or `verify` (reads one).
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as DidKey from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {contexts as vcContexts} from '@digitalbazaar/credentials-context';
import diContext from '@digitalbazaar/data-integrity-context';
import {readFileSync} from 'node:fs';

const didKey = DidKey.driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});

const own = {'urn:weid:context:1': {'@context': {'@vocab': 'urn:weid:terms#'}}};
async function documentLoader(url) {
  if (own[url]) return {contextUrl: null, documentUrl: url, document: own[url]};
  if (vcContexts.has(url)) return {contextUrl: null, documentUrl: url, document: vcContexts.get(url)};
  if (diContext.contexts.has(url)) return {contextUrl: null, documentUrl: url, document: diContext.contexts.get(url)};
  if (url.startsWith('did:key:')) {
    const document = await didKey.get({url});
    return {contextUrl: null, documentUrl: url, document};
  }
  throw new Error(`not fetched: ${url}`);
}

const seed = new Uint8Array(32).fill(7);
const keyPair = await Ed25519Multikey.generate({seed});
const {didDocument, methodFor} = await didKey.fromKeyPair({verificationKeyPair: keyPair});
const method = methodFor({purpose: 'assertionMethod'});
keyPair.id = method.id;
keyPair.controller = didDocument.id;

const {createSignCryptosuite, createVerifyCryptosuite, cryptosuite} = jcs;
const signSuite = () => new DataIntegrityProof({
  signer: keyPair.signer(), cryptosuite: createSignCryptosuite ? createSignCryptosuite() : cryptosuite});
const verifySuite = () => new DataIntegrityProof({
  cryptosuite: createVerifyCryptosuite ? createVerifyCryptosuite() : cryptosuite});

function credential() {
  const claims = JSON.parse(readFileSync(process.env.WEID_CLAIMS, 'utf8'));
  return {
    '@context': ['https://www.w3.org/ns/credentials/v2', 'urn:weid:context:1'],
    type: ['VerifiableCredential'],
    issuer: didDocument.id,
    validFrom: '2026-01-01T00:00:00Z',
    credentialSubject: claims,
  };
}

const issue = () => vc.issue({credential: credential(), suite: signSuite(), documentLoader});
const verify = credential => vc.verifyCredential({
  credential, suite: verifySuite(), documentLoader, checkStatus: async () => ({verified: true})});

async function perSecond(work, seconds = 2) {
  for (let i = 0; i < 50; i++) await work();
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const start = performance.now();
    while (performance.now() - start < seconds * 1000 / 3) { await work(); count++; }
    rounds.push(count / ((performance.now() - start) / 1000));
  }
  return rounds.sort((a, b) => a - b)[1];
}

const mode = process.argv[2];
if (mode === 'issue') {
  console.log(JSON.stringify(await issue()));
} else if (mode === 'verify') {
  const result = await verify(JSON.parse(readFileSync(0, 'utf8')));
  console.log(JSON.stringify({verified: result.verified, error: result.error && String(result.error.errors ?? result.error)}));
  process.exit(result.verified ? 0 : 1);
} else {
  const signed = await issue();
  if (!(await verify(structuredClone(signed))).verified) throw new Error('the peer does not verify its own');
  const issued = await perSecond(issue);
  const verified = await perSecond(() => verify(structuredClone(signed)));
  console.log(JSON.stringify({peer: '@digitalbazaar/vc 7.3.0', issue: issued, verify: verified}));
}
