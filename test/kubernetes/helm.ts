import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '@leque/lab';
import { test } from 'vitest';
import { ROOT } from './manifests.ts';

export const run = promisify(execFile);
export const CHART = `${ROOT}infra/helm/leque`;
export const helm = program('helm', [join(process.env['HOME'] ?? '', 'go/bin')]);
export const withHelm = test.skipIf(helm === undefined);
if (helm === undefined) {
  process.stderr.write(
    'No helm on the PATH: the chart is not rendered, only what is committed read.\n',
  );
}

/** The manifests of the chart with these values, each as `--set` takes it. */
export function template(...values: string[]): Promise<string> {
  return render(values, []);
}

/** @param more further arguments of `helm template` */
export async function render(values: readonly string[], more: readonly string[]): Promise<string> {
  const settings = values.flatMap((value) => ['--set', value]);
  const args = ['template', 'leque', CHART, '--kube-version', '1.34.0', ...settings, ...more];
  return (await run(String(helm), args)).stdout;
}
