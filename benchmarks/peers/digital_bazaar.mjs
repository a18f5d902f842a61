// Data Integrity by Digital Bazaar, as a peer. Usage: node digital_bazaar.mjs MODE SUITE [CURVE]
//   bench       figures of issuing and verifying      issue     prints a credential
//   verify      reads a credential                    nquads    reads {document, contexts}, prints canonical N-Quads
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as DidKey from '@digitalbazaar/did-method-key';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {contexts as vcContexts} from '@digitalbazaar/credentials-context';
import diContext from '@digitalbazaar/data-integrity-context';
import {readFileSync} from 'node:fs';

const [, , mode, name = 'eddsa-jcs-2022', curve = 'P-256'] = process.argv;
const suites = {
  'eddsa-jcs-2022': [eddsaJcs.createSignCryptosuite(), eddsaJcs.createVerifyCryptosuite()],
  'eddsa-rdfc-2022': [eddsaRdfc, eddsaRdfc],
  'ecdsa-rdfc-2019': [ecdsaRdfc, ecdsaRdfc],
};
const [signing, verifying] = suites[name];

const didKey = DidKey.driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
for (const header of ['zDna', 'z82L']) {
  didKey.use({multibaseMultikeyHeader: header, fromMultibase: EcdsaMultikey.from});
}

// Their JCS suite compares contexts by identity, so it refuses every inline one that was read from text: it gets a URL.
const own = {'urn:weid:context:1': {'@context': {'@vocab': 'urn:weid:terms#'}}};
const context = name.includes('-jcs-') ? 'urn:weid:context:1' : {'@vocab': 'urn:weid:terms#'};

async function documentLoader(url) {
  if (own[url]) return {contextUrl: null, documentUrl: url, document: own[url]};
  const known = [vcContexts, diContext.contexts].find(table => table.has(url));
  if (known) return {contextUrl: null, documentUrl: url, document: known.get(url)};
  if (url.startsWith('did:key:')) {
    return {contextUrl: null, documentUrl: url, document: await didKey.get({url})};
  }
  throw new Error(`not fetched: ${url}`);
}

async function makeSigner() {
  const keyPair = name.startsWith('ecdsa') ?
    await EcdsaMultikey.generate({curve}) : await Ed25519Multikey.generate({seed: new Uint8Array(32).fill(7)});
  const {didDocument, methodFor} = await didKey.fromKeyPair({verificationKeyPair: keyPair});
  keyPair.id = methodFor({purpose: 'assertionMethod'}).id;
  keyPair.controller = didDocument.id;
  return {did: didDocument.id, signer: keyPair.signer()};
}

async function makeIssue() {
  const {did, signer} = await makeSigner();
  const credentialSubject = JSON.parse(process.env.WEID_CLAIMS_JSON);
  return () => vc.issue({
    credential: {
      '@context': ['https://www.w3.org/ns/credentials/v2', context],
      type: ['VerifiableCredential'], issuer: did, validFrom: '2026-01-01T00:00:00Z', credentialSubject,
    },
    suite: new DataIntegrityProof({signer, cryptosuite: signing}), documentLoader,
  });
}

const verify = credential => vc.verifyCredential({
  credential, suite: new DataIntegrityProof({cryptosuite: verifying}), documentLoader,
  checkStatus: async () => ({verified: true})});

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

const modes = {
  async bench() {
    const issue = await makeIssue();
    const signed = await issue();
    if (!(await verify(structuredClone(signed))).verified) throw new Error('the peer does not verify its own');
    const issued = await perSecond(issue);
    const verified = await perSecond(() => verify(structuredClone(signed)));
    return {peer: '@digitalbazaar/vc 7.3.0', issue: issued, verify: verified};
  },
  async issue() {
    return (await makeIssue())();
  },
  async verify() {
    const {verified, error} = await verify(JSON.parse(readFileSync(0, 'utf8')));
    return {verified, error: error && String(error.errors ?? error)};
  },
  async nquads() {
    const {document, contexts} = JSON.parse(readFileSync(0, 'utf8'));
    const handed = async url => url in contexts ?
      {contextUrl: null, documentUrl: url, document: {'@context': contexts[url]}} : documentLoader(url);
    return {nquads: await eddsaRdfc.canonize(document, {documentLoader: handed})};
  },
};
console.log(JSON.stringify(await modes[mode]()));
