// `npm run dashboards`: writes infra/grafana/dashboards anew. `npm test` fails where it differs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboards } from './dashboards.mjs';

const folder = join(import.meta.dirname, '../../infra/grafana/dashboards');
for (const [file, text] of dashboards) writeFileSync(join(folder, file), text);
