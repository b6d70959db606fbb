// Makes sure that the programs which tests need are installed. Exits with 1 and prints what to do
// when a required one is missing; without Prometheus, other servers than Redis 7
// and Python's clients, some tests are skipped.
import { ensureCompiler } from './ensure-compiler.mjs';
import { ensurePrometheus } from './ensure-prometheus.mjs';
import { ensurePythonClients } from './ensure-python-clients.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { ensureRedisServers } from './ensure-redis-servers.mjs';

const missing = ensureRedis() ?? ensureCompiler();
if (missing === undefined) {
  ensurePrometheus();
  ensureRedisServers();
  ensurePythonClients();
} else {
  process.stderr.write(`${missing}\n`);
  process.exitCode = 1;
}
