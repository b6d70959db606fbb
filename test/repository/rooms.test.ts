import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOMS, rowsOf } from '../../scripts/rooms.ts';

const ROOT = new URL('../..', import.meta.url);
const MAX_FILES = 15;
const MAX_LINES = 300;
const SOURCE = /^(apps|packages)\/[^/]+\/src\/.*\.(ts|tsx|mjs|lua|c|h)$/;
const TEST = /\.test\.tsx?$/;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT })
  .toString()
  .trim()
  .split('\n');
const sources = files.filter((file) => SOURCE.test(file) && !TEST.test(file));
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');
const partOf = (file: string) => file.split('/').slice(0, 2).join('/');

describe('rooms', () => {
  test('no folder has more than 15 source files beside each other', () => {
    const counts = Map.groupBy(sources, (file) => dirname(file));
    const crowded = [...counts].filter(([, beside]) => beside.length > MAX_FILES);
    expect(crowded.map(([folder, beside]) => `${folder}: ${beside.length}`)).toEqual([]);
  });

  test('no source file has more than 300 lines', () => {
    const linesOf = (file: string) => read(file).split('\n').length - 1;
    expect(sources.filter((file) => linesOf(file) > MAX_LINES)).toEqual([]);
  });

  test('every folder of a part is a room with a wall', () => {
    const folders = new Set(
      sources.flatMap((file) => {
        const [, room] = /^[^/]+\/[^/]+\/src\/([^/]+)\//.exec(file) ?? [];
        return room === undefined ? [] : [`${partOf(file)}/${room}`];
      }),
    );
    const rooms = Object.keys(ROOMS).flatMap((part) =>
      rowsOf(part)
        .flat()
        .filter((room) => !room.endsWith('.ts'))
        .map((room) => `${part}/${room}`),
    );
    expect(rooms.toSorted()).toEqual([...folders].toSorted());
  });

  test.for(Object.keys(ROOMS))('the README of %s says what lives in each of its rooms', (part) => {
    const readme = read(`${part}/README.md`);
    const rooms = rowsOf(part).flat();
    const isNamed = (room: string) => readme.match(`[/\`]${room}[/\`)]`) !== null;
    expect(rooms.filter((room) => !room.endsWith('.ts') && !isNamed(room))).toEqual([]);
  });

  test('every part is compiled with the options of tsconfig.base.json alone', () => {
    const parts = files.filter((file) =>
      /^(apps\/[^/]+|packages\/[^/]+|test)\/package\.json$/.test(file),
    );
    const configs = parts.map((file) =>
      JSON.parse(read(file.replace('package.json', 'tsconfig.json'))),
    );
    for (const { extends: base, compilerOptions } of configs) {
      expect(base).toMatch(/^(\.\.\/)+tsconfig\.base\.json$/);
      expect(compilerOptions).toBeUndefined();
    }
  });
});
