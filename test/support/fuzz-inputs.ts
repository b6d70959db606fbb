import { COMMANDS } from '@leque/protocol';
import fc from 'fast-check';

/** The environment variable FUZZ_SEED repeats a failed run. */
export const SEED = Number(process.env['FUZZ_SEED'] || Math.floor(Math.random() * 2 ** 31));

const ids = ['PROJ-001', '', 'a/b', '..', '__proto__', 'x'.repeat(200), 'é', 'all', 'project:P'];
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...ids, null, true, -0, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]]),
  fc.jsonValue({ maxDepth: 3 }),
);

const actions = [...Object.keys(COMMANDS), 'fly', 'toString'];
const command = fc.record(
  {
    action: fc.oneof(fc.constantFrom<unknown>(...actions), values),
    type: values,
    project_id: values,
    since: values,
    cursors: fc.oneof(
      fc.dictionary(fc.constantFrom('all', 'user:u', 'project:P', 'x'), values),
      values,
    ),
    token: values,
    id: values,
  },
  { requiredKeys: [] },
);

const types = ['story_created', 'log_message', 'task.failed', 'connection', 'x', 'notification'];
const event = fc.record(
  {
    type: fc.oneof(fc.constantFrom<unknown>(...types), values),
    event_type: values,
    data: fc.oneof(
      fc.record(
        { story_id: values, title: values, project_id: values, level: values, taskId: values },
        { requiredKeys: [] },
      ),
      values,
    ),
    project_id: values,
    user_id: values,
    story_id: values,
    channel: fc.oneof(fc.constantFrom<unknown>('all', 'logs', 'firehose', 'user:u'), values),
    message_id: values,
    timestamp: values,
    idempotency_key: values,
  },
  { requiredKeys: [] },
);

/** The text with a piece cut out, doubled, or replaced by something else. */
function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat({ max: 12 }),
    piece: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('"', '}', '\\', '\u0000', '[', ','),
    ),
    kind: fc.constantFrom('cut', 'double', 'replace'),
  });
  return fc.tuple(text, change).map(([whole, { at, length, piece, kind }]) => {
    const start = Math.floor(at * whole.length);
    const hit = whole.slice(start, start + length);
    const put = { cut: '', double: hit + hit, replace: piece }[kind] ?? '';
    return whole.slice(0, start) + put + whole.slice(start + length);
  });
}

function asText(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return value.map((each) => JSON.stringify(each));
}

function around(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: valid },
    { weight: 4, arbitrary: mutated(valid) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    { weight: 1, arbitrary: fc.json() },
  );
}

const names = ['ping', 'subscribe.tasks', 'unsubscribe.tasks', 'subscribe.project', 'auth'];
const ioNames = [...names, 'disconnect', 'connect', 'error', 'unsubscribe.project', '__proto__'];
const packet = fc
  .tuple(
    fc.constantFrom('0', '1', '2', '20', '3', '4', '5', '51-', '6', '61-', '9', ''),
    fc.constantFrom('/events,', '/', '', '/other,', '/events'),
    fc.oneof(fc.constant(''), fc.nat({ max: 99 }).map(String)),
    asText(
      fc.tuple(fc.oneof(fc.constantFrom<unknown>(...ioNames), values), fc.oneof(command, values)),
    ),
  )
  .map((parts) => parts.join(''));
/** Each begins with an Engine.IO packet type: open, close, ping, pong, message, upgrade or noop. */
const enginePacket = fc
  .tuple(fc.constantFrom('4', '4', '4', '4', '0', '2', '3', '5', '6', '1', 'b', ''), packet)
  .map((parts) => parts.join(''));

const header = fc
  .tuple(
    fc.constantFrom('1', '2', ''),
    fc.constantFrom('-', 'epoch', 'e'.repeat(64)),
    fc.oneof(fc.nat().map(String), fc.constantFrom('-1', 'NaN', '9'.repeat(30))),
    fc.constantFrom('x', 'story_created', 'a b'),
    fc.constantFrom('all', 'project:P', 'user:u', 'firehose', 'nothing'),
  )
  .map((parts) => parts.join(' '));
const payload = fc.oneof(
  asText(event),
  fc.tuple(header, asText(event)).map((parts) => parts.join('\n')),
);

export const inputs = {
  commands: around(asText(command)),
  events: around(asText(fc.oneof(event, fc.array(event, { maxLength: 4 })))),
  enginePackets: around(enginePacket),
  redisPayloads: around(payload),
};

export function sample<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED });
}
