import { authRule } from '@leque/auth-jwt';
import { redisRule } from '@leque/broker-redis';
import { GatewayConfig, gatewayRules } from '@leque/gateway';
import { PublisherConfig, publisherRules } from '@leque/publisher';
import { readConfig, stopTimeoutMs } from '@leque/service';
import { find, type Manifest } from './manifests.ts';

/** The content of the Secret in the values, which is not in the manifests. */
const SECRETS: Readonly<Record<string, string>> = {
  JWT_SECRET: 'a-secret-of-more-than-32-characters',
  JWT_SECRET_NEXT: 'the-next-secret-of-more-than-32-characters',
  PUBLISH_API_KEYS: 'a-key-of-more-than-20-characters',
  REDIS_URL: 'rediss+cluster://user:password@redis-0:6379,redis-1:6379',
  SOCKETIO_RECOVERY_SECRET: 'another-secret-of-more-than-32-characters',
  REDIS_SENTINEL_USERNAME: 'sentinel',
  REDIS_SENTINEL_PASSWORD: 'password',
  CONTROL_SECRET: 'a-third-secret-of-more-than-32-characters',
  GRANT_SECRET: 'a-secret-for-grants-of-more-than-32-characters',
  GRANT_SECRET_NEXT: 'the-next-secret-for-grants-of-more-than-32-characters',
};
export const SECRET_VARIABLES = Object.keys(SECRETS).sort();

export const VARIABLES = {
  gateway: Object.keys(GatewayConfig.properties),
  publisher: Object.keys(PublisherConfig.properties),
};
export type Component = keyof typeof VARIABLES;

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly key: string } };
}

/** Variables that no app reads, because Kubernetes only inserts them into others. */
export const PARTS = ['REDIS_PASSWORD'];

/** The environment that a pod of the Deployment has. */
export function environmentOf(
  manifests: readonly Manifest[],
  component: Component,
): Record<string, string> {
  const deployment = find(manifests, 'Deployment', `leque-${component}`);
  const [container] = deployment.spec.template.spec.containers;
  const variables: Variable[] = container.env;
  const { data } = find(manifests, 'ConfigMap', container.envFrom[0].configMapRef.name);
  const env = { ...data };
  for (const { name, value, valueFrom } of variables) {
    const given = value ?? SECRETS[valueFrom?.secretKeyRef?.key ?? ''] ?? 'leque-pod-1';
    env[name] = given.replace(/\$\((\w+)\)/g, (text, part) => env[part] ?? text);
  }
  return env;
}

/** How long a process with this environment takes to stop, at most. @throws ConfigError */
export function podStopTimeoutMs(component: Component, env: Record<string, string>): number {
  return component === 'gateway'
    ? stopTimeoutMs(readConfig(GatewayConfig, env, [...gatewayRules, redisRule]))
    : stopTimeoutMs(readConfig(PublisherConfig, env, [authRule, ...publisherRules, redisRule]));
}
