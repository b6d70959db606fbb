/**
 * Pins foreign images to the digests that this machine has pulled.
 *   node scripts/pin-images.mjs >>.env         writes a line for each image, for docker compose and --build-arg
 *   node scripts/pin-images.mjs --check .env   fails when an image has no digest in that file
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const PINNED = /@sha256:[0-9a-f]{64}$/;
const INSPECT_TIMEOUT_MS = 10_000;

const [option, file] = process.argv.slice(2);
if (option === undefined) print(foreignImages());
else if (option === '--check' && file !== undefined) check(foreignImages(), file);
else stop('usage: pin-images.mjs [--check FILE]');

/** Variables of docker-compose.yml that name images, with their defaults. */
function foreignImages() {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  const found = [...compose.matchAll(/\$\{(\w+_IMAGE):-([^}]+)\}/g)];
  return found.map(([, variable, image]) => ({ variable, image }));
}

function print(images) {
  const lines = images.map(({ variable, image }) => `${variable}=${image}@${digestOf(image)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Digest under which a registry gave the image to this machine. */
function digestOf(image) {
  const args = ['image', 'inspect', '--format', '{{join .RepoDigests " "}}', image];
  const { status, stdout } = spawnSync('docker', args, { timeout: INSPECT_TIMEOUT_MS });
  if (status !== 0) stop(`There is no image ${image} here: docker pull ${image}`);
  const [, digest] = /@(sha256:[0-9a-f]{64})/.exec(String(stdout)) ?? [];
  return digest ?? stop(`${image} does not come from a registry, so it has no digest.`);
}

function check(images, path) {
  const pinned = readFileSync(path, 'utf8').split('\n');
  const loose = images.filter(
    ({ variable }) => !pinned.some((line) => line.startsWith(`${variable}=`) && PINNED.test(line)),
  );
  if (loose.length === 0) return;
  const names = loose.map(({ variable, image }) => `${variable} (${image})`);
  stop(`No digest in ${path}: ${names.join(', ')}`);
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
