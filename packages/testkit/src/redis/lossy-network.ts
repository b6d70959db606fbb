import { execFile, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;
/** Networks of four addresses in 198.18.0.0/15, which is reserved for tests of networks. */
const NETWORKS = 2 ** 15;
const TOOLS = ['unshare', 'nsenter', 'ip', 'iptables'];

/** Why this process cannot make network namespaces; undefined when it can. */
export function lossyNetworkMissing(): string | undefined {
  const absent = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (absent.length > 0) return `${absent.join(', ')} is not installed`;
  const trial =
    'ip link add leque type veth && iptables -A INPUT -m statistic --mode random --probability 0.5';
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', trial], { timeout: TIMEOUT_MS });
  if (status === 0) return undefined;
  return 'this process may not make network namespaces; it needs CAP_SYS_ADMIN and CAP_NET_ADMIN';
}

/**
 * A network namespace for one process, joined to this one by a pair of virtual interfaces. Its rules
 * drop packets in both directions. Everything of it is gone when the process has ended.
 */
export class LossyNetwork {
  /** The address of the process. */
  readonly address: string;
  /** Starts the process in the namespace when put before its command. */
  readonly command = ['unshare', '--net', '--'] as const;
  readonly #gateway: string;
  readonly #names: readonly [outside: string, inside: string];
  #pid = 0;

  constructor() {
    const network = randomInt(NETWORKS);
    const at = (host: number) => {
      const number = network * 4 + host;
      return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    };
    this.#gateway = at(1);
    this.address = at(2);
    this.#names = [`leque${network}a`, `leque${network}b`];
  }

  /** Joins the namespace of the running process to this one. */
  async join(pid: number): Promise<void> {
    this.#pid = pid;
    const [outside, inside] = this.#names;
    const pair = ['type', 'veth', 'peer', 'name', inside, 'netns', String(pid)];
    await outer('ip', 'link', 'add', outside, ...pair);
    await outer('ip', 'address', 'add', `${this.#gateway}/30`, 'dev', outside);
    await outer('ip', 'link', 'set', outside, 'up');
    await this.#inner('ip', 'address', 'add', `${this.address}/30`, 'dev', inside);
    await this.#inner('ip', 'link', 'set', inside, 'up');
  }

  /** Loses this share of the packets in each direction from now on, from 0 to 1. */
  async lose(share: number): Promise<void> {
    for (const chain of ['INPUT', 'OUTPUT']) {
      await this.#inner('iptables', '--flush', chain);
      if (share > 0) await this.#inner('iptables', '-A', chain, ...dropping(share));
    }
  }

  async #inner(...command: string[]): Promise<void> {
    await outer('nsenter', '--target', String(this.#pid), '--net', ...command);
  }
}

function dropping(share: number): string[] {
  const random = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)];
  return [...(share < 1 ? random : []), '-j', 'DROP'];
}

async function outer(program: string, ...args: string[]): Promise<void> {
  await run(program, args, { timeout: TIMEOUT_MS });
}
