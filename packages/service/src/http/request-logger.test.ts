import { Writable } from 'node:stream';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { RequestLogger, type ServerLogger } from './request-logger.ts';

/** A logger of a request, the children that it made, and the lines that it has written. */
function startLogger(level: string) {
  const lines: Record<string, unknown>[] = [];
  const children: object[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const app = fastify({ logger: { level, stream } });
  const server = Object.create(app.log, {
    child: {
      value(bindings: object) {
        children.push(bindings);
        return app.log.child(bindings);
      },
    },
  }) as ServerLogger;
  return { server, log: new RequestLogger(server, { reqId: 'r1' }), lines, children };
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

test.each(LEVELS)('a line of level %s carries the id of its request', (level) => {
  const { log, lines } = startLogger('trace');
  log[level]({ n: 1 }, 'text');
  expect(lines).toMatchObject([{ reqId: 'r1', n: 1, msg: 'text' }]);
});

test('lines of one request share a child logger, and suppressed lines make none', () => {
  const { log, lines, children } = startLogger('warn');
  log.debug('not written');
  log.silent();
  expect(children).toEqual([]);
  log.warn('one');
  log.error('two');
  expect(children).toEqual([{ reqId: 'r1' }]);
  expect(lines.map(({ msg }) => msg)).toEqual(['one', 'two']);
});

test('a change of the level counts for requests under way', () => {
  const { server, log, lines } = startLogger('warn');
  log.debug('not yet');
  Object.getPrototypeOf(server).level = 'debug';
  log.debug('now');
  expect(lines.map(({ msg }) => msg)).toEqual(['now']);
  expect(log.level).toBe('debug');
});

test('a child carries the id of the request, too', () => {
  const { log, lines } = startLogger('info');
  log.child({ part: 'a' }).info('text');
  expect(lines).toMatchObject([{ reqId: 'r1', part: 'a', msg: 'text' }]);
});
