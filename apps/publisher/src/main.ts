import { runProcess } from '@leque/core';
import { readPublisherConfig } from './config.ts';
import { startPublisher } from './server.ts';

await runProcess(() => startPublisher(readPublisherConfig(process.env)), process.env);
