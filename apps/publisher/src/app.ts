import cors from '@fastify/cors';
import {
  type AuthenticationOutcomes,
  assertOriginAllowed,
  type Broker,
  BucketCounts,
  type Clock,
  type ClusterState,
  type Control,
  countedVerifier,
  type GrantSigner,
  type JournalOptions,
  type OriginPolicy,
  type Telemetry,
  type TokenVerifier,
  type Tracing,
} from '@leque/core';
import type { SchemaPolicy, UnaddressedPolicy } from '@leque/protocol';
import { ClientAddresses, registerProblems } from '@leque/service';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { DeliveryReports } from './delivery-report/delivery-reports.ts';
import { PublishJournal } from './delivery-report/publish-journal.ts';
import { Authority } from './http/authority.ts';
import { registerDocumentation } from './http/documentation.ts';
import { HistoryReads } from './http/history-reads.ts';
import { type CallerRates, RateLimits } from './http/rate-limits.ts';
import { validateRequests } from './http/validation.ts';
import { WrongCredentials } from './http/wrong-credentials.ts';
import { EventChecks } from './publishing/event-checks.ts';
import { type PublishCounters, Publishing } from './publishing/publishing.ts';
import { readSentEvents } from './publishing/sent-events.ts';
import { broadcastRoute } from './routes/broadcast.ts';
import type { PublisherContext, PublisherLimits } from './routes/context.ts';
import { cursorRoute } from './routes/cursor.ts';
import { deliveryReportRoute } from './routes/delivery-report.ts';
import { grantsRoute } from './routes/grants.ts';
import { historyRoutes } from './routes/history.ts';
import { logLevelRoute } from './routes/log-level.ts';
import { nodesRoute } from './routes/nodes.ts';
import { publishRoute } from './routes/publish.ts';
import { statisticsRoutes } from './routes/statistics.ts';

export interface PublisherDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly verifier: TokenVerifier;
  /** Undefined where no secret is set to sign grants with. */
  readonly grantSigner?: GrantSigner | undefined;
  readonly telemetry: Telemetry;
  readonly control: Control;
  readonly clock: Clock;
  readonly tracing?: Tracing | undefined;
  readonly policy: PublisherPolicy;
  /** Finds the addresses by which clients are limited; those of the sockets when undefined. */
  readonly addresses?: Pick<ClientAddresses, 'of' | 'namesOf'>;
  /** Outcomes of publishing are counted into it. */
  readonly counters?: PublishCounters;
  /** Outcomes of authentications are counted into it. */
  readonly authentications?: AuthenticationOutcomes;
}

/** Largest body of a request that does not publish. */
const SMALL_BODY_BYTES = 65_536;
const EXPOSED_HEADERS = 'RateLimit, RateLimit-Policy, Retry-After, X-Request-Id';
const PUBLISH_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** The publisher's settings, as `publisherPolicy` reads them from the environment. */
export interface PublisherPolicy {
  readonly authMode: 'open' | 'required';
  readonly apiKeys: readonly string[];
  readonly origins: OriginPolicy;
  /** Whether `/docs` and `/openapi.json` are served. */
  readonly docs: boolean;
  /** The path under which a proxy passes on requests; undefined for none. */
  readonly basePath?: string | undefined;
  /** Whether project events also reach the subscribers of the firehose. */
  readonly firehose: boolean;
  /** Decides what `POST /api/publish` does with an event that names nobody. */
  readonly unaddressed: UnaddressedPolicy;
  /** Decides what becomes of an event whose `data` does not fit the schema of its type. */
  readonly schemas: SchemaPolicy;
  readonly limits: Omit<PublisherLimits, 'journalEntries'>;
  /** Requests and events per second for each API key, user and address; 0 means no limit. */
  readonly rates: CallerRates;
  /** Wrong API keys and tokens that an address may try per minute; 0 means no limit. */
  readonly wrongCredentialsPerMinute: number;
  /** Reads of histories that run at once. */
  readonly historyReads: number;
  /** Bounds of what is remembered for delivery reports. */
  readonly journal: JournalOptions;
}

/**
 * The publisher's routes `/api/…`, `/docs` and `/openapi.json` as a Fastify plugin. Hooks and error
 * handler concern only these routes, so that the plugin can share a server with others. The server
 * must be created with `SERVER_OPTIONS`.
 */
export function createPublisherApp(deps: PublisherDeps): FastifyPluginAsync {
  const addresses = deps.addresses ?? new ClientAddresses({});
  const context = contextOf(deps, addresses);
  const pages = { origins: deps.policy.origins, addresses };
  return async (app) => {
    registerProblems(app, deps.telemetry, 'publisher');
    app.setValidatorCompiler(validateRequests);
    // Schemas of answers are documentation; the answers are made here and need no filter.
    app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
    if (deps.policy.docs) await registerDocumentation(app, deps.policy.basePath ?? '');
    await app.register(async (api) => registerApi(api, context, pages), {
      prefix: '/api',
    });
  };
}

