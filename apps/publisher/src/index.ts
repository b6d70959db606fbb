export {
  createPublisherApp,
  newPublishCounters,
  type PublisherDeps,
  type PublisherPolicy,
} from './app.ts';
export { PublisherConfig, readPublisherConfig } from './config.ts';
export type { PublishCounters } from './publishing/publishing.ts';
export { servePublisher } from './server.ts';
export { PublisherSettings, publisherPolicy, publisherRules } from './settings.ts';
