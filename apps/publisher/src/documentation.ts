import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const document: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'Leque',
    description:
      'Publish an event once; every browser tab, phone and service that may see it gets it.',
    version: '0.1.0',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  tags: [
    { name: 'publishing', description: 'events in' },
    { name: 'statistics', description: 'what is connected, in the whole cluster' },
    { name: 'history', description: 'what channels remember' },
  ],
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'a JSON Web Token or an API key' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    },
  },
  security: [{ token: [] }, { apiKey: [] }],
};

/** `/docs` and `/openapi.json`, of the routes that are registered on `app` after this. */
export async function registerDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, { openapi: document });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
