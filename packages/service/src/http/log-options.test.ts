import { Writable } from 'node:stream';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { LOG_OPTIONS } from './log-options.ts';

/** A server's logger, and the lines that it has written. */
function startLogger() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const { log } = fastify({ logger: { level: 'trace', stream, ...LOG_OPTIONS } });
  return { log, lines };
}

const refused = Object.assign(new Error('redis://u:S3cr3t@h refuses'), {
  command: { name: 'auth', args: ['u', 'S3cr3t'] },
});
const request = { method: 'GET', url: '/ws/notifications?token=S3cr3t', headers: {} };

test.each<[what: string, write: (log: ReturnType<typeof startLogger>['log']) => void]>([
  ['an error alone', (log) => log.error(refused)],
  ['an error with a message', (log) => log.error(refused, 'failed')],
  ['an error in a field', (log) => log.error({ err: refused }, refused.message)],
  ['an error of a child', (log) => log.child({ context: 'x' }).warn({ err: refused })],
  ['an error in another field', (log) => log.warn({ error: refused })],
  ['a request', (log) => log.info({ req: request }, 'incoming request')],
  ['a text', (log) => log.warn('no reply at "/ws?token=S3cr3t" \u202e\u009b')],
  ['a text with a value', (log) => log.warn('no reply: %s', refused)],
])('a line of %s shows no secret and no mark of the terminal', (_, write) => {
  const { log, lines } = startLogger();
  write(log);
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain('S3cr3t');
  expect(JSON.stringify(lines)).not.toMatch(/[\u202e\u009b]/);
});

test('an error that is logged alone keeps its message, type and stack', () => {
  const { log, lines } = startLogger();
  log.error(new RangeError('too far'));
  expect(lines).toMatchObject([
    {
      msg: 'too far',
      err: { type: 'RangeError', message: 'too far', stack: expect.stringMatching('log-options') },
    },
  ]);
});