/** Decides which pages may use the API. */
interface Pages {
  readonly origins: OriginPolicy;
  readonly addresses: Pick<ClientAddresses, 'namesOf'>;
}

async function registerApi(
  api: FastifyInstance,
  context: PublisherContext,
  pages: Pages,
): Promise<void> {
  api.decorateRequest('caller');
  api.decorateRequest('bucket', null);
  api.addHook('onRequest', ({ id }, reply, done) => {
    reply.header('x-request-id', id);
    done();
  });
  // Only JSON is read: any page may send a form anywhere without asking (CSRF).
  api.removeContentTypeParser('text/plain');
  keepBodiesSmall(api);
  refuseForeignPages(api, pages);
  admitPages(api);
  await api.register(answerPreflights);
  await api.register(publishingRoutes, context);
  await api.register(statisticsRoutes, context);
  await api.register(historyRoutes, context);
  await api.register(cursorRoute, context);
  await api.register(grantsRoute, context);
  await api.register(deliveryReportRoute, context);
  await api.register(nodesRoute, context);
  await api.register(logLevelRoute, context);
}

const publishingRoutes: FastifyPluginAsync<PublisherContext> = async (api, context) => {
  readSentEvents(api);
  await api.register(publishRoute, context);
  await api.register(broadcastRoute, context);
};

/** Only routes that say so take more: Fastify parses a body as a whole, without a pause. */
function keepBodiesSmall(api: FastifyInstance): void {
  api.addHook('onRoute', (route) => {
    route.bodyLimit ??= SMALL_BODY_BYTES;
  });
}

/** CORS alone hides the answer from a foreign page, but the event would be published. */
function refuseForeignPages(api: FastifyInstance, { origins, addresses }: Pages): void {
  api.addHook('onRequest', ({ raw }, _reply, done) => {
    const { origin } = raw.headers;
    assertOriginAllowed({ origin, names: addresses.namesOf(raw) }, { origins });
    done();
  });
}

/** Lets the requesting page read the answer. Foreign pages have been refused before. */
function admitPages(api: FastifyInstance): void {
  api.addHook('onRequest', ({ headers: { origin } }, reply, done) => {
    reply.header('vary', 'Origin');
    if (origin !== undefined) {
      reply.header('access-control-allow-origin', origin);
      reply.header('access-control-allow-credentials', 'true');
      reply.header('access-control-expose-headers', EXPOSED_HEADERS);
    }
    done();
  });
}

/**
 * Answers preflights. The plugin has a context of its own, because its hook copies all options for each
 * request, and most requests do not come from a page.
 */
const answerPreflights: FastifyPluginAsync = async (preflights) => {
  await preflights.register(cors, {
    origin: true,
    credentials: true,
    methods: ['GET', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
};

function contextOf(deps: PublisherDeps, addresses: Pick<ClientAddresses, 'of'>): PublisherContext {
  const { broker, state, control, telemetry, policy, authentications: outcomes = {} } = deps;
  const verifier = countedVerifier(deps.verifier, outcomes);
  const { limits, authMode: mode, apiKeys } = policy;
  const rates = new RateLimits(policy.rates, deps.clock);
  const wrongCredentials = new WrongCredentials(policy.wrongCredentialsPerMinute, deps.clock);
  const addressOf = addresses.of.bind(addresses);
  const counters = deps.counters ?? newPublishCounters();
  const journal = new PublishJournal(deps.clock, policy.journal);
  journal.register(control);
  const publishing = new Publishing({
    broker,
    state,
    counters,
    firehose: policy.firehose,
    telemetry,
    journal,
    tracing: deps.tracing,
  });
  return {
    broker,
    state,
    control,
    clock: deps.clock,
    grantSigner: deps.grantSigner,
    limits: { ...limits, journalEntries: policy.journal.entries },
    checks: new EventChecks(
      { maxEventBytes: limits.maxEventBytes, schemas: policy.schemas },
      counters,
    ),
    publishing,
    unaddressed: policy.unaddressed,
    telemetry,
    reports: new DeliveryReports({ control, broker }),
    authority: new Authority(
      { mode, apiKeys },
      { verifier, outcomes, rates, wrongCredentials, addressOf },
    ),
    rates,
    historyReads: new HistoryReads(policy.historyReads),
  };
}

export function newPublishCounters(): PublishCounters {
  const seconds = {
    stored: new BucketCounts(PUBLISH_SECONDS),
    live: new BucketCounts(PUBLISH_SECONDS),
    failed: new BucketCounts(PUBLISH_SECONDS),
  };
  return { stored: 0, live: 0, duplicates: 0, refused: 0, failed: 0, seconds };
}
