import { runProcess } from '@leque/service';
import { readPublisherConfig } from './config.ts';
import { startPublisher } from './server.ts';

await runProcess(() => startPublisher(readPublisherConfig(process.env)), process.env);
