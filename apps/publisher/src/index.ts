export { answerNotFound, answerWithProblems } from './answer-problems.ts';
export {
  createPublisherApp,
  newPublishCounters,
  type PublisherParts,
  type PublisherPolicy,
  publisherStatus,
} from './app.ts';
export { PublisherConfig, readPublisherConfig } from './config.ts';
export type { PublisherLimits } from './context.ts';
export type { PublishCounters } from './publishing.ts';
export { stopTimeoutMs } from './server.ts';
export { SERVER_OPTIONS } from './server-options.ts';
export { PublisherSettings, publisherPolicy } from './settings.ts';
