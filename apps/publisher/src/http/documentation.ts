import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };

const document: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'Leque',
    description:
      'Publish an event once; every browser tab, phone and service that may see it gets it.',
    version: manifest.version,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  tags: [
    { name: 'publishing', description: 'Publish events.' },
    { name: 'statistics', description: 'Count connections and subscribers of the whole cluster.' },
    { name: 'history', description: 'Read the publications that a channel remembers.' },
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

/** Adds `/docs` and `/openapi.json`. They describe the routes that are registered after this. */
export async function registerDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, { openapi: document });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: (policy) => `${policy}; frame-ancestors 'none'`,
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
