import { runProcess } from '@leque/core';
import { readGatewayConfig } from './config.ts';
import { startGateway } from './server.ts';

await runProcess(() => startGateway(readGatewayConfig(process.env)), process.env);
