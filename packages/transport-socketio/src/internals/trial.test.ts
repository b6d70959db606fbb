import { Server } from 'socket.io';
import { describe, expect, test } from 'vitest';
import { engineOf } from './private-fields.ts';
import {
  findConnectionProblem,
  findDirectPathProblem,
  findRecoveryProblem,
  tryLibraries,
} from './trial.ts';
import { connectTrialClient } from './trial-client.ts';

describe('the trial of the installed libraries', () => {
  test('finds no problem', async () => {
    const io = new Server(0);
    expect(await tryLibraries(io.engine)).toEqual({
      directPath: undefined,
      connections: undefined,
      recovery: undefined,
    });
    await io.close();
  });

  test('says how a version differs that has no direct path', () => {
    const engine = { createTransport: () => ({ on: () => {}, socket: undefined }) };
    expect(findDirectPathProblem(engine as never)).toMatch(/does not keep its ws/);
    expect(findDirectPathProblem({} as never)).toMatch(/the trial failed/);
  });

  test('says how a version differs that does not keep its timers', async () => {
    await using client = await connectTrialClient();
    clearTimeout(engineOf(client.socket.conn).pingIntervalTimer ?? undefined);
    engineOf(client.socket.conn).pingIntervalTimer = null;
    expect(findConnectionProblem(client)).toMatch(/pingIntervalTimer/);
  });

  test('says how a version differs that does not send the pid', async () => {
    await using client = await connectTrialClient();
    expect(findRecoveryProblem(client)).toBeUndefined();
    expect(findRecoveryProblem({ ...client, written: () => '' })).toMatch(/does not send the pid/);
  });
});
