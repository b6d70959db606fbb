import { type Manifest, ofKind } from './manifests.ts';

/** Names that are referred to and defined nowhere, except for Secrets, which may exist already. */
export function danglingReferences(manifests: readonly Manifest[]): string[] {
  const there = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  return manifests.flatMap((manifest) =>
    referencesOf(manifest)
      .filter((reference) => !there.has(reference))
      .map((reference) => `${manifest.kind} ${manifest.metadata.name} names ${reference}`),
  );
}

/** Selectors that choose no pod, and ports that no container has. */
export function idleSelectors(manifests: readonly Manifest[]): string[] {
  const pods = ofKind(manifests, 'Deployment', 'StatefulSet').map(({ spec }) => spec.template);
  return manifests.flatMap((manifest) => {
    const { kind, metadata } = manifest;
    const selector = selectorOf(manifest);
    if (selector === undefined) return [];
    const chosen = pods.filter(({ metadata: { labels } }) =>
      Object.entries(selector).every(([name, value]) => labels[name] === value),
    );
    const ports: { name: string }[] = chosen.flatMap(({ spec: { containers } }) =>
      containers.flatMap((container: { ports: { name: string }[] }) => container.ports),
    );
    const missing = namedPorts(manifest).filter((port) => !ports.some(({ name }) => name === port));
    const problem = chosen.length === 0 ? ['no pod'] : missing.map((port) => `no port ${port}`);
    return problem.map((text) => `${kind} ${metadata.name} selects ${text}`);
  });
}

function referencesOf({ kind, spec }: Manifest): string[] {
  if (kind === 'HorizontalPodAutoscaler') return [`Deployment ${spec.scaleTargetRef.name}`];
  if (kind === 'Ingress') {
    const paths: { backend: { service: { name: string } } }[] = spec.rules[0].http.paths;
    return paths.map(({ backend }) => `Service ${backend.service.name}`);
  }
  if (kind === 'HTTPRoute') {
    const rules: { backendRefs: { name: string }[] }[] = spec.rules;
    return rules.flatMap(({ backendRefs }) => backendRefs.map(({ name }) => `Service ${name}`));
  }
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return [];
  const pod = spec.template.spec;
  const sources: { configMapRef: { name: string } }[] = pod.containers[0].envFrom ?? [];
  const volumes: { configMap?: { name: string } }[] = pod.volumes ?? [];
  return [
    `ServiceAccount ${pod.serviceAccountName}`,
    ...(kind === 'StatefulSet' ? [`Service ${spec.serviceName}`] : []),
    ...sources.map(({ configMapRef }) => `ConfigMap ${configMapRef.name}`),
    ...volumes.flatMap(({ configMap }) => (configMap ? [`ConfigMap ${configMap.name}`] : [])),
  ];
}

function selectorOf({ kind, spec }: Manifest): Record<string, string> | undefined {
  if (kind === 'Service') return spec.selector;
  if (kind === 'NetworkPolicy') return spec.podSelector.matchLabels;
  return spec?.selector?.matchLabels;
}

function namedPorts({ kind, spec }: Manifest): string[] {
  if (kind === 'Service')
    return spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort);
  // These are ports of the Service, which have the names of the pod's.
  if (kind === 'ServiceMonitor') return spec.endpoints.map(({ port }: { port: string }) => port);
  if (kind !== 'NetworkPolicy') return [];
  const rules: { ports: { port: string }[] }[] = spec.ingress;
  return rules.flatMap(({ ports }) => ports.map(({ port }) => port));
}
