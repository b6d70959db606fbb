import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TIMEOUT_MS = 10_000;
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** PEM files of an authority, and of a certificate that it has signed for `name`. */
export interface Certificates extends AsyncDisposable {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The only name in the certificate. */
  readonly name: string;
}

/** Makes certificates with openssl, in a temporary folder. */
export async function makeCertificates(name: string): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'leque-certificates-'));
  const [ca = '', caKey = '', cert = '', key = ''] = [
    'ca.pem',
    'ca.key',
    'cert.pem',
    'key.pem',
  ].map((file) => join(dir, file));
  await request('-keyout', caKey, '-out', ca, '-subj', '/CN=an authority for tests');
  const signed = ['-CA', ca, '-CAkey', caKey, '-addext', `subjectAltName=DNS:${name}`];
  await request(...signed, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`);
  const remove = () => rm(dir, { recursive: true, force: true });
  return { ca, cert, key, name, [Symbol.asyncDispose]: remove };
}

async function request(...args: string[]): Promise<void> {
  const all = ['req', '-x509', ...KEY, ...args];
  await promisify(execFile)('openssl', all, { timeout: TIMEOUT_MS });
}
