import { runProcess } from '@leque/service';
import { readGatewayConfig } from './config.ts';
import { startGateway } from './server.ts';

await runProcess(() => startGateway(readGatewayConfig(process.env)), process.env);
