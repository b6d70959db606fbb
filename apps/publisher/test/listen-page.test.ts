import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const script = readFileSync(new URL('../src/http/listen-page/listen.js', import.meta.url), 'utf8');

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** This is the part of an element that the page uses. */
class FakeElement {
  value = '';
  textContent = '';
  readonly children: FakeElement[] = [];
  readonly listeners = new Map<string, (event: object) => void>();

  addEventListener(type: string, listener: (event: object) => void): void {
    this.listeners.set(type, listener);
  }

  prepend(child: FakeElement): void {
    this.children.unshift(child);
  }

  append(child: FakeElement): void {
    this.children.push(child);
  }

  get lastChild() {
    return { remove: () => this.children.pop() };
  }
}

class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: unknown[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  receive(...messages: readonly object[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }
}

/** The script of the page, with what a browser would give it. */
class Page {
  readonly sockets: FakeSocket[] = [];
  readonly #elements = new Map<string, FakeElement>();

  constructor(hash = '') {
    const { sockets } = this;
    class WebSocket extends FakeSocket {
      constructor() {
        super();
        sockets.push(this);
      }
    }
    const document = {
      getElementById: (id: string) => this.element(id),
      createElement: () => new FakeElement(),
    };
    const location = { href: 'http://127.0.0.1:9001/docs/listen', hash };
    const timers = { setTimeout, clearTimeout };
    const globals = { document, location, WebSocket, URL, URLSearchParams, ...timers };
    runInContext(script, createContext(globals));
  }

  element(id: string): FakeElement {
    const element = this.#elements.get(id) ?? new FakeElement();
    this.#elements.set(id, element);
    return element;
  }

  get status(): string {
    return this.element('status').textContent;
  }

  /** The notes and the headlines of events, the oldest first. */
  get shown(): string[] {
    return this.element('events')
      .children.map(({ textContent }) => textContent)
      .reverse();
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('the page has opened no connection');
    return socket;
  }

  connect(project: string): void {
    this.element('project').value = project;
    this.element('connection').listeners.get('submit')?.({ preventDefault() {} });
    this.socket.onopen?.();
  }

  /** Ends the connection, and opens the next one. */
  reconnect(): void {
    this.socket.onclose?.({ code: 1012, reason: '5' });
    vi.advanceTimersByTime(5);
    this.socket.onopen?.();
  }
}

function event(channel: string, offset: number) {
  const cursor = `e.${offset}`;
  return { type: 'notification', timestamp: `T${offset}`, channel, cursor, data: {} };
}

function subscribed(offset: number, recovered?: boolean) {
  return { type: 'subscribed', data: { cursor: `e.${offset}`, recovered } };
}

function since(cursor: string | undefined, project = 'P') {
  return [{ action: 'subscribe', project_id: project, ...(cursor && { since: cursor }) }];
}

test.each([
  event('all', 900),
  event('user:alice', 900),
  event('project:other', 900),
  { type: 'resync', channel: 'all', data: { cursor: 'e.900' } },
])('after %j the page presents the cursor of its own channel', (other) => {
  const page = new Page();
  page.connect('P');
  page.socket.receive(subscribed(3), event('project:P', 4), other);
  expect(page.shown).toHaveLength(2);
  page.reconnect();
  expect(page.socket.sent).toEqual(since('e.4'));
});

test.each([
  ["a/b é!'(*)", 'project:a%2Fb%20%C3%A9%21%27%28%2A%29'],
  ['a:b@c+d~e', 'project:a:b@c+d~e'],
])('the page knows the channel of the project %s', (project, channel) => {
  const page = new Page();
  page.connect(project);
  page.socket.receive(subscribed(3), event(channel, 4));
  page.reconnect();
  expect(page.socket.sent).toEqual(since('e.4', project));
});

test('missed events are shown once, whatever the offsets of other channels', () => {
  const page = new Page();
  page.connect('P');
  page.socket.receive(subscribed(3), event('project:P', 4), event('all', 900));
  page.reconnect();
  page.socket.receive(event('project:P', 4), event('project:P', 5), event('all', 1));
  page.socket.receive(subscribed(5, true), event('project:P', 6));
  expect(page.shown.filter((text) => /^T\d/.test(text))).toEqual([
    'T4  notification  project:P',
    'T900  notification  all',
    'T1  notification  all',
    'T5  notification  project:P',
    'T6  notification  project:P',
  ]);
});

test('a refused subscription ends the connection and is shown', () => {
  const page = new Page();
  page.connect('P');
  const { socket } = page;
  socket.receive({ type: 'error', data: { code: 'forbidden', message: 'not your project' } });
  expect(page.status).toBe('Refused: not your project.');
  expect(socket.isClosed).toBe(true);
  vi.advanceTimersByTime(100_000);
  expect(page.sockets).toHaveLength(1);
});

test('a node that cannot tell now what was missed is asked again with the same cursor', () => {
  const page = new Page();
  page.connect('P');
  page.socket.receive(subscribed(3));
  page.reconnect();
  page.socket.receive(event('project:P', 4));
  page.socket.receive({ type: 'error', data: { code: 'overloaded', message: 'later' } });
  vi.advanceTimersByTime(15_000);
  page.socket.onopen?.();
  expect(page.sockets).toHaveLength(3);
  expect(page.socket.sent).toEqual(since('e.3'));
});

test('an error after the answer is a note, and the connection stays', () => {
  const page = new Page();
  page.connect('P');
  page.socket.receive(subscribed(3), {
    type: 'error',
    data: { code: 'bad_request', message: 'no' },
  });
  expect(page.shown).toEqual(['The server answers: no']);
  expect(page.socket.isClosed).toBe(false);
});

test('the events that wait for the answer have a bound', () => {
  const page = new Page();
  page.connect('P');
  const { socket } = page;
  for (let offset = 1; offset <= 10_001; offset += 1) socket.receive(event('project:P', offset));
  expect(socket.isClosed).toBe(true);
});

test('a silent connection is given up after 70 s, and a heartbeat prolongs it', () => {
  const page = new Page();
  page.connect('P');
  page.socket.receive(subscribed(3));
  vi.advanceTimersByTime(69_000);
  page.socket.receive({ type: 'heartbeat', data: {} });
  vi.advanceTimersByTime(69_000);
  expect(page.sockets).toHaveLength(1);
  vi.advanceTimersByTime(1_500);
  expect(page.socket.isClosed || page.sockets.length > 1).toBe(true);
  vi.advanceTimersByTime(500);
  expect(page.sockets).toHaveLength(2);
});

test.each([
  ['', 'http://127.0.0.1:9001'],
  ['#port=9200', 'http://127.0.0.1:9200'],
  ['#port=80&token=x', 'http://127.0.0.1'],
  ['#port=', 'http://127.0.0.1'],
  ['#port=x.test', 'http://127.0.0.1:9001'],
  ['#port=@evil.test', 'http://127.0.0.1:9001'],
])('a link with "%s" leads to %s: another port, and never another host', (hash, server) => {
  expect(new Page(hash).element('server').value).toBe(server);
});
