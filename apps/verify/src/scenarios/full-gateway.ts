import { RawClient, wsUrl } from '@leque/lab';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';
import type { SystemNode } from '../target/system.ts';

/** Room for all clients on two of three gateways. */
export const FULL_SETTINGS = { WEBSOCKET_MAX_CONNECTIONS: '70' };
/** A gateway needs about 80 of them for itself and its reserve. */
export const FEW_OPEN_FILES = 170;

const CROWD = 200;
const WELCOME_MS = 1000;
const DOWN_MS = 4000;
const RECOVERY_MS = 15_000;

/**
 * A crowd takes all places of one gateway while the clients are cut. The clients get in elsewhere;
 * the crowd stays, and the gateway takes newcomers again when it leaves.
 * @param reason the reason that the full gateway gives for not being ready
 */
export function crowdGateway(reason: string): Scenario['run'] {
  return async (context: ScenarioContext) => {
    const gateway = context.random.pick(context.system.gateways);
    await context.clients.down(DOWN_MS);
    {
      await using crowd = await Crowd.in(gateway, context);
      const saysWhy = async () => (await reasonsOf(gateway)).includes(reason);
      await context.expect(`${gateway.id} is not ready: ${reason}`, saysWhy, RECOVERY_MS);
      await context.rest(DOWN_MS);
      await context.caughtUp(RECOVERY_MS);
      context.notes.push(`${crowd.size} strangers took all places of ${gateway.id}`);
      if (crowd.lost > 0) context.violations.push(`${crowd.lost} of those inside were closed`);
    }
    await context.isReady(gateway, RECOVERY_MS);
  };
}

/** Raw clients of a user that receives nothing, as many as get in. */
class Crowd implements AsyncDisposable {
  readonly #clients: readonly RawClient[];
  lost = 0;

  private constructor(clients: readonly RawClient[]) {
    this.#clients = clients;
    for (const { closed } of clients) {
      void closed.then(() => {
        this.lost += 1;
      });
    }
  }

  static async in(gateway: SystemNode, context: ScenarioContext): Promise<Crowd> {
    const token = await context.target.token(`verify-${context.plan.run}-crowd`, []);
    const url = wsUrl(gateway.server.url, '/ws/notifications');
    const inside: RawClient[] = [];
    for (let n = 0; n < CROWD; n += 1) {
      const client = await enter(url, token);
      if (client === undefined) break;
      inside.push(client);
    }
    return new Crowd(inside);
  }

  get size(): number {
    return this.#clients.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}

/** @returns undefined when the client is refused, or closed before it was welcomed */
async function enter(url: string, token: string): Promise<RawClient | undefined> {
  try {
    const client = await RawClient.open(url, { token });
    const closed = client.closed.then(() => undefined);
    const welcome = client.first('connection', WELCOME_MS).catch(() => undefined);
    return (await Promise.race([closed, welcome])) === undefined ? undefined : client;
  } catch {
    return undefined;
  }
}

async function reasonsOf({ server }: SystemNode): Promise<readonly string[]> {
  try {
    const response = await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(1000) });
    const { reasons = [] } = (await response.json()) as { readonly reasons?: string[] };
    return reasons;
  } catch {
    return [];
  }
}
