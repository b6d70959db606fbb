// The walls between the parts, and between the rooms of a part (scripts/rooms.ts).
// Direction: protocol ← core ← service and drivers ← apps.
// test/repository/walls.it.test.ts plants an offence against each of them.
import { closedDoors, ROOMS } from './scripts/rooms.ts';

const part = '^((?:apps|packages)/[^/]+|test)/';
const driver = '^packages/(?:transport|broker|auth|telemetry)-[^/]+';
const tests = ['\\.test\\.ts$', '(^|/)test/'];
// Where pnpm keeps a package out of reach, all there is of it is its bare name.
const technology =
  '(^|node_modules/)(ioredis|fastify|ws|socket\\.io|jose|prom-client|@opentelemetry/[^/]+|@fastify/[^/]+|@socket\\.io/[^/]+)(/|$)';
const schemaLibrary = '(^|node_modules/)typebox(/|$)';

const walls = {
  'no-cycles': {
    comment: 'What needs each other belongs together, or one of them needs less.',
    from: {},
    to: { circular: true },
  },
  'everything-resolves': {
    comment: 'The import is misspelt, or not declared in the package.json of this package.',
    from: {},
    to: { couldNotResolve: true },
  },
  'protocol-imports-only-its-schema-library': {
    comment: 'What travels is the same everywhere, in browsers too.',
    from: { path: '^packages/protocol/', pathNot: tests },
    to: { pathNot: ['^packages/protocol/', schemaLibrary] },
  },
  'core-knows-no-driver': {
    comment: 'Core has the rules; technologies come in through its ports.',
    from: { path: '^packages/core/', pathNot: tests },
    to: { path: [driver, technology] },
  },
  'core-does-no-io': {
    comment: 'Disks, sockets and processes come in through its ports; randomness does no I/O.',
    from: { path: '^packages/core/', pathNot: tests },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
  },
  'drivers-are-strangers': {
    comment: 'What two drivers share belongs in core.',
    from: { path: `(${driver})/` },
    to: { path: driver, pathNot: '^$1/' },
  },
  'packages-never-import-apps': {
    comment: 'Apps are made of packages, not the other way round.',
    from: { path: '^packages/' },
    to: { path: '^apps/' },
  },
  'apps-are-strangers': {
    comment: 'Each runs as a process of its own; only the leque command puts them together.',
    from: { path: '^(apps/[^/]+)/', pathNot: '^apps/leque/' },
    to: { path: '^apps/', pathNot: '^$1/' },
  },
  'only-entry-points': {
    comment: 'What src/index.ts does not export is the business of that part alone.',
    from: { path: part },
    to: {
      path: part,
      pathNot: [
        '^$1/',
        '^(apps|packages)/[^/]+/src/index\\.ts$',
        '^packages/testkit/src/(fakes|contracts)/index\\.ts$',
      ],
    },
  },
  'by-package-name': {
    comment: 'A relative path into another part goes round its package.json.',
    from: { path: part },
    to: { path: part, pathNot: '^$1/', dependencyTypes: ['local'] },
  },
  'testkit-in-tests-only': {
    comment: 'Production has no test tools. (The leque command starts real servers with them.)',
    from: {
      path: part,
      pathNot: [...tests, '^packages/(testkit|lab)/', '^apps/(leque|bench|verify)/'],
    },
    to: { path: '^packages/testkit/' },
  },
  'no-dev-dependency-in-production': {
    comment: 'It is not there where only dependencies are installed; types are the exception.',
    from: {
      path: '^(apps|packages)/[^/]+/src/',
      pathNot: [...tests, '^packages/testkit/src/(contracts|redis/redis-container)'],
    },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
};

const pattern = (text) => text.replaceAll('.', '\\.');

/** One wall for each room: it imports the rooms below it on the page, and nothing above. */
const rooms = Object.fromEntries(
  Object.keys(ROOMS).flatMap((part) =>
    closedDoors(part).map(({ room, closed, openFiles }) => [
      `rooms:${part}/${room}`,
      {
        comment: `scripts/rooms.ts says what ${part}/src/${room} may import.`,
        from: { path: `^${part}/src/${room}/`, pathNot: tests },
        to: {
          path: [
            ...closed.map((other) => `^${part}/src/${pattern(other)}(/|$)`),
            `^${part}/src/[^/]+\\.ts$`,
          ],
          pathNot: openFiles.map((file) => `^${part}/src/${pattern(file)}$`),
        },
      },
    ]),
  ),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: Object.entries({ ...walls, ...rooms }).map(([name, wall]) => ({
    name,
    severity: 'error',
    ...wall,
  })),
  options: {
    tsPreCompilationDeps: true, // a type-only import is a dependency too
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
