import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };
import { LOGO, registerListenPage } from './listen-page.ts';

type Document = NonNullable<FastifyDynamicSwaggerOptions['openapi']>;

const document: Document = {
  openapi: '3.1.0',
  info: {
    title: 'Leque',
    description:
      'Publish an event once; every browser tab, phone and service that may see it gets it.\n\n' +
      'Clients listen at `/ws/notifications`, `/ws/project/{project_id}` and `/ws/logs` ' +
      '(WebSocket), or in the namespace `/events` (Socket.IO). ' +
      '[Listen and publish on a page](/docs/listen).',
    version: manifest.version,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  tags: [
    { name: 'publishing', description: 'Publish events.' },
    { name: 'statistics', description: 'Count connections and subscribers of the whole cluster.' },
    { name: 'history', description: 'Read the publications that a channel remembers.' },
    { name: 'rights', description: 'Let users hear projects for a while.' },
    { name: 'operating', description: 'Inspect and control the processes of the cluster.' },
  ],
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'a JSON Web Token or an API key' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'an API key' },
    },
  },
  security: [{ token: [] }, { apiKey: [] }],
};

/** The document for clients that reach the API through a proxy. */
function beneath(basePath: string): Document {
  const description = document.info?.description?.replace('](/', `](${basePath}/`);
  return {
    ...document,
    info: { ...document.info, description } as NonNullable<Document['info']>,
    servers: [{ url: basePath }],
  };
}

/**
 * No page may frame this one. Its own files must come over http as well, because browsers take only
 * the machine itself for safe, and a trial has no certificate.
 */
function transformStaticCSP(policy: string): string {
  const own = policy.replace(/;? *upgrade-insecure-requests;?/, '');
  return `${own.replace(/frame-ancestors [^;]*;? ?/, '')}; frame-ancestors 'none'`;
}

/**
 * Adds `/docs`, `/docs/listen` and `/openapi.json`. They describe the routes that are registered after this.
 * @param basePath the path under which a proxy passes on requests; empty for none
 */
export async function registerDocumentation(app: FastifyInstance, basePath: string): Promise<void> {
  await app.register(swagger, { openapi: basePath === '' ? document : beneath(basePath) });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The top bar is left out, because it loads a description from any address.
    uiConfig: { layout: 'BaseLayout' },
    theme: {
      title: 'Leque: HTTP API',
      favicon: [
        {
          filename: 'leque.svg',
          rel: 'icon',
          type: 'image/svg+xml',
          sizes: 'any',
          content: LOGO,
        },
      ],
    },
    staticCSP: true,
    transformStaticCSP,
  });
  registerListenPage(app);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
