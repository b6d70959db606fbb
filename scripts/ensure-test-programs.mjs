// Makes sure that the programs which tests need are installed. Exits with 1 and prints what to do
// when a required one is missing; without Prometheus, other servers than Redis 7
// and clients in other languages, some tests are skipped.
import { ensureCompiledClients } from './ensure-compiled-clients.mjs';
import { ensureCompiler } from './ensure-compiler.mjs';
import { ensurePrometheus } from './ensure-prometheus.mjs';
import { ensurePythonClients } from './ensure-python-clients.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { ensureRedisServers } from './ensure-redis-servers.mjs';

const missing = ensureRedis() ?? ensureCompiler();
if (missing === undefined) {
  const building = ensureCompiledClients(); // beside the downloads
  ensurePrometheus();
  ensureRedisServers();
  ensurePythonClients();
  await building;
} else {
  process.stderr.write(`${missing}\n`);
  process.exitCode = 1;
}
