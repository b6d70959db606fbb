import cors from '@fastify/cors';
import {
  type AuthenticationOutcomes,
  type Broker,
  BucketCounts,
  type Clock,
  type ClusterState,
  type Control,
  countedVerifier,
  isOriginAllowed,
  type JournalOptions,
  type OriginPolicy,
  type Telemetry,
  type TokenVerifier,
  type Tracing,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { registerProblems } from '@leque/service';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { Authority } from './authority.ts';
import type { PublisherContext, PublisherLimits } from './context.ts';
import { registerDocumentation } from './documentation.ts';
import { PublishJournal } from './publish-journal.ts';
import { type PublishCounters, Publishing } from './publishing.ts';
import { readJson } from './read-json.ts';
import { broadcastRoute } from './routes/broadcast.ts';
import { historyRoutes } from './routes/history.ts';
import { logLevelRoute } from './routes/log-level.ts';
import { nodesRoute } from './routes/nodes.ts';
import { publishRoute } from './routes/publish.ts';
import { statisticsRoutes } from './routes/statistics.ts';
import { traceRoute } from './routes/trace.ts';
import { Traces } from './traces.ts';
import { validateRequests } from './validation.ts';

export interface PublisherParts {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly verifier: TokenVerifier;
  readonly telemetry: Telemetry;
  readonly control: Control;
  readonly clock: Clock;
  readonly tracing?: Tracing | undefined;
  readonly policy: PublisherPolicy;
  /** Counted into; for metrics. */
  readonly counters?: PublishCounters;
  /** The same. */
  readonly authentications?: AuthenticationOutcomes;
}

const PUBLISH_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What `publisherPolicy` reads from the environment. */
export interface PublisherPolicy {
  readonly authMode: 'open' | 'required';
  readonly apiKeys: readonly string[];
  readonly origins: OriginPolicy;
  /** Whether project events reach those who may see all projects without asking. */
  readonly firehose: boolean;
  readonly limits: PublisherLimits;
  /** What is remembered for traces. */
  readonly journal: JournalOptions;
}

/**
 * The publisher's routes, `/api/…`, `/docs` and `/openapi.json`, as a Fastify plugin: it keeps its
 * hooks and its error handler to itself, so that it can stand beside others in one server. That
 * server is made with `SERVER_OPTIONS`.
 */
export function createPublisherApp(parts: PublisherParts): FastifyPluginAsync {
  const context = contextOf(parts);
  return async (app) => {
    registerProblems(app, parts.telemetry, 'publisher');
    app.setValidatorCompiler(validateRequests);
    // The schemas of answers are there to be read; what is answered was made by us.
    app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
    await registerDocumentation(app);
    await app.register(async (api) => registerApi(api, context, parts.policy.origins), {
      prefix: '/api',
    });
  };
}

async function registerApi(
  api: FastifyInstance,
  context: PublisherContext,
  origins: OriginPolicy,
): Promise<void> {
  api.decorateRequest('caller', '');
  api.addHook('onRequest', ({ id }, reply, done) => {
    reply.header('x-request-id', id);
    done();
  });
  // JSON only: a form, which any page may send anywhere, is not read.
  api.removeContentTypeParser('text/plain');
  readJson(api, context.limits.maxEventBytes);
  refuseForeignPages(api, origins);
  await api.register(cors, { origin: true, methods: ['GET', 'POST'], maxAge: 600 });
  await api.register(publishRoute, context);
  await api.register(broadcastRoute, context);
  await api.register(statisticsRoutes, context);
  await api.register(historyRoutes, context);
  await api.register(traceRoute, context);
  await api.register(nodesRoute, context);
  await api.register(logLevelRoute, context);
}

/** CORS alone only hides the answer from a foreign page; the event would be published. */
function refuseForeignPages(api: FastifyInstance, origins: OriginPolicy): void {
  api.addHook('onRequest', ({ headers: { origin, host } }, _reply, done) => {
    if (isOriginAllowed(origins, origin, host)) done();
    else done(new ProtocolError('origin_forbidden', 'pages of this origin are not allowed'));
  });
}

function contextOf(parts: PublisherParts): PublisherContext {
  const { broker, state, control, telemetry, policy, authentications: outcomes = {} } = parts;
  const verifier = countedVerifier(parts.verifier, outcomes);
  const { limits, authMode: mode, apiKeys } = policy;
  const counters = parts.counters ?? newPublishCounters();
  const journal = new PublishJournal(parts.clock, policy.journal);
  journal.answerTraces(control);
  const publishing = new Publishing({
    broker,
    state,
    counters,
    firehose: policy.firehose,
    maxEventBytes: limits.maxEventBytes,
    journal,
    tracing: parts.tracing,
  });
  return {
    broker,
    state,
    control,
    limits,
    publishing,
    telemetry,
    traces: new Traces({ control, broker, remembers: policy.journal.entries > 0 }),
    authority: new Authority({ verifier, mode, apiKeys, outcomes }),
  };
}

export function newPublishCounters(): PublishCounters {
  const seconds = {
    stored: new BucketCounts(PUBLISH_SECONDS),
    failed: new BucketCounts(PUBLISH_SECONDS),
  };
  return { stored: 0, duplicates: 0, refused: 0, failed: 0, seconds };
}
