// The rooms of every part, and which way imports may go between them. Each list is read from the top
// of the page down: a room may import the rooms below it, never one above. Files directly in `src/`
// stand above all rooms, unless the list names them by their file name. A list in the list is a row
// of rooms that do not know each other.
type Row = string | readonly string[];

export const ROOMS: Readonly<Record<string, readonly Row[]>> = {
  'packages/protocol': ['api', 'events', 'wire'],
  'packages/core': [
    'clients',
    ['admission', 'fan-out'],
    'recovery',
    ['writing', 'journal', 'input'],
    'ports',
    ['access', 'publication'],
    'lib',
  ],
  'packages/service': [['http', 'descriptors'], 'answers'],
  'packages/auth-jwt': [['tokens', 'grants'], 'verifying', 'keys'],
  'packages/broker-redis': [
    ['broker', 'state', 'control', 'redis-cluster'],
    'link',
    'inspection',
    'functions',
    'connection',
    'lib',
  ],
  'packages/transport-ws': ['session', 'wire'],
  'packages/transport-socketio': [
    'connecting',
    'session',
    'context.ts',
    ['recovery', 'internals'],
    'wire',
  ],
  'packages/testkit': [['processes', 'proxy', 'contracts'], ['redis', 'fakes', 'wire'], 'lib'],
  'packages/lab': ['processes', ['probes', 'clients']],
  'apps/publisher': ['routes', ['publishing', 'http'], 'delivery-report'],
  'apps/leque': ['commands', ['check', 'cluster'], 'dev', 'api'],
  'apps/bench': [
    'command',
    ['report', 'measuring', 'peers'],
    ['targets', 'load'],
    'results',
    'workloads',
    'native',
  ],
  'apps/verify': [
    'command',
    'scenarios',
    'run',
    ['target', 'clients', 'publishing', 'flooding'],
    ['audit', 'worker'],
  ],
};

/** The rooms of a part as rows, the top one first. */
export function rowsOf(part: string): readonly (readonly string[])[] {
  return (ROOMS[part] ?? []).map((row) => (typeof row === 'string' ? [row] : row));
}

export interface Door {
  /** A folder in `src/`. */
  readonly room: string;
  /** Rooms above it and beside it, which it must not import. */
  readonly closed: readonly string[];
  /** Files directly in `src/` that it may import. */
  readonly openFiles: readonly string[];
}

/** Every folder with the rooms that it must not import: those above it and beside it. */
export function closedDoors(part: string): readonly Door[] {
  const rows = rowsOf(part);
  return rows.flatMap((row, index) =>
    row
      .filter((room) => !room.endsWith('.ts'))
      .map((room) => ({
        room,
        closed: [...rows.slice(0, index).flat(), ...row.filter((other) => other !== room)],
        openFiles: rows
          .slice(index + 1)
          .flat()
          .filter((other) => other.endsWith('.ts')),
      })),
  );
}
