export {
  createPublisherApp,
  newPublishCounters,
  type PublisherParts,
  type PublisherPolicy,
} from './app.ts';
export { PublisherConfig, readPublisherConfig } from './config.ts';
export type { PublisherLimits } from './context.ts';
export type { PublishCounters } from './publishing.ts';
export { servePublisher } from './server.ts';
export { PublisherSettings, publisherPolicy } from './settings.ts';
