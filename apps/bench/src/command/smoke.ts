import type { CaseResult, Results, RunResult } from '../results/results.ts';

const DIRECT_WRITES = 'leque_socketio_direct_writes_total';
const ENGINE_WRITES = 'leque_socketio_engine_writes_total';
/** The share of writes that may use Socket.IO's own path, for messages that are not publications. */
const ENGINE_SHARE = 0.01;
const SOCKET_IO = 'Socket.IO';

/**
 * The problems of a smoke run; empty when there are none. Speed is not checked, because the machine
 * may be busy.
 */
export function smokeProblems({ workloads }: Results): string[] {
  return workloads.flatMap(({ id, cases }) =>
    cases.flatMap((each) => {
      const name = `${id} ${each.setup} ${each.step}`.trim();
      return problemsOf(each).map((problem) => `${name}: ${problem}`);
    }),
  );
}

function problemsOf({ target, verdict, reason, runs, setup }: CaseResult): string[] {
  if (verdict === 'failed' || verdict === 'unavailable') return [reason];
  return runs.flatMap((run) => [
    ...deliveryProblems(run),
    ...(target === 'leque' && setup === SOCKET_IO ? pathProblems(run) : []),
  ]);
}

/** The verdict covers lost and refused publications, but not a run without any. */
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
