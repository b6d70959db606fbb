import type { CaseResult, Results, RunResult } from '../results/results.ts';

const DIRECT_WRITES = 'leque_socketio_direct_writes_total';
const ENGINE_WRITES = 'leque_socketio_engine_writes_total';
/** What may take Socket.IO's own path: the odd message that is no publication. */
const ENGINE_SHARE = 0.01;
const SOCKET_IO = 'Socket.IO';

/**
 * What a small run has shown to be wrong; empty when all is well. Nothing about time: the machine
 * may be busy with other things.
 */
export function smokeProblems({ workloads }: Results): string[] {
  return workloads.flatMap(({ id, cases }) =>
    cases.flatMap((each) => {
      const name = `${id} ${each.setup} ${each.step}`.trim();
      return problemsOf(each).map((problem) => `${name}: ${problem}`);
    }),
  );
}

function problemsOf({ verdict, reason, runs, setup }: CaseResult): string[] {
  if (verdict === 'failed' || verdict === 'unavailable') return [reason];
  return runs.flatMap((run) => [
    ...deliveryProblems(run),
    ...(setup === SOCKET_IO ? pathProblems(run) : []),
  ]);
}

/** The verdict has seen to what is lost or refused, but not to a run in which nothing happens. */
function deliveryProblems({ counts }: RunResult): string[] {
  const done = counts['delivered'] ?? counts['inRedis'] ?? 0;
  return done > 0 ? [] : ['nothing was published'];
}

function pathProblems({ counts }: RunResult): string[] {
  const direct = counts[DIRECT_WRITES];
  const engine = counts[ENGINE_WRITES];
  if (direct === undefined || engine === undefined) {
    return [`the gateway has no metrics ${DIRECT_WRITES} and ${ENGINE_WRITES}`];
  }
  if (direct === 0) return ['no publication went straight to the socket'];
  if (engine <= direct * ENGINE_SHARE) return [];
  return [`${engine} writes took Socket.IO's own path, and only ${direct} the direct one`];
}
