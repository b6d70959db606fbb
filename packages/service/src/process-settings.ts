import { PROCESS_LOG_LEVELS } from '@leque/protocol';
import { Type } from 'typebox';

/** The variables that every process has; each app has a default port and node id of its own. */
export function processSettings(defaultPort: number, defaultNodeId: string) {
  return {
    PORT: Type.Integer({
      default: defaultPort,
      minimum: 0,
      maximum: 65_535,
      description: 'port to listen on; 0 chooses a free one',
    }),
    HOST: Type.String({ default: '0.0.0.0', description: 'address to listen on' }),
    LOG_LEVEL: Type.Enum([...PROCESS_LOG_LEVELS], {
      default: 'info',
      description:
        'least severe log level that is written; `leque log-level` changes it at run time',
    }),
    NODE_ID: Type.String({
      default: defaultNodeId,
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      description:
        'name of this process in logs and leases: 1 to 64 letters, digits and the characters . _ -',
    }),
  };
}
