import { expect, test } from 'vitest';
import { LineProcess } from '../src/load/line-process.ts';

const DEADLINE_MS = 10_000;

test('events that arrive together are returned one after the other', async () => {
  await using child = run(`process.stdout.write('{"event":"a"}\\n{"event":"b","the_value":1}\\n')`);
  await child.next('a', DEADLINE_MS);
  expect(await child.next('b', DEADLINE_MS)).toEqual({ theValue: 1 });
});

test('waiting rejects on an error event, an end, other output and a deadline', async () => {
  await using failing = run(`console.log('{"event":"error","message":"it is broken"}')`);
  await expect(failing.next('a', DEADLINE_MS)).rejects.toThrow('it is broken');
  await using ending = run('process.exit(3)');
  await expect(ending.next('a', DEADLINE_MS)).rejects.toThrow('exit code 3');
  await using talking = run(`console.log('hello'); setInterval(() => {}, 1000)`);
  await expect(talking.next('a', DEADLINE_MS)).rejects.toThrow('printed: hello');
  await using silent = run('setInterval(() => {}, 1000)');
  await expect(silent.next('a', 10)).rejects.toThrow("no 'a' within 10 ms");
});

test('waiting rejects when the program does not exist', async () => {
  await using missing = new LineProcess('/nonexistent/program', []);
  await expect(missing.next('a', DEADLINE_MS)).rejects.toThrow('ENOENT');
});

function run(script: string): LineProcess {
  return new LineProcess(process.execPath, ['-e', script]);
}
