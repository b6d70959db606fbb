{{- define "leque.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are selected. Takes: root, component. */}}
{{- define "leque.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Of pods: what stays the same from version to version, so that a new chart alone moves nobody. */}}
{{- define "leque.podLabels" -}}
{{ include "leque.selectorLabels" . }}
app.kubernetes.io/part-of: leque
{{- end -}}

{{- define "leque.labels" -}}
{{ include "leque.selectorLabels" . }}
app.kubernetes.io/part-of: leque
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "leque.image" -}}
{{- $image := index .root.Values .component "image" -}}
{{- $digest := index .root.Values .component "digest" -}}
{{- with .root.Values.image.registry }}{{ . | trimSuffix "/" }}/{{ end }}{{ $image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ with $digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "leque.serviceAccountName" -}}
{{- $values := .Values.serviceAccount -}}
{{- $values.name | default ($values.create | ternary (include "leque.fullname" .) "default") -}}
{{- end -}}

{{/* As an environment variable: YAML reads large numbers as 1e+06, and `on` as true. */}}
{{- define "leque.text" -}}
{{- if kindIs "bool" . -}}
{{- ternary "on" "off" . -}}
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* What is no secret of a component's configuration. Takes: root, component. */}}
{{- define "leque.config" -}}
{{- $values := index .root.Values .component -}}
{{- $config := dict "NODE_ENV" "production" "PORT" $values.port "DRAIN_GRACE" $values.drain.graceSeconds -}}
{{- if eq .component "gateway" -}}
{{- $_ := set $config "DRAIN_TIMEOUT" $values.drain.timeoutSeconds -}}
{{- $_ := set $config "WEBSOCKET_MAX_CONNECTIONS" $values.maxConnections -}}
{{- end -}}
{{- with $values.operationsPort -}}
{{- $_ := set $config "OPERATIONS_PORT" . -}}
{{- end -}}
{{- with .root.Values.externalRedis.url -}}
{{- $_ := set $config "REDIS_URL" . -}}
{{- end -}}
{{- $config = mergeOverwrite (deepCopy .root.Values.config) (deepCopy $values.config) $config -}}
{{- range $name, $value := $config }}
{{ $name }}: {{ include "leque.text" $value | quote }}
{{- end -}}
{{- end -}}

{{/* REDIS_URL; empty where the Secret has it. Kubernetes replaces $(REDIS_PASSWORD). */}}
{{- define "leque.redisUrl" -}}
{{- if .Values.redis.enabled -}}
redis://:$(REDIS_PASSWORD)@{{ include "leque.fullname" . }}-redis:6379
{{- else -}}
{{- .Values.externalRedis.url -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the password of the chart's own Redis. */}}
{{- define "leque.redisSecretName" -}}
{{- .Values.redis.existingSecret | default (printf "%s-redis" (include "leque.fullname" .)) -}}
{{- end -}}

{{/* Variables for the chart's own Redis; nothing where it has none. */}}
{{- define "leque.redisEnv" -}}
{{- if .Values.redis.enabled }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "leque.redisSecretName" . }}
      key: password
- name: REDIS_URL
  value: {{ include "leque.redisUrl" . }}
{{- end -}}
{{- end -}}

{{/* Where the files for TLS with Redis are in a pod. */}}
{{- define "leque.redisTlsPath" -}}
/etc/leque/redis-tls
{{- end -}}

{{/* Variables for TLS with an external Redis; nothing where no value asks for them. */}}
{{- define "leque.redisTlsEnv" -}}
{{- $tls := .Values.externalRedis.tls -}}
{{- $path := include "leque.redisTlsPath" . -}}
{{- if $tls.existingSecret }}
- name: REDIS_TLS_CA_FILE
  value: {{ $path }}/ca.crt
{{- if $tls.clientCertificate }}
- name: REDIS_TLS_CERT_FILE
  value: {{ $path }}/tls.crt
- name: REDIS_TLS_KEY_FILE
  value: {{ $path }}/tls.key
{{- end }}
{{- end }}
{{- with $tls.serverName }}
- name: REDIS_TLS_SERVERNAME
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Name of the component's port that serves /metrics. Takes: root, component. */}}
{{- define "leque.metricsPort" -}}
{{- index .root.Values .component "operationsPort" | empty | ternary "http" "operations" -}}
{{- end -}}

{{/* The path before all paths from outside; empty for none. */}}
{{- define "leque.basePath" -}}
{{- index .Values.config "BASE_PATH" | default "" -}}
{{- end -}}

{{/* Paths of the publisher that Ingress and Gateway API may serve, as a JSON array. */}}
{{- define "leque.publisherPaths" -}}
{{- .Values.publisher.operationsPort | empty | ternary (list "/api" "/docs" "/openapi.json") (list "/api") | toJson -}}
{{- end -}}

{{/* The port in a URL, or that of its scheme. */}}
{{- define "leque.portOf" -}}
{{- regexFind "^https?://[^/]*:[0-9]+" . | regexFind "[0-9]+$" | default (hasPrefix "https:" . | ternary "443" "80") -}}
{{- end -}}

{{/* Ports of Redis and its sentinels, as a JSON array. */}}
{{- define "leque.redisPorts" -}}
{{- $named := list -}}
{{- range regexFindAll ":[0-9]+" .Values.externalRedis.url -1 -}}
{{- $named = append $named (trimPrefix ":" . | int) -}}
{{- end -}}
{{- .Values.networkPolicy.redis.ports | default (concat (list 6379 26379) $named | uniq) | toJson -}}
{{- end -}}

{{/* Empty where there is none. Takes: root, component. */}}
{{- define "leque.secretName" -}}
{{- $existing := index .root.Values .component "existingSecret" | default .root.Values.secrets.existingSecret -}}
{{- $existing | default (.root.Values.secrets.values | empty | ternary "" (include "leque.fullname" .root)) -}}
{{- end -}}

{{/* Whether tokens can only be verified with a secret: "true" or nothing. Takes: root, component. */}}
{{- define "leque.needsJwtSecret" -}}
{{- $config := mergeOverwrite (deepCopy .root.Values.config) (deepCopy (index .root.Values .component "config")) -}}
{{- if not (or $config.JWKS_URL $config.JWT_PUBLIC_KEY (eq ($config.AUTH_MODE | default "required") "open")) -}}
true
{{- end -}}
{{- end -}}

{{/* Variables whose values are in the Secret. Takes: root, component. */}}
{{- define "leque.secretEnv" -}}
{{- $secret := include "leque.secretName" . -}}
{{- if $secret -}}
{{- $required := list -}}
{{- if include "leque.needsJwtSecret" . }}{{ $required = append $required "JWT_SECRET" }}{{ end -}}
{{- if not (include "leque.redisUrl" .root) }}{{ $required = append $required "REDIS_URL" }}{{ end -}}
{{- $config := mergeOverwrite (deepCopy .root.Values.config) (deepCopy (index .root.Values .component "config")) -}}
{{- /* A process refuses to have one beside another way to verify tokens. */ -}}
{{- $jwtSecret := list -}}
{{- if not (or $config.JWKS_URL $config.JWT_PUBLIC_KEY) }}{{ $jwtSecret = list "JWT_SECRET" "JWT_SECRET_NEXT" }}{{ end -}}
{{- $own := eq .component "gateway" | ternary "SOCKETIO_RECOVERY_SECRET" "PUBLISH_API_KEYS" -}}
{{- range $key := concat $jwtSecret (list $own) (include "leque.redisUrl" .root | empty | ternary (list "REDIS_URL") list) (list "REDIS_SENTINEL_USERNAME" "REDIS_SENTINEL_PASSWORD" "CONTROL_SECRET" "GRANT_SECRET" "GRANT_SECRET_NEXT") }}
- name: {{ $key }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ $key }}
      {{- if not (has $key $required) }}
      optional: true
      {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* After the drain a process has 10 s to leave; the rest is for the kubelet. Takes: root, component. */}}
{{- define "leque.terminationGracePeriodSeconds" -}}
{{- $drain := index .root.Values .component "drain" -}}
{{- add (ceil $drain.graceSeconds) (ceil ($drain.timeoutSeconds | default 0)) 10 5 -}}
{{- end -}}

{{- define "leque.minReadySeconds" -}}
{{- $values := index .root.Values .component -}}
{{- if kindIs "invalid" $values.rollout.minReadySeconds -}}
{{- add (ceil $values.drain.graceSeconds) (ceil ($values.drain.timeoutSeconds | default 0)) -}}
{{- else -}}
{{- $values.rollout.minReadySeconds | int -}}
{{- end -}}
{{- end -}}
