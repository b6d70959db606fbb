import type { Target } from '../targets/target.ts';
import type { Setup } from '../workloads/setups.ts';
import type { Workload } from '../workloads/workloads.ts';

const NAME_WIDTH = 20;

/** Prints the workloads, and the targets with what keeps them from running here. */
export async function listChoice(
  workloads: readonly Workload[],
  targets: readonly Target[],
  print: (line: string) => void,
): Promise<void> {
  for (const { id, title, about, setups } of workloads) {
    print(`${id}  ${title}\n    ${about}`);
    for (const setup of setups) print(`    ${setup.label}: ${stepsOf(setup)}`);
  }
  print('');
  for (const target of targets) {
    const reason = await target.unavailable();
    const state = reason === undefined ? 'ready' : `not available: ${reason}`;
    print(
      `${target.name.padEnd(NAME_WIDTH)} ${target.formats.join(', ').padEnd(NAME_WIDTH)} ${state}`,
    );
  }
}

function stepsOf(setup: Setup): string {
  return setup.kind === 'idle' ? 'idle' : setup.steps.map(({ label }) => label).join(', ');
}
